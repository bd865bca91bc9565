/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl product … */
#include "ctl/command.h"

static const struct table_column list_columns[] = {
    {"KEY", "product_key", TABLE_TEXT},
    {"NAME", "name", TABLE_TEXT},
    {"CREATED", "created_at", TABLE_TIME},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), NULL, NULL};

static const struct table_column page_columns[] = {
    {"Key", "product_key", TABLE_TEXT},
    {"Name", "name", TABLE_TEXT},
    {"Created", "created_at", TABLE_TIME},
    {"Trusted check-ins", "trusted_check_ins", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), NULL, NULL};

bool product_add(struct session *session, struct failure *fail)
{
    const char *key = session->options->key;
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:s, s:s*}", "name", session->args[0], "product_key", key);
    if (!session_check_json(body, fail))
        return false;
    bool ok = client_change(session->client, "POST", "/products", body, &answer, fail);
    json_decref(body);
    if (ok)
        session_print_page(session, answer.json, &page_view);
    client_answer_clear(&answer);
    return ok;
}

bool product_list(struct session *session, struct failure *fail)
{
    return session_list(session, "/products", &list_view, fail);
}

bool product_set(struct session *session, struct failure *fail)
{
    const char *trusted = session->options->trusted_check_ins, *by = session->options->by;
    struct client_path path = {0};
    struct client_answer answer = {0};
    if (!client_path_add(&path, "products", fail) || !client_path_add(&path, session->args[0], fail) ||
        (by && !client_path_query(&path, "by", by, fail)))
        return false;
    json_t *body = json_pack("{s:b}", "trusted_check_ins", trusted[0] == 'y');
    bool ok = session_check_json(body, fail) &&
              client_change(session->client, "PATCH", path.text, body, &answer, fail);
    json_decref(body);
    if (ok)
        session_print_page(session, answer.json, &page_view);
    client_answer_clear(&answer);
    return ok;
}
