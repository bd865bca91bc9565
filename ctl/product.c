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
    {"Unknown devices", "unknown_devices", TABLE_TEXT},
    {"Secret of devices", "device_secret", TABLE_TEXT},
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

static bool find(struct session *session, struct client_path *ret, struct failure *fail)
{
    const char *by = session->options->by;
    *ret = (struct client_path){.len = 0};
    return client_path_add(ret, "products", fail) && client_path_add(ret, session->args[0], fail) &&
           (!by || client_path_query(ret, "by", by, fail));
}

bool product_set(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    const char *trusted = options->trusted_check_ins;
    struct client_path path;
    struct client_answer answer = {0};
    if (!trusted && !options->unknown_devices && !options->device_secret && !options->name)
        return failure_set(fail, EXIT_USAGE,
                           "product set needs --trusted-check-ins yes|no, --unknown-devices "
                           "admitted|held|refused, --device-secret optional|required or --name NAME");
    if (!find(session, &path, fail))
        return false;
    json_t *body =
        json_pack("{s:o*, s:s*, s:s*, s:s*}", "trusted_check_ins",
                  trusted ? json_boolean(trusted[0] == 'y') : NULL, "unknown_devices",
                  options->unknown_devices, "device_secret", options->device_secret, "name", options->name);
    bool ok = session_check_json(body, fail) &&
              client_change(session->client, "PATCH", path.text, body, &answer, fail);
    json_decref(body);
    if (ok)
        session_print_page(session, answer.json, &page_view);
    client_answer_clear(&answer);
    return ok;
}

bool product_delete(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    bool ok = find(session, &path, fail) &&
              client_change(session->client, "DELETE", path.text, NULL, &answer, fail);
    if (ok)
        session_note("the product %s is deleted", session->args[0]);
    client_answer_clear(&answer);
    return ok;
}
