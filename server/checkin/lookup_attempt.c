/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/lookup_attempt.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/package_format.h"
#include "server/checkin/origin.h"
#include "server/delivery/progress.h"
#include "storage/image_package.h"
#include "upgrade/full.h"

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

/* Takes the bytes that the peer of an open attempt has acknowledged up to now. */
static bool catch_up(struct daemon *daemon, struct db *db, const struct facts *facts, struct attempt *attempt,
                     bool open, struct error *err)
{
    struct catch_up news = {attempt, facts->checkin.now_ms, false};
    if (!open) {
        attempt->id = 0;
        return true;
    }
    int64_t delivered_ms = attempt->delivered_ms;
    if (attempt->state == ATTEMPT_SENDING || attempt->state == ATTEMPT_INTERRUPTED)
        transfers_poll(daemon->transfers, attempt->id, take_news, &news);
    return !news.changed || progress_store(db, attempt, delivered_ms, err);
}

static struct slot_attempt describe(const struct daemon *daemon, const struct facts *facts,
                                    const struct attempt *attempt, bool open)
{
    enum attempt_state state = open ? attempt->state : ATTEMPT_ABANDONED;
    struct version from = {.count = 0}, base = decision_base(&facts->checkin, &facts->snapshot.confirmed);
    if (open)
        version_parse(slice_of(attempt->from), &from);
    return (struct slot_attempt){
        .open = open,
        .live = open && attempt->active_ms &&
                clock_is_within(attempt->active_ms, (int64_t)daemon->config->pin_idle_ms,
                                facts->checkin.now_ms) &&
                (state == ATTEMPT_SENDING || state == ATTEMPT_INTERRUPTED || state == ATTEMPT_HANDED_OVER),
        .same_origin =
            !facts->origin[0] || !attempt->origin[0] || strcmp(facts->origin, attempt->origin) == 0,
        .fits = open && attempt->firmware_id == facts->firmware.id && base.count &&
                version_compare(&from, &base) == 0,
    };
}

static bool choose_attempt(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    const struct range *range = &facts->checkin.range;
    struct attempt pair[2];
    bool open[2] = {false, false};
    if ((facts->traces.open && !attempt_open_pair(db, facts->device.id, pair, open, err)) ||
        !catch_up(daemon, db, facts, &pair[0], open[0], err) ||
        !catch_up(daemon, db, facts, &pair[1], open[1], err))
        return false;
    struct attempt main = pair[0], beside = pair[1];
    bool main_open = open[0], beside_open = open[1];
    /* Without evidence of a higher grade, the attempt beside is as good as the main one. */
    if (!main_open && beside_open && facts->device.confirmed_grade <= GRADE_UNAUTHENTICATED) {
        if (!attempt_promote(db, &beside, err))
            return false;
        main = beside;
        main_open = true;
        beside_open = false;
    }
    const struct slot_question question = {
        .lower = facts_are_lower(facts),
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

/* The campaign that the attempt was begun for may have been cancelled, or lead to another version now. No other campaign
   leads the device to the target of the attempt. */
static bool find_stop(struct db *db, struct facts *facts, struct error *err)
{
    const struct attempt *attempt = &facts->attempt;
    struct campaign campaign;
    bool found;
    if (!attempt->campaign_id || strcmp(attempt->target, facts->firmware.target) == 0)
        return true;
    if (!campaign_by_id(db, attempt->campaign_id, &campaign, &found, err))
        return false;
    if (!found || campaign.finish_transfers)
        return true;
    if (campaign.state == CAMPAIGN_CANCELLED || strcmp(attempt->target, campaign.target) != 0)
        snprintf(facts->snapshot.attempt_stopped_by, sizeof facts->snapshot.attempt_stopped_by, "%s",
                 campaign.name);
    return true;
}

/* Whether the bytes of the attempt are a package that may still be sent. */
static bool look_at_pinned(struct db *db, struct facts *facts, struct error *err)
{
    const struct attempt *attempt = &facts->attempt;
    int64_t uncounted = 0;
    bool ready, led_to;
    if (!package_is_servable(db, &attempt->package_sha256, attempt->firmware_id, &ready, &uncounted, err) ||
        !image_package_is_servable(db, attempt->firmware_id, attempt->to, &attempt->package_sha256, &led_to,
                                   err))
        return false;
    facts->snapshot.pinned_uncounted = (uint64_t)uncounted;
    facts->snapshot.pinned_servable = ready && led_to;
    return true;
}

bool lookup_attempt(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct attempt *attempt = &facts->attempt;
    if (!choose_attempt(daemon, db, facts, err))
        return false;
    if (!known->attempt_open)
        return true;
    if (!find_stop(db, facts, err))
        return false;
    known->attempt_state = attempt->state;
    version_parse(slice_of(attempt->from), &known->attempt_from);
    version_parse(slice_of(attempt->to), &known->attempt_to);
    version_parse(slice_of(attempt->target), &known->attempt_target);
    known->attempt_same_firmware = attempt->firmware_id == facts->firmware.id;
    known->attempt_by_link = facts->link.id && attempt->link_id == facts->link.id;
    known->attempt_active_ms = attempt->active_ms;
    known->pinned_size = (uint64_t)attempt->size_bytes;
    snprintf(known->pinned_released_by, sizeof known->pinned_released_by, "%s", attempt->released_by);
    known->pinned_full = strcmp(attempt->format, FULL_FORMAT) == 0;
    if (attempt->size_bytes && known->pinned_full) {
        if (!image_full_is_servable(db, attempt->firmware_id, &attempt->package_sha256,
                                    &known->pinned_servable, err))
            return false;
        if (known->pinned_servable || !firmware_takes_full_packages(&facts->firmware))
            return true;
        known->pinned_full = false;
        known->pinned_whole = true;
        known->max_package_bytes = PACKAGE_FORMAT_EC618_FULL_MAX;
    } else if (!attempt->size_bytes || strcmp(attempt->format, facts->firmware.format) != 0) {
        return true;
    }
    return look_at_pinned(db, facts, err);
}
