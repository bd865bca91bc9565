/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl campaign create, start, pause, resume, cancel, approve, retarget, copy, delete */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/campaign.h"
#include "ctl/campaign_effect.h"
#include "ctl/command.h"

/* ---- a stage: 5,min=4,fail=0,silent=0,settle=1d,approve=1 ---- */

static bool refuse(const char *text, struct failure *fail)
{
    return failure_set(
        fail, EXIT_USAGE,
        "--stage takes 5, 10%% or all, then min=N, confirmed=PERCENT, fail=N, silent=N, settle=1d and "
        "approve=N, with commas, not '%s'",
        text);
}

/* 90s, 30m, 24h, 7d */
static bool read_span(struct slice text, json_int_t *ret_ms)
{
    static const char units[] = "smhd";
    static const int64_t unit_ms[] = {1000, MINUTE_MS, HOUR_MS, DAY_MS};
    uint64_t number;
    if (text.len < 2 || !slice_u64((struct slice){text.ptr, text.len - 1}, &number) || number > 100000)
        return false;
    const char *unit = memchr(units, text.ptr[text.len - 1], sizeof units - 1);
    if (unit)
        *ret_ms = (json_int_t)number * unit_ms[unit - units];
    return unit != NULL;
}

static bool read_size(struct slice text, json_t *stage)
{
    uint64_t number;
    bool percent = text.len && text.ptr[text.len - 1] == '%';
    if (slice_is(text, "all")) {
        json_object_set_new(stage, "all", json_true());
        return true;
    }
    text.len -= percent;
    if (!slice_u64(text, &number) || number > INT32_MAX)
        return false;
    json_object_set_new(stage, percent ? "percent" : "devices", json_integer((json_int_t)number));
    return true;
}

static bool read_gate(struct slice text, json_t *stage)
{
    static const char *const names[][2] = {{"min", "min_confirmed"}, {"confirmed", "confirmed_percent"},
                                           {"fail", "max_failed"},   {"silent", "max_silent"},
                                           {"settle", "settle_ms"},  {"approve", "approvals"}};
    struct slice name;
    uint64_t number;
    if (!slice_split(&text, '=', &name))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_int_t value;
        if (!slice_is(name, names[i][0]))
            continue;
        if (strcmp(names[i][0], "settle") == 0) {
            if (!read_span(text, &value))
                return false;
        } else if (slice_u64(text, &number) && number <= INT32_MAX) {
            value = (json_int_t)number;
        } else {
            return false;
        }
        json_object_set_new(stage, names[i][1], json_integer(value));
        return true;
    }
    return false;
}

static bool read_stages(const struct ctl_stages *stages, json_t **ret, struct failure *fail)
{
    *ret = stages->count ? json_array() : NULL;
    for (unsigned i = 0; i < stages->count; i++) {
        struct slice rest = slice_of(stages->text[i]), part;
        json_t *stage = json_object();
        json_array_append_new(*ret, stage);
        bool ok = slice_split(&rest, ',', &part) && read_size(part, stage);
        while (ok && rest.len && slice_split(&rest, ',', &part))
            ok = read_gate(part, stage);
        if (!ok) {
            json_decref(*ret);
            return refuse(stages->text[i], fail);
        }
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
    _cleanup_(cleanup_fclose) FILE *file = fopen(name, "re");
    if (!file)
        return failure_set(fail, EXIT_USAGE, "cannot read %s: %s", name, strerror(errno));
    struct client_call call = {.method = "PUT", .file = file, .file_type = "text/csv", .label = name};
    if (!find_path(session, "devices", &path, fail))
        return false;
    call.path = path.text;
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    if (!session->json)
        session_note("%lld devices, %lld of them are new to the server",
                     (long long)json_integer_value(json_object_get(answer.json, "devices")),
                     (long long)json_integer_value(json_object_get(answer.json, "new_devices")));
    client_answer_clear(&answer);
    return true;
}

static bool create(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    struct client_path path;
    struct client_answer answer = {0};
    json_t *stages;
    if (!read_stages(&options->stages, &stages, fail))
        return false;
    json_t *body =
        json_pack("{s:s, s:s, s:o*, s:b, s:b}", "name", session->args[1], "target", session->args[2],
                  "stages", stages, "pause_when_done", options->pause_when_done, "finish_transfers",
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

/* Takes over body. */
static bool act(struct session *session, const char *verb, json_t *body, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    bool ok = find_path(session, verb, &path, fail) &&
              client_change(session->client, "POST", path.text, body, &answer, fail);
    json_decref(body);
    if (ok)
        campaign_print(session, answer.json);
    client_answer_clear(&answer);
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

/* An approval has a name: --by, DFOTA_BY, or the name of the user. */
bool campaign_approve(struct session *session, struct failure *fail)
{
    struct ctl_options options = *session->options;
    struct session named = *session;
    const char *by = getenv("DFOTA_BY");
    const struct passwd *user = getpwuid(getuid());
    if (!options.by && !(by && by[0]))
        options.by = user ? user->pw_name : "";
    named.options = &options;
    bool ok = act(&named, "approve", NULL, fail);
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
