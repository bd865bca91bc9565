/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl package list, show, log, make, get */
#include "ctl/package.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/download.h"
#include "ctl/firmware.h"
#include "ctl/progress.h"
#include "base/text.h"

#define PACKAGE_LINE  4096   /* bytes of one line of a log; the rest is cut */
#define WAIT_MS       600000 /* without --timeout */
#define POLL_FIRST_MS 100
#define POLL_LAST_MS  2000 /* slow enough for a server with a hundred waiting admins */

static const struct table_column list_columns[] = {
    {"FROM", "from", TABLE_TEXT},     {"TO", "to", TABLE_TEXT},
    {"FORMAT", "format", TABLE_TEXT}, {"STATE", "state", TABLE_TEXT},
    {"SIZE", "size", TABLE_NUMBER},   {"EFFORT", "effort", TABLE_TEXT},
    {"PROVEN", "proven", TABLE_TEXT}, {"FINISHED", "finished_at", TABLE_TIME},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "error", "! "};

static const struct table_column page_columns[] = {
    {"From", "from", TABLE_TEXT},
    {"To", "to", TABLE_TEXT},
    {"Format", "format", TABLE_TEXT},
    {"State", "state", TABLE_TEXT},
    {"Size", "size", TABLE_NUMBER},
    {"Counted", "counted", TABLE_NUMBER},
    {"Limit", "limit", TABLE_NUMBER},
    {"SHA-256", "sha256", TABLE_HASH},
    {"Origin", "origin", TABLE_TEXT},
    {"Uploaded by", "uploaded_by", TABLE_TEXT},
    {"Effort", "effort", TABLE_TEXT},
    {"Improving", "improving", TABLE_TEXT},
    {"Proven", "proven", TABLE_TEXT},
    {"Note", "note", TABLE_TEXT},
    {"Released", "released.at", TABLE_TIME},
    {"  by", "released.by", TABLE_TEXT},
    {"  because", "released.note", TABLE_TEXT},
    {"Out of service", "quarantine.at", TABLE_TIME},
    {"  because", "quarantine.reason", TABLE_TEXT},
    {"Crashes", "crashes", TABLE_NUMBER},
    {"Queued", "queued_at", TABLE_TIME},
    {"Finished", "finished_at", TABLE_TIME},
    {"Took", "duration_ms", TABLE_DURATION},
};
const struct table_view package_page_view = {page_columns, TABLE_COUNT(page_columns), "error", "error: "};

static const char *member(const json_t *package, const char *key)
{
    const char *value = json_string_value(json_object_get(package, key));
    return value ? value : "?";
}

void package_print_page(struct session *session, json_t *package)
{
    build_show_ends(session, package);
    session_print_page(session, package, &package_page_view);
}

/* A package that is a little too large is still under way while the server tries to make a smaller one. */
static bool is_under_way(const json_t *package)
{
    const char *state = member(package, "state");
    return strcmp(state, "queued") == 0 || strcmp(state, "generating") == 0 ||
           (strcmp(state, "oversize") == 0 && json_is_true(json_object_get(package, "improving")));
}

bool package_check(const json_t *package, struct failure *fail)
{
    const char *state = member(package, "state"),
               *error = json_string_value(json_object_get(package, "error"));
    if (strcmp(state, "ready") == 0)
        return true;
    return failure_set(fail, EXIT_NOT_READY, "the package %s→%s is %s%s%s", member(package, "from"),
                       member(package, "to"), state, error ? ": " : "", error ? error : "");
}

static void sleep_ms(int64_t ms)
{
    struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&rest, &rest) != 0)
        ; /* a signal came */
}

bool package_wait(struct session *session, const char *path, json_t **package, struct failure *fail)
{
    int64_t end = clock_boot_ms() + WAIT_MS, pause = POLL_FIRST_MS;
    bool limited = session->options->timeout_s > 0;
    while (is_under_way(*package)) {
        if (limited ? client_is_late(session->client) : clock_boot_ms() >= end)
            return failure_set(fail, EXIT_NOT_READY, "the time has passed, and the package %s→%s is still %s",
                               member(*package, "from"), member(*package, "to"), member(*package, "state"));
        progress_say(path, member(*package, "state"));
        sleep_ms(pause);
        pause = pause * 3 / 2 < POLL_LAST_MS ? pause * 3 / 2 : POLL_LAST_MS;
        json_t *now = NULL;
        if (client_is_late(session->client))
            continue;
        if (!client_get(session->client, path, &now, fail)) {
            if (fail->status == EXIT_UNREACHABLE && client_is_late(session->client))
                fail->status = EXIT_NOT_READY;
            return false;
        }
        json_decref(*package);
        *package = now;
    }
    progress_end();
    return true;
}

/* After the refusal "no format is set", prints the command that sets a format. */
static bool note_format(struct session *session, bool ok, const struct failure *fail)
{
    if (!ok && strcmp(fail->code, "format-not-set") == 0)
        firmware_note_format_of(session, session->args[0]);
    return ok;
}

/* Prints the package; with --wait waits first. Takes over package. */
static bool finish(struct session *session, const char *path, json_t *package, struct failure *fail)
{
    bool wait = session->options->wait;
    bool ok = !wait || package_wait(session, path, &package, fail);
    if (ok || fail->status == EXIT_NOT_READY)
        package_print_page(session, package);
    if (ok && wait)
        ok = package_check(package, fail);
    json_decref(package);
    return ok;
}

bool package_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "packages", NULL) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    build_show_ends(session, json_object_get(answer, "items"));
    bool ok = session_print_list(session, answer, &list_view, fail);
    json_decref(answer);
    return ok;
}

static void print_lines(const char *text)
{
    char line[PACKAGE_LINE];
    while (*text) {
        size_t len = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1), text);
        text_put(stdout, line);
        putchar('\n');
        text += len + (text[len] == '\n');
    }
}

bool package_log(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    bool ok = build_package_path(session, NULL, &path, fail) &&
              client_get(session->client, path.text, &package, fail);
    const json_t *log = json_object_get(package, "log");
    if (ok && session->json)
        session_print_json(log ? log : json_null());
    else if (ok && json_string_value(log))
        print_lines(json_string_value(log));
    else if (ok)
        session_note("this package has no output of an external command");
    json_decref(package);
    return note_format(session, ok, fail);
}

bool package_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    bool ok = build_package_path(session, NULL, &path, fail) &&
              client_get(session->client, path.text, &package, fail) &&
              finish(session, path.text, package, fail);
    return note_format(session, ok, fail);
}

bool package_make(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    bool ok = build_package_path(session, NULL, &path, fail) &&
              client_change(session->client, "POST", path.text, NULL, &answer, fail) &&
              finish(session, path.text, json_incref(answer.json), fail);
    client_answer_clear(&answer);
    return note_format(session, ok, fail);
}

bool package_get(struct session *session, struct failure *fail)
{
    struct client_path path, content;
    json_t *package = NULL;
    bool ok = build_package_path(session, NULL, &path, fail) &&
              build_package_path(session, "content", &content, fail) &&
              client_get(session->client, path.text, &package, fail);
    if (ok && session->options->wait)
        ok = package_wait(session, path.text, &package, fail) && package_check(package, fail);
    ok = ok && download(session->client, content.text, package, session->args[3], fail);
    if (ok)
        package_print_page(session, package);
    json_decref(package);
    return note_format(session, ok, fail);
}
