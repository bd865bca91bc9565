/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/lookup.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/package_format.h"
#include "server/checkin/base_build.h"
#include "server/checkin/counters.h"
#include "server/checkin/lookup_allowance.h"
#include "server/checkin/lookup_attempt.h"
#include "server/checkin/origin.h"
#include "server/checkin/client_secret.h"
#include "server/checkin/trial.h"
#include "storage/guard.h"
#include "upgrade/name_dialect.h"

/* The sender */

/* A reader decides only what changes nothing: a device that is told again that it is up to date. Without this check each
   other request would be looked up twice. */
static bool may_change(struct db *db, const struct facts *facts, struct error *err)
{
    bool is_idle = facts->snapshot.device_known && facts->device.last_code == answer_code(ANSWER_UP_TO_DATE);
    return !db_is_reader(db) || is_idle ||
           error_set(err, ERROR_UNAVAILABLE, "the writer decides about this device");
}

static bool load_named(struct daemon *daemon, struct db *db, const struct client_identity *client,
                       struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    known->id_usable = client->id_usable;
    known->firmware_named = client->firmware[0];
    if (!product_find(db, client->product_key, &facts->product, &known->product_known, err))
        return false;
    if (known->product_known && known->id_usable &&
        !device_find(db, facts->product.id, &client->identity, &facts->device, &known->device_known, err))
        return false;
    if (!may_change(db, facts, err))
        return false;
    if (!client_secret_check(db, client, facts, err))
        return false;
    if (!known->product_known || known->secret != SECRET_FINE)
        return true;
    if (!firmware_find(db, facts->product.id, client->firmware, &facts->firmware, &known->firmware_known,
                       err) ||
        (!known->firmware_known &&
         !firmware_is_anywhere(db, client->firmware, &known->firmware_elsewhere, err)))
        return false;
    if (known->device_known)
        return true;
    known->hold_new = facts->product.unknown_devices == UNKNOWN_DEVICES_HELD;
    known->refuse_new = facts->product.unknown_devices == UNKNOWN_DEVICES_REFUSED;
    if (known->refuse_new)
        return true;
    const struct admission_place place = {facts->product.id, client->network, facts->checkin.now_ms / DAY_MS};
    if (!admission_look(db, &place, daemon->config->max_new_devices_per_day, &facts->admission,
                        &facts->admission_told, err))
        return false;
    known->admission_full = facts->admission != ADMISSION_OPEN;
    known->admission_network_full = facts->admission == ADMISSION_NETWORK_FULL;
    return true;
}

static bool load_linked(struct db *db, const struct client_identity *client, struct facts *facts,
                        struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    bool found;
    if (!link_find(db, client->token, &facts->link, &found, err))
        return false;
    known->link_unknown = !found;
    if (!found)
        return client_secret_check(db, client, facts, err);
    known->link_revoked = facts->link.revoked_ms != 0;
    known->product_known = known->id_usable = known->firmware_named = true;
    if (!device_by_id(db, facts->link.device_id, &facts->device, &known->device_known, err) ||
        !may_change(db, facts, err) ||
        !firmware_by_id(db, facts->link.firmware_id, &facts->firmware, &known->firmware_known, err) ||
        !product_by_id(db, facts->device.product_id, &facts->product, &found, err) ||
        !client_secret_check(db, client, facts, err))
        return false;
    if (known->secret != SECRET_FINE)
        return true;
    if (client->version_text[0] &&
        !name_parse_version_of(slice_of(client->version_text), facts->firmware.name, &facts->checkin.version,
                               err)) {
        err->code = ERROR_NOT_FOUND;
        return false;
    }
    return true;
}

/* The version in the request, in the form in which the target is written (see fit_core()). */
static struct version fit_to(const struct checkin *checkin, const struct version *target)
{
    const struct version *said = &checkin->version;
    struct version core = {.part = {said->part[0]}, .count = 1}, dropped;
    bool drops = name_dialect_drop_middle(said, &dropped) && target->count == dropped.count;
    if (!checkin->core_leads)
        return drops && checkin->drops_middle ? dropped : *said;
    return target->count == said->count ? *said : drops ? dropped : core;
}

/* The device as a filter sees it: with the version that it reports now, and else as it was before this request. */
static void fill_subject(const struct daemon *daemon, const struct facts *facts, const char *id,
                         struct filter_subject *subject)
{
    struct version target;
    campaign_member_subject(&facts->firmware, &facts->device, subject);
    if (!facts->device.id)
        subject->device = id;
    checkin_counters_look(daemon->counters, facts->device.id, &subject->check_ins, &subject->last_seen_ms);
    if (facts->checkin.source == CHECKIN_DIALECT && facts->checkin.version.count &&
        grade_counts(facts->grade, facts->device.confirmed_grade) &&
        version_parse(slice_of(facts->member.campaign.target), &target))
        subject->version = fit_to(&facts->checkin, &target);
}

/* Takes the target from the campaign that leads the device. */
static bool load_campaign(const struct daemon *daemon, struct db *db, const char *id, struct facts *facts,
                          struct error *err)
{
    struct filter_subject subject;
    int64_t member_id = facts->traces.in_campaign ? facts->device.id : 0;
    if (!campaign_member_find(db, facts->firmware.id, member_id, &facts->member, err))
        return false;
    fill_subject(daemon, facts, id, &subject);
    if (!campaign_member_choose(db, &subject, facts->checkin.now_ms, &facts->member, err))
        return false;
    memcpy(facts->firmware.target, facts->member.campaign.target, sizeof facts->firmware.target);
    campaign_member_fill(&facts->member, &facts->snapshot);
    return true;
}

/* The way to the target */

/* The image of a base without a plan: the base is at or above the target, or there is no target. */
static bool look_for_base(struct db *db, struct facts *facts, const char *base, struct error *err)
{
    return image_find_build(db, facts->firmware.id, base, base_build_hash(facts), &facts->planned.base,
                            &facts->snapshot.base_known, err);
}

/* Whether the base is missing, or has builds of which none is chosen. */
static bool look_for_builds(struct db *db, struct facts *facts, const char *base, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    char builds[BUILDS_SIZE];
    size_t count;
    if (known->base_known)
        return true;
    if (!image_builds(db, facts->firmware.id, base, builds, &count, err))
        return false;
    if (count > 1)
        snprintf(known->base_builds, sizeof known->base_builds, "%s", builds);
    return true;
}

static void take_package(const struct facts *facts, struct snapshot *known)
{
    const struct planned *planned = &facts->planned;
    known->attempt_other_package = known->attempt_open && planned->package_found &&
                                   !sha256_equal(&facts->attempt.package_sha256, &planned->package.sha256);
    known->package = planned->full            ? PACKAGE_READY
                     : planned->package_found ? package_state(&planned->package)
                                              : PACKAGE_NONE;
    known->package_size = (uint64_t)planned->package.size_bytes;
    known->package_uncounted = (uint64_t)planned->package.uncounted_bytes;
    snprintf(known->package_released_by, sizeof known->package_released_by, "%s",
             planned->package.released_by);
    snprintf(known->package_error, sizeof known->package_error, "%.*s", (int)sizeof known->package_error - 1,
             planned->package.error);
    snprintf(known->package_quarantine, sizeof known->package_quarantine, "%.*s",
             (int)sizeof known->package_quarantine - 1, planned->package.quarantine);
}

static bool load_way(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct planned *planned = &facts->planned;
    const struct planned *found;
    char base[VERSION_TEXT_SIZE];
    known->base = decision_base(&facts->checkin, &known->confirmed);
    known->downgrades = facts->firmware.downgrades;
    if (!known->base.count)
        return true;
    version_format(&known->base, base);
    if (!base_build_choose(db, facts, base, err))
        return false;
    int order = version_compare(&known->base, &known->target);
    if (!known->target.count || order == 0 || (order > 0 && !known->downgrades))
        return look_for_base(db, facts, base, err);
    if (db_is_reader(db)) /* plans are in the writer's memory */
        return error_set(err, ERROR_UNAVAILABLE, "the writer decides about this device");
    if (!plan_cache_find(daemon, db, &facts->firmware, &known->base, base_build_hash(facts), &found, err))
        return false;
    *planned = *found;
    known->base_known = planned->base.id || planned->outcome != PLAN_NONE;
    known->base_full = planned->outcome == PLAN_NONE && planned->base.id && image_is_full(&planned->base) &&
                       !planned->target_full;
    memcpy(known->target_core, planned->core, sizeof known->target_core);
    known->package_full = planned->full || planned->whole;
    known->package_whole = planned->whole;
    if (planned->whole)
        known->max_package_bytes = PACKAGE_FORMAT_EC618_FULL_MAX;
    known->plan = planned->outcome;
    known->pairs_unasked = planned->unasked_count > 0;
    memcpy(known->plan_reason, planned->reason, sizeof known->plan_reason);
    version_parse(slice_of(planned->hop.version), &known->hop);
    take_package(facts, known);
    return look_for_builds(db, facts, base, err) && trial_look(db, daemon->config, facts, err);
}

static bool load_counts(struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct link_deliveries deliveries;
    char base[VERSION_TEXT_SIZE];
    int64_t completed = 0, now_ms = facts->checkin.now_ms;
    if (!known->base.count)
        return true;
    version_format(&known->base, base);
    const struct attempt_filter day = {base, facts->planned.hop.version, now_ms - DAY_MS, now_ms};
    if (facts->guard.begun > 0 && !attempt_count_completed(db, facts->device.id, &day, &completed, err))
        return false;
    known->hops_completed = (unsigned)completed;
    if (known->shared) {
        int64_t begun; /* from this version only: packages of the other module do not count */
        if (!said_begun_from(db, facts->device.id, base, now_ms - DAY_MS, now_ms, &begun, err))
            return false;
        known->begun_last_day = (unsigned)begun;
    }
    /* turnkey_fota gives such a link to anyone who asks: fetches of strangers must not use up the
       device's offers. The device asks for the link each time, and the loop guard still counts. */
    if (!facts->link.id || (facts->link.handed_out && facts_are_lower(facts)))
        return true;
    /* A report restarts the count: the outcome of earlier deliveries is known then. */
    const struct attempt_filter since = {base, facts->firmware.target, facts->device.confirmed_ms, now_ms};
    if (!attempt_link_deliveries(db, facts->link.id, &since, &deliveries, err))
        return false;
    known->link_deliveries = (unsigned)deliveries.count;
    known->link_delivered_ms = deliveries.last_ms;
    return true;
}

/* How much the request proves, and its origin. */
static void judge_asker(const struct client_identity *client, struct facts *facts)
{
    int64_t trusted_ms = facts->product.check_ins_trusted_ms;
    bool is_link = facts->checkin.source == CHECKIN_LINK;
    facts->grade =
        is_link ? grade_of_link(facts->link.handed_out, trusted_ms && facts->link.created_ms >= trusted_ms)
                : grade_of_check_in(trusted_ms);
    facts->grade = grade_with_secret(facts->grade, facts->secret.kind);
    memcpy(facts->peer, client->origin, sizeof facts->peer);
    if (is_link && !facts->link.handed_out)
        memcpy(facts->origin, ORIGIN_LINK, sizeof ORIGIN_LINK);
    else if (!trusted_ms && facts->secret.kind != SECRET_OF_DEVICE)
        memcpy(facts->origin, client->origin, sizeof facts->origin);
    memcpy(facts->guard.origin, facts->origin, sizeof facts->guard.origin); /* for a new device */
    facts->snapshot.grade = facts->grade;
    facts->snapshot.confirmed_grade = facts->device.confirmed_grade;
}

static bool load_guard(struct db *db, struct facts *facts, struct error *err)
{
    if (!facts->traces.guarded) /* then it keeps the origin of this request */
        return true;
    if (!guard_load(db, facts->device.id, facts->origin, facts->checkin.now_ms - DAY_MS,
                    facts->checkin.now_ms, &facts->guard, err))
        return false;
    facts->snapshot.begun_last_day = (unsigned)facts->guard.begun;
    facts->snapshot.blocked = facts->device.blocked && facts->guard.closed;
    return true;
}

static bool has_image(struct db *db, const struct facts *facts, const struct version *version, bool *ret,
                      struct error *err)
{
    char text[VERSION_TEXT_SIZE];
    char builds[BUILDS_SIZE];
    size_t count;
    version_format(version, text);
    if (!image_builds(db, facts->firmware.id, text, builds, &count, err))
        return false;
    *ret = count > 0;
    return true;
}

/* A module sends its core and its script. The version gets the form in which the firmware's images are
   named: CORE, CORE.x.z or CORE.x.y.z, the form of the target, or without a target the form of an image
   that exists. */
static bool fit_core(struct db *db, struct facts *facts, struct error *err)
{
    const struct version said = facts->checkin.version;
    struct version forms[] = {{.part = {said.part[0]}, .count = 1}, said, {.count = 0}};
    const struct version *target = &facts->snapshot.target;
    if (!name_dialect_drop_middle(&said, &forms[2]))
        forms[2] = said;
    facts->checkin.version = forms[0];
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        bool fits = target->count == forms[i].count;
        if (!target->count && !has_image(db, facts, &forms[i], &fits, err))
            return false;
        if (fits) {
            facts->checkin.version = forms[i];
            return true;
        }
    }
    return true;
}

/* Compares the words of this request with those before: two modules may use the same id. */
static bool load_said(struct db *db, const struct client_identity *client, struct facts *facts,
                      struct error *err)
{
    struct said *said = &facts->said;
    *said = facts->traces.said;
    char version[VERSION_TEXT_SIZE] = "";
    bool delivered = false;
    if (facts->checkin.source == CHECKIN_DIALECT && client->id_usable) {
        bool shared = said->shared_ms;
        if (facts->checkin.version.count)
            version_format(&facts->checkin.version, version);
        if (said->before[0] && strcmp(said->before, version) == 0 &&
            !said_delivered_since(db, facts->device.id, said->before_ms, facts->checkin.now_ms, &delivered,
                                  err))
            return false;
        facts->said_changed = said_take(said, said_form(&client->identity, client->id_raw), version,
                                        delivered, facts->checkin.now_ms);
        facts->newly_shared = !shared && said->shared_ms;
    }
    facts->snapshot.shared = said->shared_ms;
    return true;
}

/* What is known of a device that has been here before. */
static bool load_device(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    facts->clamped = device_clamp(&facts->device, facts->checkin.now_ms);
    known->held = facts->device.state == DEVICE_HELD;
    known->retired = facts->device.state == DEVICE_RETIRED;
    known->held_out = facts->device.held_out_ms;
    if (!load_guard(db, facts, err))
        return false;
    if (facts->device.firmware_id == facts->firmware.id)
        version_parse(slice_of(facts->device.confirmed_version), &known->confirmed);
    return lookup_attempt(daemon, db, facts, err);
}

bool lookup_load(struct daemon *daemon, struct db *db, const struct client_identity *client,
                 const struct checkin *checkin, bool stops_at_change, struct facts *ret, struct error *err)
{
    struct snapshot *known = &ret->snapshot;
    memset(ret, 0, sizeof *ret);
    ret->by_proxy = client->by_proxy;
    ret->checkin = *checkin;
    if (!(checkin->source == CHECKIN_LINK ? load_linked(db, client, ret, err)
                                          : load_named(daemon, db, client, ret, err)))
        return false;
    if (!known->firmware_known)
        return true;
    if (known->device_known && !traces_of(db, ret->device.id, &ret->traces, err))
        return false;
    if (!product_clamp_trusted(db, &ret->product, checkin->now_ms, err))
        return false;
    judge_asker(client, ret);
    if (!load_campaign(daemon, db, client->identity.id, ret, err))
        return false;
    known->format_set = ret->firmware.format[0];
    known->max_package_bytes = (uint64_t)ret->firmware.max_package_bytes;
    version_parse(slice_of(ret->firmware.target), &known->target);
    known->no_address = !daemon->device_url[0];
    ret->named = ret->checkin.version;
    if (checkin->core_leads && !fit_core(db, ret, err))
        return false;
    if (checkin->drops_middle && known->target.count == 3)
        name_dialect_drop_middle(&ret->checkin.version, &ret->checkin.version);
    if (!load_said(db, client, ret, err))
        return false;
    if (stops_at_change && ret->said_changed)
        return error_set(err, ERROR_UNAVAILABLE, "the check-in changes what is stored");
    if (known->device_known && !load_device(daemon, db, ret, err))
        return false;
    return load_way(daemon, db, ret, err) && (!known->device_known || load_counts(db, ret, err)) &&
           lookup_allowance(daemon, db, ret, err);
}

bool lookup_device(struct daemon *daemon, struct db *db, const struct device *device,
                   const struct firmware *firmware, int64_t now_ms, struct facts *ret, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    ret->checkin = (struct checkin){.source = CHECKIN_LINK, .now_ms = now_ms};
    ret->device = *device;
    ret->firmware = *firmware;
    device_clamp(&ret->device, now_ms);
    ret->snapshot.device_known = ret->snapshot.firmware_known = true;
    if (device->firmware_id == firmware->id)
        version_parse(slice_of(device->confirmed_version), &ret->snapshot.confirmed);
    return traces_of(db, device->id, &ret->traces, err) && load_campaign(daemon, db, "", ret, err) &&
           lookup_attempt(daemon, db, ret, err);
}
