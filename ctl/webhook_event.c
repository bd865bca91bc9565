/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl webhook failed, waiting, resend, forget */
#include <string.h>
#include "ctl/command.h"
#include "ctl/webhook.h"

static const struct table_column event_columns[] = {
    {"#", "event", TABLE_NUMBER},
    {"KIND", "kind", TABLE_TEXT},
    {"AT", "facts.at", TABLE_TIME},
    {"TRIES", "tries", TABLE_NUMBER},
    {"NEXT TRY", "next_try_at", TABLE_TIME},
    {"LAST ERROR", "error", TABLE_TEXT},
};
static const struct table_view event_view = {event_columns, TABLE_COUNT(event_columns), "facts.summary", ""};

static bool list_events(struct session *session, const char *state, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!webhook_find(session, &path, fail) || !client_path_add(&path, "events", fail) ||
        !client_path_query(&path, "state", state, fail) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, &event_view, fail);
    json_decref(answer);
    return ok;
}

bool webhook_failed(struct session *session, struct failure *fail)
{
    return list_events(session, "failed", fail);
}

bool webhook_waiting(struct session *session, struct failure *fail)
{
    return list_events(session, "waiting", fail);
}

static bool sweep(struct session *session, const char *method, const char *last, const char *done,
                  struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    const char *event = session->args[1];
    if (!webhook_find(session, &path, fail) || !client_path_add(&path, "events", fail) ||
        (strcmp(event, "all") != 0 && !client_path_add(&path, event, fail)) ||
        (last && !client_path_add(&path, last, fail)) ||
        !client_change(session->client, method, path.text, NULL, &answer, fail))
        return false;
    json_int_t count = json_integer_value(json_object_get(answer.json, "events"));
    client_answer_clear(&answer);
    session_note("%" JSON_INTEGER_FORMAT " event%s %s", count, count == 1 ? " is" : "s are", done);
    return true;
}

bool webhook_resend(struct session *session, struct failure *fail)
{
    return sweep(session, "POST", "resend", "sent again", fail);
}

bool webhook_forget(struct session *session, struct failure *fail)
{
    return sweep(session, "DELETE", NULL, "removed", fail);
}
