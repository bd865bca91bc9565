/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl webhook add, list, show, set, delete, test */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"
#include "ctl/command.h"
#include "ctl/input.h"
#include "ctl/webhook.h"

#define FILE_MAX 8192 /* more than the server takes of a secret or a template */

static const struct table_column list_columns[] = {
    {"#", "webhook", TABLE_NUMBER},     {"NAME", "name", TABLE_TEXT},
    {"KINDS", "kinds", TABLE_TEXT},     {"PRODUCT", "product", TABLE_TEXT},
    {"ENABLED", "enabled", TABLE_TEXT}, {"WAITING", "waiting", TABLE_NUMBER},
    {"FAILED", "failed", TABLE_NUMBER}, {"URL", "url", TABLE_TEXT},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), NULL, NULL};

static const struct table_column page_columns[] = {
    {"Webhook", "webhook", TABLE_NUMBER},
    {"Name", "name", TABLE_TEXT},
    {"URL", "url", TABLE_TEXT},
    {"Product", "product", TABLE_TEXT},
    {"Kinds", "kinds", TABLE_TEXT},
    {"Signed", "signed", TABLE_TEXT},
    {"Template", "template", TABLE_TEXT},
    {"Enabled", "enabled", TABLE_TEXT},
    {"Events waiting", "waiting", TABLE_NUMBER},
    {"Events not delivered", "failed", TABLE_NUMBER},
    {"Events removed from that list", "lost", TABLE_NUMBER},
    {"Created", "created_at", TABLE_TIME},
    {"Created by", "created_by", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), NULL, NULL};

static const struct table_column test_columns[] = {
    {"Delivered", "delivered", TABLE_TEXT},
    {"Status", "status", TABLE_NUMBER},
    {"Took", "took_ms", TABLE_DURATION},
};
static const struct table_view test_view = {test_columns, TABLE_COUNT(test_columns), NULL, NULL};

/* For people: a list as one text. */
static void join_kinds(json_t *webhook)
{
    char text[400] = "all";
    size_t i, used = 0;
    const json_t *kind;
    json_array_foreach (json_object_get(webhook, "kinds"), i, kind)
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "",
                                     json_string_value(kind) ? json_string_value(kind) : "?");
    json_object_set_new(webhook, "kinds", json_string(text));
}

static void print_webhook(const struct session *session, json_t *webhook)
{
    if (!session->json)
        join_kinds(webhook);
    session_print_page(session, webhook, &page_view);
}

bool webhook_find(struct session *session, struct client_path *ret, struct failure *fail)
{
    const char *wanted = session->args[0];
    json_t *answer = NULL, *item;
    size_t i;
    json_int_t id = 0;
    uint64_t number = 0;
    if (!client_get(session->client, "/webhooks", &answer, fail))
        return false;
    bool is_number = slice_u64(slice_of(wanted), &number);
    json_array_foreach (json_object_get(answer, "items"), i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        json_int_t its = json_integer_value(json_object_get(item, "webhook"));
        bool is_named = name && strcmp(name, wanted) == 0; /* before another one's number */
        if (is_named || (!id && is_number && (uint64_t)its == number))
            id = its;
    }
    json_decref(answer);
    char text[24];
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, id);
    ret->len = 0;
    return (id ||
            failure_set(fail, EXIT_USAGE, "there is no webhook %s; see dfotactl webhook list", wanted)) &&
           client_path_add(ret, "webhooks", fail) && client_path_add(ret, text, fail);
}

/* The text of a file without the end of its last line, at most FILE_MAX bytes; NULL fails. The caller's (free). */
static char *read_file(const char *path, struct failure *fail)
{
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(path, &file, fail))
        return NULL;
    char *text = calloc(1, FILE_MAX + 1);
    size_t len = text ? fread(text, 1, FILE_MAX, file) : 0;
    if (!text || ferror(file)) {
        failure_set(fail, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
        free(text);
        return NULL;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    return text;
}

/* "none" takes it away. */
static bool put_file(const char *path, const char *field, json_t *body, struct failure *fail)
{
    if (!path)
        return true;
    if (strcmp(path, "none") == 0)
        return json_object_set_new(body, field, json_null()) == 0;
    char *text = read_file(path, fail);
    if (!text)
        return false;
    json_t *value = json_string(text);
    explicit_bzero(text, strlen(text));
    free(text);
    if (!value)
        return failure_set(fail, EXIT_USAGE, "%s is no UTF-8", path);
    return json_object_set_new(body, field, value) == 0;
}

static void put_kinds(const struct session *session, json_t *body)
{
    struct slice rest = {NULL, 0}, kind;
    const char *text = session->options->kinds;
    if (!text)
        return;
    json_t *kinds = json_array();
    if (strcmp(text, "all") != 0)
        rest = slice_of(text);
    while (rest.ptr && slice_split(&rest, ',', &kind))
        json_array_append_new(kinds, json_stringn(kind.ptr, kind.len));
    json_object_set_new(body, "kinds", kinds);
}

static bool put_options(const struct session *session, json_t *body, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    if (options->enabled)
        json_object_set_new(body, "enabled", json_boolean(options->enabled[0] == 'y'));
    put_kinds(session, body);
    return put_file(options->secret_file, "secret", body, fail) &&
           put_file(options->template_file, "template", body, fail);
}

static bool send_change(struct session *session, const char *method, struct client_path *path,
                        const json_t *body, struct failure *fail)
{
    struct client_answer answer = {0};
    const char *by = session->options->by;
    if ((by && !client_path_query(path, "by", by, fail)) ||
        !client_change(session->client, method, path->text, body, &answer, fail))
        return false;
    if (answer.json)
        print_webhook(session, answer.json);
    client_answer_clear(&answer);
    return true;
}

bool webhook_add(struct session *session, struct failure *fail)
{
    struct client_path path = {.len = 0};
    json_t *body = json_pack("{s:s, s:s, s:s*}", "name", session->args[0], "url", session->args[1], "product",
                             session->options->product);
    bool ok = session_check_json(body, fail) && put_options(session, body, fail) &&
              client_path_add(&path, "webhooks", fail) && send_change(session, "POST", &path, body, fail);
    json_decref(body);
    return ok;
}

bool webhook_set(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *body =
        json_pack("{s:s*, s:s*}", "name", session->options->new_name, "url", session->options->new_url);
    bool ok = session_check_json(body, fail) && put_options(session, body, fail) &&
              (json_object_size(body) > 0 ||
               failure_set(fail, EXIT_USAGE, "there is nothing to change: give an option")) &&
              webhook_find(session, &path, fail) && send_change(session, "PATCH", &path, body, fail);
    json_decref(body);
    return ok;
}

bool webhook_delete(struct session *session, struct failure *fail)
{
    struct client_path path;
    if (!webhook_find(session, &path, fail) || !send_change(session, "DELETE", &path, NULL, fail))
        return false;
    session_note("the webhook %s and the events that waited for it are removed", session->args[0]);
    return true;
}

bool webhook_list(struct session *session, struct failure *fail)
{
    json_t *answer = NULL, *item;
    size_t i;
    if (!session_fetch_pages(session, "/webhooks", &answer, fail))
        return false;
    json_array_foreach (json_object_get(answer, "items"), i, item)
        if (!session->json)
            join_kinds(item);
    bool ok = session_print_list(session, answer, &list_view, fail);
    json_decref(answer);
    return ok;
}

bool webhook_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *webhook = NULL;
    if (!webhook_find(session, &path, fail) || !client_get(session->client, path.text, &webhook, fail))
        return false;
    print_webhook(session, webhook);
    json_decref(webhook);
    return true;
}

bool webhook_test(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!webhook_find(session, &path, fail) || !client_path_add(&path, "test", fail) ||
        !client_change(session->client, "POST", path.text, NULL, &answer, fail))
        return false;
    bool delivered = json_is_true(json_object_get(answer.json, "delivered"));
    const char *error = json_string_value(json_object_get(answer.json, "error"));
    session_print_page(session, answer.json, &test_view);
    if (!delivered)
        failure_set(fail, EXIT_REFUSED, "the test was not delivered: %s",
                    error ? error : "no reason is known");
    client_answer_clear(&answer);
    return delivered;
}
