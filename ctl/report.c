/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl report, reports import, transcripts */
#include <inttypes.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/input.h"

static const struct table_column list_columns[] = {
    {"#", "transcript", TABLE_NUMBER},       {"FROM", "source", TABLE_TEXT},
    {"RECEIVED", "received_at", TABLE_TIME}, {"VERSION", "version", TABLE_TEXT},
    {"COUNTED", "counted", TABLE_TEXT},      {"ATTEMPT", "attempt", TABLE_NUMBER},
    {"BYTES", "size", TABLE_NUMBER},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "why", ""};

static const struct table_column page_columns[] = {
    {"Transcript", "transcript", TABLE_NUMBER},
    {"From", "source", TABLE_TEXT},
    {"Received", "received_at", TABLE_TIME},
    {"Captured", "captured_at", TABLE_TIME},
    {"Firmware", "firmware", TABLE_TEXT},
    {"First version", "found.first_version", TABLE_TEXT},
    {"Last version", "version", TABLE_TEXT},
    {"  seen", "seen_at", TABLE_TIME},
    {"  may still run", "found.last_holds", TABLE_TEXT},
    {"Counted", "counted", TABLE_TEXT},
    {"Belongs to attempt", "attempt", TABLE_NUMBER},
    {"Older tries left out", "found.tries_dropped", TABLE_NUMBER},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "why", "not counted: "};

static const struct table_column try_columns[] = {
    {"FROM", "from", TABLE_TEXT},           {"TO", "to", TABLE_TEXT},
    {"LOADED %", "download", TABLE_NUMBER}, {"WRITTEN %", "write", TABLE_NUMBER},
    {"ERROR", "error", TABLE_NUMBER},       {"END", "end", TABLE_NUMBER},
    {"OUTCOME", "outcome", TABLE_TEXT},     {"ATTEMPT", "attempt", TABLE_NUMBER},
};
static const struct table_view try_view = {try_columns, TABLE_COUNT(try_columns), "words", ""};

static const struct table_column item_columns[] = {
    {"LINE", "line", TABLE_NUMBER},
    {"DEVICE", "device", TABLE_TEXT},
    {"VERSION", "version", TABLE_TEXT},
    {"RESULT", "result", TABLE_TEXT},
};
static const struct table_view item_view = {item_columns, TABLE_COUNT(item_columns), "why", ""};

static const struct table_column count_columns[] = {
    {"Reports", "reports", TABLE_NUMBER},
    {"Counted", "counted", TABLE_NUMBER},
};
static const struct table_view count_view = {count_columns, TABLE_COUNT(count_columns), NULL, NULL};

static void print_transcript(const struct session *session, const json_t *transcript)
{
    session_print_page(session, transcript, &page_view);
    if (session->json)
        return;
    table_print_note(stdout, 0, "warning: ", json_object_get(transcript, "warnings"));
    fputs("\nTries, oldest first\n", stdout);
    table_print(stdout, table_find(transcript, "found.tries"), &try_view);
}

/* Sends a file. *ret: the answer, owned by the caller. */
static bool send_file(struct session *session, const char *name, const char *type, const char *path,
                      json_t **ret, struct failure *fail)
{
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(name, &file, fail))
        return false;
    struct client_call call = {
        .method = "POST",
        .path = path,
        .file = file,
        .file_type = type,
        .label = name,
    };
    bool ok = client_send(session->client, &call, &answer, fail);
    if (ok)
        *ret = json_incref(answer.json);
    client_answer_clear(&answer);
    return ok;
}

bool report_send(struct session *session, struct failure *fail)
{
    int64_t captured_ms = session->options->captured_at_ms;
    struct client_path path;
    json_t *transcript = NULL;
    char at_ms[32];
    snprintf(at_ms, sizeof at_ms, "%" PRId64, captured_ms);
    if (!session_path(session, &path, fail, "devices", session->args[0], "transcripts", NULL) ||
        (captured_ms && !client_path_query(&path, "captured_at", at_ms, fail)) ||
        !send_file(session, session->args[1], "text/plain", path.text, &transcript, fail))
        return false;
    print_transcript(session, transcript);
    json_decref(transcript);
    return true;
}

bool report_import(struct session *session, struct failure *fail)
{
    const char *given = session->options->firmware;
    _cleanup_(cleanup_free) char *only = NULL;
    struct client_path path;
    json_t *answer = NULL;
    if ((!given && !session_only_firmware(session, &only, fail)) ||
        !session_path(session, &path, fail, "firmware", given ? given : only, "reports", NULL) ||
        !send_file(session, session->args[0], "text/csv", path.text, &answer, fail))
        return false;
    bool ok = session_print_bulk(session, answer, &count_view, &item_view, fail);
    json_decref(answer);
    return ok;
}

bool transcript_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *transcript = NULL;
    const struct ctl_options *options = session->options;
    if (session->args[1] && (options->filter || options->sort || options->limit))
        return failure_set(fail, EXIT_USAGE, "--filter, --sort and --limit are for the list: leave out %s",
                           session->args[1]);
    if (!session_path(session, &path, fail, "devices", session->args[0], "transcripts", session->args[1],
                      NULL))
        return false;
    if (!session->args[1])
        return session_list(session, path.text, &list_view, fail);
    if (!client_get(session->client, path.text, &transcript, fail))
        return false;
    print_transcript(session, transcript);
    json_decref(transcript);
    return true;
}
