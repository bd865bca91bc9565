/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/lookup.h"

#include <stdio.h>

#include "base/clock.h"
#include "server/core/log.h"
#include "server/planning/request.h"
#include "server/checkin/origin.h"
#include "server/delivery/progress.h"
#include "upgrade/full.h"

#define DAY_MS (24LL * 3600 * 1000)

/* Who asks */

static bool load_named(struct daemon *daemon, struct db *db, const struct client_identity *client,
                       struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    known->id_usable = client->id_usable;
    known->firmware_named = client->firmware[0];
    if (!product_find(db, client->product_key, &facts->product, &known->product_known, err))
        return false;
    if (!known->product_known)
        return true;
    if (known->id_usable &&
        !device_find(db, facts->product.id, &client->identity, &facts->device, &known->device_known, err))
        return false;
    if (!firmware_find(db, facts->product.id, client->firmware, &facts->firmware, &known->firmware_known,
                       err) ||
        (!known->firmware_known &&
         !firmware_is_anywhere(db, client->firmware, &known->firmware_elsewhere, err)))
        return false;
    if (known->device_known)
        return true;
    if (!admission_look(db, facts->product.id, client->network, facts->checkin.now_ms / DAY_MS,
                        daemon->config.max_new_devices_per_day, &facts->admission, &facts->admission_told,
                        err))
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
        return true;
    known->link_revoked = facts->link.revoked_ms != 0;
    known->product_known = known->id_usable = known->firmware_named = true;
    if (!device_by_id(db, facts->link.device_id, &facts->device, &known->device_known, err) ||
        !firmware_by_id(db, facts->link.firmware_id, &facts->firmware, &known->firmware_known, err) ||
        !product_by_id(db, facts->device.product_id, &facts->product, &found, err))
        return false;
    if (client->version_text[0] &&
        !name_parse_version_of(slice_of(client->version_text), facts->firmware.name, &facts->checkin.version,
                               err)) {
        err->code = ERROR_NOT_FOUND;
        return false;
    }
    return true;
}

/* What is on its way to it */

struct catch_up {
    struct attempt *attempt;
    int64_t now_ms;
    bool changed;
};

static void take_news(void *cls, const struct transfer_event *event)
{
    struct catch_up *news = cls;
    if (progress_apply(news->attempt, event, news->now_ms))
        news->changed = true;
}

/* With what its peer has acknowledged up to now. */
static bool load_open(struct daemon *daemon, struct db *db, const struct facts *facts, bool beside,
                      struct attempt *attempt, bool *ret_open, struct error *err)
{
    struct catch_up news = {attempt, facts->checkin.now_ms, false};
    if (!attempt_open_of(db, facts->device.id, beside, attempt, ret_open, err))
        return false;
    if (!*ret_open) {
        attempt->id = 0;
        return true;
    }
    int64_t delivered_ms = attempt->delivered_ms;
    if (attempt_state_of(attempt) == ATTEMPT_SENDING || attempt_state_of(attempt) == ATTEMPT_INTERRUPTED)
        transfers_poll(daemon->transfers, attempt->id, take_news, &news);
    return !news.changed || progress_store(db, attempt, delivered_ms, err);
}

static struct slot_attempt describe(const struct daemon *daemon, const struct facts *facts,
                                    const struct attempt *attempt, bool open)
{
    enum attempt_state state = open ? attempt_state_of(attempt) : ATTEMPT_ABANDONED;
    struct version from = {.count = 0}, base = decision_base(&facts->checkin, &facts->snapshot.confirmed);
    if (open)
        version_parse(slice_of(attempt->from), &from);
    return (struct slot_attempt){
        .open = open,
        .live =
            open && attempt->active_ms &&
            clock_is_within(attempt->active_ms, (int64_t)daemon->config.pin_idle_ms, facts->checkin.now_ms) &&
            (state == ATTEMPT_SENDING || state == ATTEMPT_INTERRUPTED || state == ATTEMPT_HANDED_OVER),
        .same_origin =
            !facts->origin[0] || !attempt->origin[0] || strcmp(facts->origin, attempt->origin) == 0,
        .fits = open && attempt->firmware_id == facts->firmware.id && base.count &&
                version_compare(&from, &base) == 0,
    };
}

/* Anybody could have sent it, and the device has evidence of a higher grade. */
static bool is_lower(const struct facts *facts)
{
    return facts->grade == GRADE_UNAUTHENTICATED && !facts_counts(facts, facts->grade);
}

static bool choose_attempt(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    const struct range *range = &facts->checkin.range;
    struct attempt main, beside;
    bool main_open, beside_open;
    if (!load_open(daemon, db, facts, false, &main, &main_open, err) ||
        !load_open(daemon, db, facts, true, &beside, &beside_open, err))
        return false;
    /* Where the device has no better evidence than anybody's word, the one beside is as good as the main one. */
    if (!main_open && beside_open &&
        grade_parse(slice_of(facts->device.confirmed_grade)) <= GRADE_UNAUTHENTICATED) {
        if (!attempt_promote(db, &beside, err))
            return false;
        main = beside;
        main_open = true;
        beside_open = false;
    }
    const struct slot_question question = {
        .lower = is_lower(facts),
        .by_link = strcmp(facts->origin, ORIGIN_LINK) == 0,
        .continues = range->present && !range->bad && range->first > 0,
        .same_bytes = main_open && beside_open &&
                      memcmp(&main.package_sha256, &beside.package_sha256, sizeof main.package_sha256) == 0,
        .main = describe(daemon, facts, &main, main_open),
        .beside = describe(daemon, facts, &beside, beside_open),
    };
    attempt_clamp(&main, facts->checkin.now_ms);
    attempt_clamp(&beside, facts->checkin.now_ms);
    facts->slot = attempt_slot_choose(&question);
    facts->snapshot.attempt_unclear = facts->slot == SLOT_UNCLEAR;
    facts->snapshot.attempt_open = facts->slot == SLOT_MAIN     ? main_open
                                   : facts->slot == SLOT_BESIDE ? beside_open
                                                                : false;
    if (facts->snapshot.attempt_open)
        facts->attempt = facts->slot == SLOT_MAIN ? main : beside;
    if (facts->slot != SLOT_MAIN && main_open)
        facts->main = main;
    return true;
}

static bool load_attempt(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct attempt *attempt = &facts->attempt;
    if (!choose_attempt(daemon, db, facts, err))
        return false;
    if (!known->attempt_open)
        return true;
    known->attempt_state = attempt_state_of(attempt);
    version_parse(slice_of(attempt->from), &known->attempt_from);
    version_parse(slice_of(attempt->to), &known->attempt_to);
    version_parse(slice_of(attempt->target), &known->attempt_target);
    known->attempt_same_firmware = attempt->firmware_id == facts->firmware.id;
    known->attempt_by_link = facts->link.id && attempt->link_id == facts->link.id;
    known->attempt_active_ms = attempt->active_ms;
    known->pinned_size = (uint64_t)attempt->size_bytes;
    snprintf(known->pinned_released_by, sizeof known->pinned_released_by, "%s", attempt->released_by);
    known->pinned_full = strcmp(attempt->format, FULL_FORMAT) == 0;
    if (attempt->size_bytes && known->pinned_full)
        return image_full_is_servable(db, attempt->firmware_id, &attempt->package_sha256,
                                      &known->pinned_servable, err);
    if (!attempt->size_bytes || strcmp(attempt->format, facts->firmware.format) != 0)
        return true;
    struct image to;
    bool found, ready;
    if (!image_find(db, attempt->firmware_id, attempt->to, &to, &found, err) ||
        !package_is_servable(db, &attempt->package_sha256, attempt->firmware_id, &ready, err))
        return false;
    known->pinned_servable = ready && found && !to.withdrawn_ms;
    return true;
}

/* What there is for it */

/* The image of a base that nothing is planned for: at or above the target, or there is none. */
static bool look_for_base(struct db *db, struct facts *facts, const char *base, struct error *err)
{
    return image_find(db, facts->firmware.id, base, &facts->planned.base, &facts->snapshot.base_known, err);
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
    int order = version_compare(&known->base, &known->target);
    if (!known->target.count || order == 0 || (order > 0 && !known->downgrades))
        return look_for_base(db, facts, base, err);
    if (!plan_cache_find(daemon, db, &facts->firmware, &known->base, &found, err))
        return false;
    *planned = *found;
    known->base_known = planned->base.id || planned->outcome != PLAN_NONE;
    known->base_full = planned->outcome == PLAN_NONE && planned->base.id && image_is_full(&planned->base);
    memcpy(known->target_core, planned->core, sizeof known->target_core);
    known->package_full = planned->full;
    known->plan = planned->outcome;
    known->pairs_unasked = planned->unasked_count > 0;
    memcpy(known->plan_reason, planned->reason, sizeof known->plan_reason);
    version_parse(slice_of(planned->hop.version), &known->hop);
    known->package = planned->full            ? PACKAGE_READY
                     : planned->package_found ? package_state(&planned->package)
                                              : PACKAGE_NONE;
    known->package_size = (uint64_t)planned->package.size_bytes;
    snprintf(known->package_released_by, sizeof known->package_released_by, "%s",
             planned->package.released_by);
    snprintf(known->package_error, sizeof known->package_error, "%.*s", (int)sizeof known->package_error - 1,
             planned->package.error);
    return true;
}

static bool load_counts(struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct link_deliveries deliveries;
    char base[VERSION_TEXT_SIZE];
    int64_t gone = 0, now_ms = facts->checkin.now_ms;
    if (!known->base.count)
        return true;
    version_format(&known->base, base);
    if (facts->guard.begun > 0 && !attempt_count_gone(db, facts->device.id, base, facts->planned.hop.version,
                                                      now_ms - DAY_MS, now_ms, &gone, err))
        return false;
    known->hops_gone = (unsigned)gone;
    if (known->shared) {
        int64_t begun; /* of this version alone: the other module's packages do not count */
        if (!said_begun_from(db, facts->device.id, base, now_ms - DAY_MS, now_ms, &begun, err))
            return false;
        known->begun_last_day = (unsigned)begun;
    }
    /* A link that was handed out to anybody: what strangers fetched over it must not use up the device's offers.
       The device asks again where to fetch each time, and the loop guard still counts. */
    if (!facts->link.id || (facts->link.handed_out && is_lower(facts)))
        return true;
    /* A report begins the count anew: it is known then what became of what was delivered before. */
    int64_t since_ms = facts->device.confirmed_ms;
    if (!attempt_link_deliveries(db, facts->link.id, base, facts->firmware.target, since_ms, now_ms,
                                 &deliveries, err))
        return false;
    known->link_deliveries = (unsigned)deliveries.count;
    known->link_delivered_ms = deliveries.last_ms;
    return true;
}

bool facts_counts(const struct facts *facts, enum grade grade)
{
    return !facts->device.id || grade_counts(grade, grade_parse(slice_of(facts->device.confirmed_grade)));
}

/* What the request proves, and where it comes from. */
static void judge_asker(const struct client_identity *client, struct facts *facts)
{
    int64_t trusted_ms = facts->product.check_ins_trusted_ms;
    bool is_link = facts->checkin.source == CHECKIN_LINK;
    facts->grade =
        is_link ? grade_of_link(facts->link.handed_out, trusted_ms && facts->link.created_ms >= trusted_ms)
                : grade_of_check_in(trusted_ms);
    memcpy(facts->peer, client->origin, sizeof facts->peer);
    if (is_link && !facts->link.handed_out)
        memcpy(facts->origin, ORIGIN_LINK, sizeof ORIGIN_LINK);
    else if (!trusted_ms)
        memcpy(facts->origin, client->origin, sizeof facts->origin);
    memcpy(facts->guard.origin, facts->origin, sizeof facts->guard.origin); /* of a device that is new */
    facts->snapshot.grade = facts->grade;
    facts->snapshot.confirmed_grade = grade_parse(slice_of(facts->device.confirmed_grade));
}

static bool load_guard(struct db *db, struct facts *facts, struct error *err)
{
    if (!device_guard_load(db, facts->device.id, facts->origin, facts->checkin.now_ms - DAY_MS,
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
    struct image image;
    version_format(version, text);
    return image_find(db, facts->firmware.id, text, &image, ret, err);
}

/* A module that says its core and its script counts as its firmware's images are named: CORE, CORE.x.z or CORE.x.y.z, as
   the target is, or without a target as the image that there is. */
static bool fit_core(struct db *db, struct facts *facts, struct error *err)
{
    const struct version said = facts->checkin.version;
    struct version forms[] = {{.part = {said.part[0]}, .count = 1}, said, {.count = 0}};
    const struct version *target = &facts->snapshot.target;
    if (!name_drop_middle(&said, &forms[2]))
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

/* What it says now beside what it said before: two modules may come under one id. */
static bool load_said(struct db *db, const struct client_identity *client, struct facts *facts,
                      struct error *err)
{
    struct said *said = &facts->said;
    char version[VERSION_TEXT_SIZE] = "";
    bool delivered = false;
    if (facts->device.id && !said_of(db, facts->device.id, said, err))
        return false;
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

bool lookup_load(struct daemon *daemon, struct db *db, const struct client_identity *client,
                 const struct checkin *checkin, struct facts *ret, struct error *err)
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
    known->format_set = ret->firmware.format[0];
    known->max_package_bytes = (uint64_t)ret->firmware.max_package_bytes;
    version_parse(slice_of(ret->firmware.target), &known->target);
    known->no_address = !daemon->device_url[0];
    ret->named = ret->checkin.version;
    if (checkin->core_leads && !fit_core(db, ret, err))
        return false;
    if (checkin->drops_middle && known->target.count == 3)
        name_drop_middle(&ret->checkin.version, &ret->checkin.version);
    if (!product_clamp_trusted(db, &ret->product, checkin->now_ms, err))
        return false;
    judge_asker(client, ret);
    if (!load_said(db, client, ret, err))
        return false;
    if (known->device_known) {
        ret->clamped = device_clamp(&ret->device, checkin->now_ms);
        if (!load_guard(db, ret, err))
            return false;
        if (ret->device.firmware_id == ret->firmware.id)
            version_parse(slice_of(ret->device.confirmed_version), &known->confirmed);
        if (!load_attempt(daemon, db, ret, err))
            return false;
    }
    return load_way(daemon, db, ret, err) && (!known->device_known || load_counts(db, ret, err));
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
    return load_attempt(daemon, db, ret, err);
}

void facts_log(const struct facts *facts, const char *network)
{
    if (facts->tells_admission)
        log_line(
            LOG_LEVEL_WARN, "admission-full", "product", facts->product.product_key, "network",
            facts->admission == ADMISSION_NETWORK_FULL ? network : NULL, "then",
            "new devices get code 21 until the next UTC day: raise max_new_devices_per_day if they are yours",
            NULL);
}

bool facts_of_stranger(const struct facts *facts)
{
    return !facts->device.id || facts->spent;
}
