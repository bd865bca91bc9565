/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl device link, links */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/firmware.h"
#include "ctl/input.h"
#include "ctl/package.h"
#include "base/text.h"

static const struct table_column page_columns[] = {
    {"Device", "device", TABLE_TEXT},     {"Link", "link", TABLE_NUMBER},
    {"Firmware", "firmware", TABLE_TEXT}, {"Version", "version", TABLE_TEXT},
    {"URL", "url", TABLE_TEXT},           {"Report to", "report_url", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "warnings", "warning: "};

static const struct table_column list_columns[] = {
    {"DEVICE", "device", TABLE_TEXT},
    {"VERSION", "version", TABLE_TEXT},
    {"EXISTED", "existed", TABLE_TEXT},
    {"URL", "url", TABLE_TEXT},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "warnings", "warning: "};

/* One command per line, not wrapped: people copy the lines. */
static void print_commands(const json_t *link)
{
    const json_t *commands = json_object_get(link, "at_commands");
    json_t *command;
    size_t i;
    if (json_array_size(commands) > 0)
        fputs("Commands for the module:\n", stdout);
    json_array_foreach (commands, i, command) {
        const char *text = json_string_value(command);
        fputs("  ", stdout);
        text_put(stdout, text ? text : "?");
        putchar('\n');
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The version of the link, or the confirmed version; NULL: neither is known. Owned by the caller. */
static bool find_base(struct session *session, const json_t *link, char **ret, struct failure *fail)
{
    struct client_path path;
    json_t *device = NULL;
    const char *version = text_of(link, "version");
    *ret = NULL;
    if (!version) {
        if (!session_path(session, &path, fail, "devices", session->args[0], NULL) ||
            !client_get(session->client, path.text, &device, fail))
            return false;
        version = text_of(device, "confirmed_version");
    }
    *ret = version ? strdup(version) : NULL;
    json_decref(device);
    return true;
}

/* Waits for the package from `from` to the target. The server requested the package when it made the link;
   if there is no such package, the module needs none. */
static bool wait_for(struct session *session, const char *firmware, const char *from, const char *target,
                     struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    if (!session_path(session, &path, fail, "firmware", firmware, "packages", from, target, NULL))
        return false;
    bool ok = client_get(session->client, path.text, &package, fail);
    if (!ok && (strcmp(fail->code, "package-not-found") == 0 || strcmp(fail->code, "not-an-upgrade") == 0)) {
        session_note("the package %s→%s is not needed: nothing to wait for", from, target);
        return true;
    }
    ok = ok && package_wait(session, path.text, &package, fail) && package_check(package, fail);
    if (!ok && fail->status == EXIT_REFUSED) {
        if (strcmp(fail->code, "format-not-set") == 0)
            firmware_note_format_of(session, firmware);
        fail->status = EXIT_NOT_READY; /* the link was made; only the wait failed */
    }
    if (ok && !session->json)
        session_note("the package %s→%s is ready", from, target);
    json_decref(package);
    return ok;
}

static bool wait_for_link(struct session *session, const json_t *link, struct failure *fail)
{
    const char *name = text_of(link, "firmware");
    _cleanup_(cleanup_free) char *from = NULL;
    json_t *firmware = NULL;
    if (!name)
        return failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a link");
    if (!find_base(session, link, &from, fail) || !firmware_fetch(session, name, &firmware, fail))
        return false;
    const char *target = text_of(firmware, "target");
    bool ok = true;
    if (!target || !from)
        session_note("%s: nothing to wait for",
                     target ? "the version of the module is not known" : "no target is set");
    else
        ok = wait_for(session, name, from, target, fail);
    json_decref(firmware);
    return ok;
}

bool device_link(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    struct client_path path;
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:s*, s:s*}", "version", options->version, "firmware", options->firmware);
    bool ok = session_check_json(body, fail) &&
              session_path(session, &path, fail, "devices", session->args[0], "link", NULL) &&
              client_change(session->client, "POST", path.text, body, &answer, fail);
    json_decref(body);
    if (ok) {
        session_print_page(session, answer.json, &page_view);
        if (!session->json)
            print_commands(answer.json);
    }
    if (ok && options->wait)
        ok = wait_for_link(session, answer.json, fail);
    client_answer_clear(&answer);
    return ok;
}

/* How many links are new, for people. */
static void note_existed(const json_t *items)
{
    size_t i, existed = 0;
    json_t *link;
    json_array_foreach (items, i, link)
        existed += json_is_true(json_object_get(link, "existed"));
    session_note("%zu links are new; %zu existed already and are unchanged", json_array_size(items) - existed,
                 existed);
}

/* For CSV, one column for each command. */
static void split_commands(const json_t *items)
{
    size_t i, n;
    json_t *link, *command;
    char key[32];
    json_array_foreach (items, i, link)
        json_array_foreach (json_object_get(link, "at_commands"), n, command) {
            snprintf(key, sizeof key, "at_command_%zu", n + 1);
            json_object_set(link, key, command);
        }
}

bool device_links(struct session *session, struct failure *fail)
{
    const char *name = session->options->csv, *version = session->options->version;
    struct client_path path;
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(name, &file, fail) ||
        !session_path(session, &path, fail, "firmware", session->args[0], "links", NULL) ||
        !client_path_query(&path, "existing", "keep", fail) ||
        (version && !client_path_query(&path, "version", version, fail)))
        return false;
    struct client_call call = {
        .method = "POST",
        .path = path.text,
        .file = file,
        .file_type = "text/csv",
        .label = name,
    };
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    const json_t *items = json_object_get(answer.json, "items");
    const char *output = session->options->output;
    if (output && strcmp(output, "csv") == 0)
        split_commands(items);
    bool ok = session_print_list(session, answer.json, &list_view, fail);
    if (ok && !(output && strcmp(output, "json") == 0))
        note_existed(items);
    client_answer_clear(&answer);
    return ok;
}
