/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl unknown list, forget: names, versions and ids that the server refused */
#include <string.h>
#include "ctl/command.h"

static const struct table_column list_columns[] = {
    {"#", "unknown", TABLE_NUMBER},    {"PRODUCT", "product", TABLE_TEXT},
    {"WHAT", "kind", TABLE_TEXT},      {"FIRMWARE", "firmware", TABLE_TEXT},
    {"SENT", "text", TABLE_TEXT},      {"CODE", "code", TABLE_NUMBER},
    {"COUNT", "count", TABLE_NUMBER},  {"DEVICES", "devices", TABLE_NUMBER},
    {"EXAMPLE", "device", TABLE_TEXT}, {"FIRST", "first_at", TABLE_TIME},
    {"LAST", "last_at", TABLE_TIME},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "do", "→"};

bool unknown_list(struct session *session, struct failure *fail)
{
    struct client_path path = {.len = 0};
    const char *product = session->options->product;
    return client_path_add(&path, "unknown", fail) &&
           (!product || client_path_query(&path, "product", product, fail)) &&
           session_list(session, path.text, &list_view, fail);
}

bool unknown_forget(struct session *session, struct failure *fail)
{
    struct client_path path = {.len = 0};
    struct client_answer answer = {0};
    const char *row = session->args[0];
    bool all = strcmp(row, "all") == 0;
    if (!client_path_add(&path, "unknown", fail) || (!all && !client_path_add(&path, row, fail)) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note(all ? "all rows are removed" : "row %s is removed", row);
    return true;
}
