/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl token add, list, rotate, revoke */
#include "ctl/token.h"

#include <stdio.h>
#include <string.h>
#include "base/slice.h"
#include "ctl/command.h"

#define HOUR_MS 3600000

static const struct table_column list_columns[] = {
    {"#", "token", TABLE_NUMBER},          {"NAME", "name", TABLE_TEXT},
    {"SCOPE", "scope", TABLE_TEXT},        {"PRODUCT", "product", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT},        {"CREATED", "created_at", TABLE_TIME},
    {"EXPIRES", "expires_at", TABLE_TIME}, {"LAST USED", "used_at", TABLE_TIME},
    {"FROM", "used_from", TABLE_TEXT},     {"OLD SECRET UNTIL", "old_secret_until", TABLE_TIME},
    {"REVOKED", "revoked_at", TABLE_TIME},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), NULL, NULL};

bool token_find(struct session *session, struct client_path *ret, struct failure *fail)
{
    const char *wanted = session->args[0];
    json_t *answer = NULL, *item;
    size_t i;
    json_int_t id = 0, named = 0;
    uint64_t number = 0;
    if (!client_get(session->client, "/tokens", &answer, fail))
        return false;
    bool is_number = slice_u64(slice_of(wanted), &number);
    json_array_foreach (json_object_get(answer, "items"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        json_int_t its = json_integer_value(json_object_get(item, "token"));
        if (name && strcmp(name, wanted) == 0 && json_is_null(json_object_get(item, "revoked_at")))
            named = its;
        if (is_number && (uint64_t)its == number)
            id = its;
    }
    json_decref(answer);
    id = named ? named : id;
    char text[24];
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, id);
    ret->len = 0;
    return (id || failure_set(fail, EXIT_USAGE, "there is no token %s; see dfotactl token list", wanted)) &&
           client_path_add(ret, "tokens", fail) && client_path_add(ret, text, fail);
}

/* Prints only the secret on standard output, so that a redirection writes a file for --token-file. */
static bool send_for_secret(struct session *session, struct client_path *path, const json_t *body,
                            struct failure *fail)
{
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if ((by && !client_path_query(path, "by", by, fail)) ||
        !client_change(session->client, "POST", path->text, body, &answer, fail))
        return false;
    const char *secret = json_string_value(json_object_get(answer.json, "secret"));
    bool ok = secret || failure_set(fail, EXIT_UNREACHABLE, "the answer of the server has no token");
    if (ok && session->json)
        session_print_json(answer.json);
    else if (ok)
        puts(secret);
    if (ok)
        session_note("the server shows this token only once: keep it in a file that only its user can read");
    client_answer_clear(&answer);
    return ok;
}

static bool put_expiry(const struct session *session, json_t *body)
{
    return !session->options->expires_ms ||
           json_object_set_new(body, "expires_at", json_integer(session->options->expires_ms)) == 0;
}

bool token_add(struct session *session, struct failure *fail)
{
    struct client_path path = {.len = 0};
    json_t *body = json_pack("{s:s, s:s, s:s*}", "name", session->args[0], "scope", session->options->scope,
                             "product", session->options->product);
    bool ok = session_check_json(body, fail) && put_expiry(session, body) &&
              client_path_add(&path, "tokens", fail) && send_for_secret(session, &path, body, fail);
    json_decref(body);
    return ok;
}

bool token_list(struct session *session, struct failure *fail)
{
    return session_list(session, "/tokens", &list_view, fail);
}

bool token_rotate(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *body = json_object();
    if (session->options->given[OPTION_OVERLAP])
        json_object_set_new(body, "overlap_ms",
                            json_integer((json_int_t)session->options->overlap_h * HOUR_MS));
    bool ok = put_expiry(session, body) && token_find(session, &path, fail) &&
              client_path_add(&path, "rotate", fail) && send_for_secret(session, &path, body, fail);
    json_decref(body);
    return ok;
}

bool token_revoke(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if (!token_find(session, &path, fail) || (by && !client_path_query(&path, "by", by, fail)) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note("the token %s is revoked, and its sessions have ended", session->args[0]);
    return true;
}
