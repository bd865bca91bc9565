/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl device hold-out, let-in, tag, note, build, forget-build, retire, restore, replace, delete, admit, import */
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/input.h"

static const struct table_column import_columns[] = {
    {"Devices in the list", "devices", TABLE_NUMBER},
    {"Added", "added", TABLE_NUMBER},
    {"Changed", "changed", TABLE_NUMBER},
    {"Admitted", "admitted", TABLE_NUMBER},
    {"Firmware kept", "firmware_kept", TABLE_NUMBER},
};
static const struct table_view import_view = {import_columns, TABLE_COUNT(import_columns), NULL, NULL};

static const struct table_column item_columns[] = {
    {"LINE", "line", TABLE_NUMBER},
    {"DEVICE", "device", TABLE_TEXT},
    {"RESULT", "result", TABLE_TEXT},
    {"ADMITTED", "admitted", TABLE_TEXT},
    {"FIRMWARE KEPT", "firmware_kept", TABLE_TEXT},
};
static const struct table_view item_view = {item_columns, TABLE_COUNT(item_columns), NULL, NULL};

static const struct table_column set_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Tags", "tags", TABLE_TEXT},
    {"Note", "note", TABLE_TEXT},
};
static const struct table_view set_view = {set_columns, TABLE_COUNT(set_columns), NULL, NULL};

static const struct table_column replace_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Replaces", "replaces", TABLE_TEXT},
    {"Link", "link.url", TABLE_TEXT},
};
static const struct table_view replace_view = {replace_columns, TABLE_COUNT(replace_columns), NULL, NULL};

/* One call about a device; `action` NULL: about the device itself. Takes over body, which may be NULL. */
static bool change(struct session *session, const char *method, const char *device, const char *action,
                   json_t *body, struct client_answer *ret, struct failure *fail)
{
    const char *by = session->options->by;
    struct client_path path;
    bool ok = session_path(session, &path, fail, "devices", device, action, NULL) &&
              (!by || client_path_query(&path, "by", by, fail)) &&
              client_change(session->client, method, path.text, body, ret, fail);
    json_decref(body);
    return ok;
}

/* Takes over body. */
static bool set(struct session *session, json_t *body, const struct table_view *view, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!session_check_json(body, fail))
        return false;
    bool ok = change(session, "PATCH", session->args[0], NULL, body, &answer, fail);
    if (ok)
        session_print_page(session, answer.json, view);
    client_answer_clear(&answer);
    return ok;
}

bool device_tag(struct session *session, struct failure *fail)
{
    json_t *tags = json_array();
    bool ok = true;
    for (size_t i = 1; i < session->arg_count; i++)
        ok = json_array_append_new(tags, json_string(session->args[i])) == 0 && ok;
    json_t *body =
        ok ? json_pack("{s:O}", session->options->remove ? "remove_tags" : "add_tags", tags) : NULL;
    json_decref(tags);
    return set(session, body, &set_view, fail);
}

static const struct table_column build_columns[] = {
    {"Device", "device", TABLE_TEXT},
    {"Confirmed version", "confirmed_version", TABLE_TEXT},
    {"Build", "build_name", TABLE_TEXT},
};
static const struct table_view build_view = {build_columns, TABLE_COUNT(build_columns), NULL, NULL};

bool device_build(struct session *session, struct failure *fail)
{
    return set(session, json_pack("{s:s}", "variant", session->args[1]), &build_view, fail);
}

bool device_forget_build(struct session *session, struct failure *fail)
{
    return set(session, json_pack("{s:n}", "variant"), &build_view, fail);
}

bool device_note(struct session *session, struct failure *fail)
{
    return set(session, json_pack("{s:s}", "note", session->args[1]), &set_view, fail);
}

/* POSTs the action for each device on the command line. */
static bool act_on_each(struct session *session, const char *action, const char *done, struct failure *fail)
{
    for (size_t i = 0; i < session->arg_count; i++) {
        struct client_answer answer = {0};
        if (!change(session, "POST", session->args[i], action, NULL, &answer, fail))
            return false;
        if (session->json)
            session_print_json(answer.json);
        else
            session_note("%s is %s", session->args[i], done);
        client_answer_clear(&answer);
    }
    return true;
}

static bool set_each(struct session *session, bool held_out, const char *done, struct failure *fail)
{
    for (size_t i = 0; i < session->arg_count; i++) {
        struct client_answer answer = {0};
        if (!change(session, "PATCH", session->args[i], NULL, json_pack("{s:b}", "held_out", held_out),
                    &answer, fail))
            return false;
        if (session->json)
            session_print_json(answer.json);
        else
            session_note("%s is %s", session->args[i], done);
        client_answer_clear(&answer);
    }
    return true;
}

bool device_hold_out(struct session *session, struct failure *fail)
{
    return set_each(session, true, "held out of all campaigns", fail);
}

bool device_let_in(struct session *session, struct failure *fail)
{
    return set_each(session, false, "not held out any more", fail);
}

bool device_retire(struct session *session, struct failure *fail)
{
    return act_on_each(session, "retire", "retired: it gets no package", fail);
}

bool device_restore(struct session *session, struct failure *fail)
{
    return act_on_each(session, "restore", "active", fail);
}

bool device_admit(struct session *session, struct failure *fail)
{
    return act_on_each(session, "admit", "active", fail);
}

bool device_replace(struct session *session, struct failure *fail)
{
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:s}", "device", session->args[1]);
    if (!session_check_json(body, fail))
        return false;
    bool ok = change(session, "POST", session->args[0], "replace", body, &answer, fail);
    if (ok)
        session_print_page(session, answer.json, &replace_view);
    client_answer_clear(&answer);
    return ok;
}

bool device_delete(struct session *session, struct failure *fail)
{
    struct client_answer answer = {0};
    bool ok = change(session, "DELETE", session->args[0], NULL, NULL, &answer, fail);
    if (ok)
        session_note("%s is deleted", session->args[0]);
    client_answer_clear(&answer);
    return ok;
}

bool device_import(struct session *session, struct failure *fail)
{
    const char *name = session->args[0], *by = session->options->by;
    struct client_path path;
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(name, &file, fail) || !session_path(session, &path, fail, "devices", NULL) ||
        (by && !client_path_query(&path, "by", by, fail)))
        return false;
    struct client_call call = {
        .method = "POST", .path = path.text, .file = file, .file_type = "text/csv", .label = name};
    bool ok = client_send(session->client, &call, &answer, fail);
    ok = ok && session_print_bulk(session, answer.json, &import_view, &item_view, fail);
    client_answer_clear(&answer);
    return ok;
}
