/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl campaign create, start, pause, resume, cancel, approve, retarget, copy, delete */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/campaign.h"
#include "ctl/campaign_effect.h"
#include "ctl/command.h"
#include "ctl/input.h"
#include "upgrade/stage_option.h"

/* ---- stages ---- */

static json_t *stage_to_json(const struct stage_option *option)
{
    json_t *stage = json_object();
    for (size_t i = 0; i < option->count; i++) {
        const struct stage_option_field *field = &option->field[i];
        json_object_set_new(stage, field->name,
                            strcmp(field->name, "all") == 0 ? json_true() : json_integer(field->value));
    }
    return stage;
}

static bool read_stages(const struct ctl_stages *stages, json_t **ret, struct failure *fail)
{
    struct stage_option option;
    *ret = stages->count ? json_array() : NULL;
    for (unsigned i = 0; i < stages->count; i++) {
        if (!stage_option_read(slice_of(stages->text[i]), &option)) {
            json_decref(*ret);
            return failure_set(fail, EXIT_USAGE, "--stage takes %s, not '%s'", STAGE_OPTION_HELP,
                               stages->text[i]);
        }
        json_array_append_new(*ret, stage_to_json(&option));
    }
    return true;
}

/* ---- create ---- */

static bool find_path(struct session *session, const char *verb, struct client_path *ret,
                      struct failure *fail)
{
    const char *by = session->options->by;
    return session_path(session, ret, fail, "firmware", session->args[0], "campaigns", session->args[1], verb,
                        NULL) &&
           (!by || client_path_query(ret, "by", by, fail));
}

static bool send_devices(struct session *session, const char *name, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    struct client_call call = {.method = "PUT", .file_type = "text/csv", .label = name};
    if (!input_open(name, &file, fail) || !find_path(session, "devices", &path, fail))
        return false;
    call.path = path.text;
    call.file = file;
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    if (!session->json)
        session_note("%lld devices, %lld of them are new to the server",
                     (long long)json_integer_value(json_object_get(answer.json, "devices")),
                     (long long)json_integer_value(json_object_get(answer.json, "new_devices")));
    client_answer_clear(&answer);
    return true;
}

/* Which devices a filter leads is another question when it is frozen: a person must say it. */
static bool check_audience(const struct ctl_options *options, struct failure *fail)
{
    if (options->filter && options->devices)
        return failure_set(fail, EXIT_USAGE, "--filter and --devices cannot be used together");
    if (options->filter && options->frozen == options->dynamic)
        return failure_set(fail, EXIT_USAGE,
                           "--filter needs either --frozen (the start fixes the devices) or --dynamic (the "
                           "filter is asked at each check-in)");
    return options->filter || (!options->frozen && !options->dynamic) ||
           failure_set(fail, EXIT_USAGE, "--frozen and --dynamic belong to --filter");
}

static bool create(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    struct client_path path;
    struct client_answer answer = {0};
    json_t *stages;
    if (!check_audience(options, fail) || !read_stages(&options->stages, &stages, fail))
        return false;
    json_t *body = json_pack(
        "{s:s, s:s, s:s*, s:o*, s:s*, s:o*, s:b, s:b}", "name", session->args[1], "target", session->args[2],
        "filter", options->filter, "frozen", options->filter ? json_boolean(options->frozen) : NULL, "order",
        options->order, "stages", stages, "pause_when_done", options->pause_when_done, "finish_transfers",
        !options->finish_transfers || options->finish_transfers[0] == 'y');
    bool ok = session_check_json(body, fail) &&
              session_path(session, &path, fail, "firmware", session->args[0], "campaigns", NULL) &&
              (!options->by || client_path_query(&path, "by", options->by, fail)) &&
              client_change(session->client, "POST", path.text, body, &answer, fail);
    json_decref(body);
    client_answer_clear(&answer);
    return ok;
}

/* Deletes the draft: its list of devices was refused. */
static void take_back(struct session *session)
{
    struct client_path path;
    struct client_answer answer = {0};
    struct failure ignored;
    if (find_path(session, NULL, &path, &ignored) &&
        client_change(session->client, "DELETE", path.text, NULL, &answer, &ignored))
        client_answer_clear(&answer);
}

bool campaign_create(struct session *session, struct failure *fail)
{
    const char *devices = session->options->devices;
    if (!create(session, fail))
        return false;
    if (devices && !send_devices(session, devices, fail)) {
        take_back(session);
        return false;
    }
    return campaign_show(session, fail);
}

/* ---- what changes a campaign ---- */

static bool post(struct session *session, const struct client_path *path, const json_t *body,
                 struct failure *fail)
{
    struct client_answer answer = {0};
    bool ok = client_change(session->client, "POST", path->text, body, &answer, fail);
    if (ok)
        campaign_print(session, answer.json);
    client_answer_clear(&answer);
    return ok;
}

/* Takes over body. */
static bool act(struct session *session, const char *verb, json_t *body, struct failure *fail)
{
    struct client_path path;
    bool ok = find_path(session, verb, &path, fail) && post(session, &path, body, fail);
    json_decref(body);
    return ok;
}

bool campaign_start(struct session *session, struct failure *fail)
{
    struct client_path path;
    if (!session->options->dry_run)
        return act(session, "start", NULL, fail);
    return find_path(session, "start", &path, fail) &&
           campaign_effect_show(session, "POST", &path, NULL, fail);
}

bool campaign_pause(struct session *session, struct failure *fail)
{
    json_t *body = json_pack("{s:s*}", "reason", session->options->reason);
    return session_check_json(body, fail) && act(session, "pause", body, fail);
}

bool campaign_resume(struct session *session, struct failure *fail)
{
    return act(session, "resume", NULL, fail);
}

bool campaign_cancel(struct session *session, struct failure *fail)
{
    return act(session, "cancel", NULL, fail);
}

/* An approval has a name: of --by, DFOTA_BY or the profile, or the name of the user. */
bool campaign_approve(struct session *session, struct failure *fail)
{
    struct ctl_options options = *session->options;
    struct session named = *session;
    const struct passwd *user = getpwuid(getuid());
    struct client_path path;
    if (!session->by)
        options.by = user ? user->pw_name : "";
    named.options = &options;
    bool ok = find_path(&named, "approve", &path, fail) &&
              client_path_query(&path, "stage", session->args[2], fail) && post(&named, &path, NULL, fail);
    session->product = named.product;
    return ok;
}

bool campaign_retarget(struct session *session, struct failure *fail)
{
    json_t *body = json_pack("{s:s}", "target", session->args[2]);
    return session_check_json(body, fail) && act(session, "retarget", body, fail);
}

bool campaign_copy(struct session *session, struct failure *fail)
{
    json_t *body = json_pack("{s:s}", "name", session->args[2]);
    return session_check_json(body, fail) && act(session, "copy", body, fail);
}

bool campaign_delete(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!find_path(session, NULL, &path, fail) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note("campaign %s is deleted", session->args[1]);
    return true;
}
