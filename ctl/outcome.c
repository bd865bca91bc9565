/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl outcomes */
#include <string.h>
#include "ctl/command.h"

static const struct table_column columns[] = {
    {"DEVICE", "device", TABLE_TEXT},   {"OUTCOME", "outcome", TABLE_TEXT},
    {"SINCE", "since", TABLE_TIME},     {"CONFIRMED", "confirmed_version", TABLE_TEXT},
    {"BY", "confirmed_by", TABLE_TEXT},
};
static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, ""};

/* For a spreadsheet: every member. */
static const struct table_column csv_columns[] = {
    {"", "device", TABLE_TEXT},
    {"", "id_kind", TABLE_TEXT},
    {"", "outcome", TABLE_TEXT},
    {"", "since", TABLE_TIME},
    {"", "confirmed_version", TABLE_TEXT},
    {"", "confirmed_at", TABLE_TIME},
    {"", "confirmed_by", TABLE_TEXT},
    {"", "confirmed_grade", TABLE_TEXT},
    {"", "last_seen_at", TABLE_TIME},
    {"", "attempt", TABLE_NUMBER},
    {"", "from", TABLE_TEXT},
    {"", "to", TABLE_TEXT},
    {"", "bytes_acked", TABLE_NUMBER},
    {"", "reason", TABLE_TEXT},
};
static const struct table_view csv_view = {csv_columns, TABLE_COUNT(csv_columns), NULL, ""};

static const char *in_words(const char *outcome)
{
    return strcmp(outcome, "confirmed_not_by_us") == 0 ? "confirmed, not delivered by this server" : outcome;
}

static void print_counts(const json_t *answer)
{
    const char *name;
    json_t *count;
    printf("Target %s\n", json_string_value(json_object_get(answer, "target")));
    json_object_foreach ((json_t *)json_object_get(answer, "counts"), name, count)
        printf("%8lld  %s\n", (long long)json_integer_value(count), in_words(name));
    printf("Acknowledged bytes: %lld, of these in vain: %lld\n\n",
           (long long)json_integer_value(json_object_get(answer, "bytes_acked")),
           (long long)json_integer_value(json_object_get(answer, "bytes_in_vain")));
}

bool outcomes_show(struct session *session, struct failure *fail)
{
    const char *state = session->options->state, *age = session->options->older_than,
               *target = session->arg_count > 1 ? session->args[1] : NULL;
    bool csv = session->options->print_csv;
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "outcomes", NULL) ||
        (state && !client_path_query(&path, "state", state, fail)) ||
        (target && !client_path_query(&path, "target", target, fail)) ||
        (age && !session_add_condition(session, fail, "since>%s and since!=never", age)) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    if (!session->json && !csv)
        print_counts(answer);
    bool ok = session_print_list(session, answer, csv ? &csv_view : &view, fail);
    json_decref(answer);
    return ok;
}
