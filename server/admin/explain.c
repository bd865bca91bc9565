/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device would be answered now, and each rule that leads to it: the decision of a check-in, without
   recording it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/campaign.h"
#include "server/admin/device.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"
#include "server/checkin/checkin_task.h"
#include "server/checkin/decide.h"
#include "server/checkin/lookup.h"
#include "server/checkin/origin.h"

#define ATTEMPTS_SEEN 20

struct explain {
    struct admin_call *call;
    enum asked_over over; /* the way that the query names; "": the way that the device uses */
    char firmware[FIRMWARE_NAME_SIZE],
        version[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE]; /* "": the version of the last request */
    int64_t link;                                        /* the link over which it asks; 0: none */
    struct client_identity client;
    struct checkin checkin;
    struct facts facts;
    struct decision decision;
};

static bool find_device(struct explain *explain, struct db *db, struct error *err)
{
    char text[IDENTITY_SIZE + 8];
    bool found;
    if (!path_params_product(explain->call->request, db, &explain->facts.product, err) ||
        !request_query(explain->call->request, "device", text, sizeof text, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_BAD_REQUEST, "name the device: ?device=ID");
    if (!names_identity_in(db, explain->facts.product.id, slice_of(text), &explain->client.identity, err))
        return false;
    explain->client.id_usable = true;
    if (!device_find(db, explain->facts.product.id, &explain->client.identity, &explain->facts.device, &found,
                     err))
        return false;
    return found || error_set(err, ERROR_DEVICE_NOT_FOUND, "the product has no such device");
}

/* Like a request over this link by the module that uses it: from the version of its last request, or else
   from the version that the link was made with. */
static void ask_by_link(struct explain *explain, const struct link *link)
{
    const struct device *device = &explain->facts.device;
    bool used = device->asked_over == ASKED_OVER_LINK && device->asked_link == link->id;
    explain->checkin.source = CHECKIN_LINK;
    explain->link = link->id;
    snprintf(explain->client.token, sizeof explain->client.token, "%s", link->token);
    snprintf(explain->client.version_text, sizeof explain->client.version_text, "%s",
             explain->version[0] ? explain->version
             : used              ? device->asked_said
                                 : link->version);
}

static bool ask_by_name(struct explain *explain, struct db *db, bool turnkey, struct error *err)
{
    struct firmware firmware = {.name = ""};
    const struct device *device = &explain->facts.device;
    bool found, used = device->asked_over && device->asked_over != ASKED_OVER_LINK;
    if (!firmware_by_id(db, device->firmware_id, &firmware, &found, err))
        return false;
    explain->checkin.offer = explain->checkin.drops_middle = turnkey;
    explain->checkin.core_leads = !turnkey && !explain->version[0] && device->asked_over == ASKED_OVER_CORE;
    snprintf(explain->client.product_key, sizeof explain->client.product_key, "%s",
             explain->facts.product.product_key);
    snprintf(explain->client.firmware, sizeof explain->client.firmware, "%s",
             explain->firmware[0] ? explain->firmware
             : used               ? device->asked_firmware
                                  : firmware.name);
    if (explain->version[0])
        return name_parse_version_of(slice_of(explain->version), explain->client.firmware,
                                     &explain->checkin.version, err);
    const char *last = used                       ? device->asked_said
                       : device->asked_version[0] ? device->asked_version
                                                  : device->confirmed_version;
    version_parse(slice_of(last), &explain->checkin.version); /* no version: like a request without one */
    return true;
}

/* The newest link that an admin made and that is not revoked; if all are revoked, the newest of them. A
   link that turnkey_fota gave out does not count: such a device asks turnkey_fota. */
static const struct link *newest_link(const struct link *list, size_t count)
{
    const struct link *newest = NULL;
    for (size_t i = 0; i < count; i++)
        if (!list[i].handed_out && (!newest || (newest->revoked_ms && !list[i].revoked_ms)))
            newest = &list[i];
    return newest;
}

/* The way the device really asks: the one it used last, or else its newest link. A link that was made
   after the last used one is meant to replace it. */
static bool ask_as_it_does(struct explain *explain, struct db *db, uint64_t id, struct error *err)
{
    _cleanup_(cleanup_free) struct link *list = NULL;
    const struct device *device = &explain->facts.device;
    const struct link *link = NULL;
    enum asked_over over = explain->over;
    size_t count;
    if (!link_list(db, device->id, &list, &count, err))
        return false;
    for (size_t i = 0; id && i < count && !link; i++)
        if ((uint64_t)list[i].id == id)
            link = &list[i];
    if (id && !link)
        return error_set(err, ERROR_LINK_NOT_FOUND, "the device has no link %llu", (unsigned long long)id);
    if (!link)
        link = newest_link(list, count);
    for (size_t i = 0; !id && i < count; i++)
        if (list[i].id == device->asked_link && link && list[i].id > link->id)
            link = &list[i];
    if (!over && !id)
        over = explain->firmware[0] ? ASKED_OVER_DIALECT : device->asked_over;
    if (over && over != ASKED_OVER_LINK)
        return ask_by_name(explain, db, over == ASKED_OVER_TURNKEY, err);
    if (over == ASKED_OVER_LINK && !link)
        return error_set(err, ERROR_LINK_NOT_FOUND, "the device has no link");
    if (!link || (!over && !id && device->confirmed_by == REPORTED_BY_CHECK_IN))
        return ask_by_name(explain, db, false, err);
    ask_by_link(explain, link);
    return true;
}

static bool read_way(struct explain *explain, uint64_t *ret_link, struct error *err)
{
    const struct request *request = explain->call->request;
    char over[8] = "";
    unsigned way = ASKED_OVER_NONE;
    bool found;
    *ret_link = 0;
    if (!request_query(request, "over", over, sizeof over, &found, err) ||
        !request_query(request, "firmware", explain->firmware, sizeof explain->firmware, &found, err) ||
        !request_query(request, "version", explain->version, sizeof explain->version, &found, err) ||
        !call_query_number(request, "link", 1, INT64_MAX, ret_link, err))
        return false;
    if (!enum_find(&asked_over_names, slice_of(over), &way) || way == ASKED_OVER_CORE)
        return error_set(err, ERROR_BAD_REQUEST, "over must be dialect, turnkey or link");
    if (*ret_link && way && way != ASKED_OVER_LINK)
        return error_set(err, ERROR_BAD_REQUEST, "give either link or over=%s, not both", over);
    explain->over = (enum asked_over)way;
    return true;
}

/* Uses the origin of the newest attempt. */
static bool find_origin(struct explain *explain, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    size_t count;
    if (!attempt_list(db, explain->facts.device.id, ATTEMPTS_SEEN, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!list[i].beside && list[i].origin[0] && strcmp(list[i].origin, ORIGIN_LINK) != 0) {
            memcpy(explain->client.origin, list[i].origin, sizeof explain->client.origin);
            break;
        }
    return true;
}

/* Asks under the secret that the device used last. */
static bool find_secret(struct explain *explain, struct db *db, struct error *err)
{
    struct device_secret_use use;
    struct device_secret secret;
    if (!device_secret_used(db, explain->facts.device.id, &use, err))
        return false;
    if (!use.secret_id)
        return true;
    if (!device_secret_get(db, explain->facts.product.id, use.secret_id, &secret, err))
        return false;
    explain->client.secret_in_path = true;
    memcpy(explain->client.secret, secret.value, sizeof explain->client.secret);
    return true;
}

static bool decide(void *cls, struct db *db, struct error *err)
{
    struct explain *explain = cls;
    struct daemon *daemon = explain->call->daemon;
    struct decision_limits limits = checkin_limits(daemon->config);
    uint64_t link = 0, range = 0, core_id = UINT64_MAX;
    explain->checkin = (struct checkin){.source = CHECKIN_DIALECT, .now_ms = clock_utc_ms()};
    if (!find_device(explain, db, err) || !read_way(explain, &link, err) ||
        !call_query_number(explain->call->request, "range", 0, INT64_MAX, &range, err) ||
        !call_query_number(explain->call->request, "core_id", 0, INT32_MAX, &core_id, err) ||
        !ask_as_it_does(explain, db, link, err))
        return false;
    explain->checkin.has_core_id = core_id != UINT64_MAX;
    if (explain->checkin.has_core_id)
        explain->checkin.core_id = (int64_t)core_id;
    explain->checkin.range = (struct range){.present = range > 0, .first = range};
    struct checkin asked = explain->checkin;
    const struct device device = explain->facts.device;
    if (!find_origin(explain, db, err) || !find_secret(explain, db, err) ||
        !lookup_load(daemon, db, &explain->client, &asked, false, &explain->facts, err))
        return false;
    if (!explain->facts.device.id) /* the secret is refused */
        explain->facts.device = device;
    return checkin_decide(db, &explain->facts, &limits, &explain->decision, err);
}

static json_t *rules_to_json(const struct decision *decision)
{
    json_t *rules = json_array();
    char asks[REASON_SIZE];
    for (unsigned i = 0; i <= decision->rule; i++) {
        json_t *rule = json_pack("{s:s}", "outcome", i == decision->rule ? "answered" : "passed");
        reason_write(asks, sizeof asks, REASON(decision_rule(i)));
        reason_to_json(rule, "asks", asks);
        json_array_append_new(rules, rule);
    }
    return rules;
}

/* The image that counts as the one that the device runs. Not known: it is the default, or the only one. */
static json_t *build_to_json(const struct facts *facts)
{
    const struct image *base = &facts->planned.base;
    if (!base->id)
        return json_null();
    bool chosen = sha256_equal(&base->sha256, &facts->build.sha256);
    const char *by = !chosen                                   ? (base->is_default ? "default" : "only")
                     : facts->build.by == BUILD_BY_CORE_ID     ? "core-id"
                     : facts->build.by == BUILD_BY_ELIMINATION ? "elimination"
                                                               : "known";
    return json_pack("{s:o, s:o, s:b, s:s}", "variant", field_text(base->variant), "sha256",
                     field_hash(&base->sha256), "known", chosen && facts->build.by == BUILD_KNOWN, "by", by);
}

/* The build that the next package leads to. */
static json_t *next_to_json(const struct facts *facts)
{
    const struct image *hop = &facts->planned.hop;
    return hop->id ? json_pack("{s:s, s:o, s:o, s:b}", "version", hop->version, "variant",
                               field_text(hop->variant), "sha256", field_hash(&hop->sha256), "default",
                               (int)hop->is_default)
                   : json_null();
}

bool admin_explain(struct admin_call *call, struct error *err)
{
    struct explain explain = {.call = call};
    if (!call_change(call, decide, &explain, err))
        return false;
    const struct device *device = &explain.facts.device;
    const struct decision *decision = &explain.decision;
    char base[VERSION_TEXT_SIZE] = "";
    if (explain.facts.snapshot.base.count)
        version_format(&explain.facts.snapshot.base, base);
    char said[VERSION_TEXT_SIZE] = "";
    if (decision->claim)
        version_format(&explain.facts.checkin.version, said);
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:i, s:o, s:o}", "device",
                  device->device, "over",
                  enum_name(&asked_over_names, explain.link            ? ASKED_OVER_LINK
                                               : explain.checkin.offer ? ASKED_OVER_TURNKEY
                                                                       : ASKED_OVER_DIALECT),
                  "link", field_number(explain.link), "secret", field_number(explain.facts.secret.id),
                  "firmware", explain.facts.firmware.name, "from", field_text(base), "confirmed_version",
                  field_text(device->confirmed_version), "confirmed_grade",
                  field_text(grade_name(device->confirmed_grade)), "claim", field_text(said), "target",
                  field_text(explain.facts.firmware.target), "campaign",
                  campaign_member_to_json(&explain.facts.member, device), "held_out",
                  device->held_out_ms != 0, "code", answer_code(decision->answer), "rules",
                  rules_to_json(decision), "last_answer", device_answer_to_json(device));
    reason_to_json(json, "reason", decision->reason);
    json_object_set_new(json, "build", build_to_json(&explain.facts));
    json_object_set_new(json, "next_build", next_to_json(&explain.facts));
    reply_json(&call->reply, 200, json);
    return true;
}
