/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl secret add, list, rotate, revoke */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/input.h"

#define HOUR_MS  3600000
#define FILE_MAX 100

static const struct table_column list_columns[] = {
    {"#", "secret", TABLE_NUMBER},         {"OF", "of", TABLE_TEXT},
    {"DEVICE", "device", TABLE_TEXT},      {"STATE", "state", TABLE_TEXT},
    {"CREATED", "created_at", TABLE_TIME}, {"ENDS", "ends_at", TABLE_TIME},
    {"DEVICES", "devices", TABLE_NUMBER},  {"LAST USED", "used_at", TABLE_TIME},
    {"SECRET", "value", TABLE_TEXT},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), NULL, NULL};

/* The secrets of the product, or of the device that the first argument names. */
static bool find_list(struct session *session, struct client_path *ret, struct failure *fail)
{
    const char *device = session->args[0];
    return device ? session_path(session, ret, fail, "devices", device, "secrets", NULL)
                  : session_path(session, ret, fail, "secrets", NULL);
}

/* The secret in a file; not on the command line, where other users can see it. */
static bool put_value(const struct session *session, json_t *body, struct failure *fail)
{
    const char *path = session->options->secret_file;
    char text[FILE_MAX + 1] = "";
    if (!path)
        return true;
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(path, &file, fail))
        return false;
    size_t len = fread(text, 1, FILE_MAX, file);
    if (ferror(file))
        return failure_set(fail, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
    json_t *value = json_string(text);
    explicit_bzero(text, sizeof text);
    return (value && json_object_set_new(body, "value", value) == 0) ||
           failure_set(fail, EXIT_USAGE, "the secret in %s is not UTF-8", path);
}

/* Prints only the secret on standard output. */
static bool send_for_secret(struct session *session, struct client_path *path, const json_t *body,
                            struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_change(session->client, "POST", path->text, body, &answer, fail))
        return false;
    const char *value = json_string_value(json_object_get(answer.json, "value"));
    json_int_t number = json_integer_value(json_object_get(answer.json, "secret"));
    bool ok = value || failure_set(fail, EXIT_UNREACHABLE, "the answer of the server has no secret");
    if (ok && session->json)
        session_print_json(answer.json);
    else if (ok)
        puts(value);
    if (ok)
        session_note("secret %" JSON_INTEGER_FORMAT
                     ": put /t/ and this secret before the path of the device's URL",
                     number);
    client_answer_clear(&answer);
    return ok;
}

bool secret_add(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *body = json_object();
    bool ok = session_check_json(body, fail) && put_value(session, body, fail) &&
              find_list(session, &path, fail) && send_for_secret(session, &path, body, fail);
    json_decref(body);
    return ok;
}

bool secret_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    return find_list(session, &path, fail) && session_list(session, path.text, &list_view, fail);
}

bool secret_rotate(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *body = json_object();
    if (session->options->given[OPTION_OVERLAP])
        json_object_set_new(body, "overlap_ms",
                            json_integer((json_int_t)session->options->overlap_h * HOUR_MS));
    bool ok = session_check_json(body, fail) && put_value(session, body, fail) &&
              session_path(session, &path, fail, "secrets", session->args[0], "rotate", NULL) &&
              send_for_secret(session, &path, body, fail);
    json_decref(body);
    return ok;
}

bool secret_revoke(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!session_path(session, &path, fail, "secrets", session->args[0], NULL) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note("the secret %s is revoked", session->args[0]);
    return true;
}
