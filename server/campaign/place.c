/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/place.h"

#include <string.h>

#include "base/cleanup.h"
#include "server/campaign/life.h"
#include "storage/device.h"

struct places { /* of one device */
    struct device device;
    struct campaign_device *row;
    size_t count;
    int64_t now_ms;
};

static bool load(struct db *db, int64_t device_id, int64_t now_ms, struct places *ret, struct error *err)
{
    bool found;
    *ret = (struct places){.now_ms = now_ms};
    return device_by_id(db, device_id, &ret->device, &found, err) &&
           campaign_device_rows_of(db, device_id, &ret->row, &ret->count, err);
}

static bool is_list(const struct campaign *campaign)
{
    return campaign->audience == AUDIENCE_LIST;
}

static bool is_reached(const struct campaign *campaign, const struct campaign_device *row)
{
    return is_list(campaign) && row->rank < campaign->reach;
}

static bool is_out(const struct campaign *campaign, const struct device *device)
{
    return device->state == DEVICE_RETIRED || device->held_out_ms ||
           device->firmware_id != campaign->firmware_id;
}

/* The row no longer counts where it counted. */
static bool uncount(struct db *db, struct campaign *campaign, const struct campaign_device *row,
                    int64_t now_ms, struct error *err)
{
    if (row->outcome == OUTCOME_OUT) {
        campaign->out--;
        return true;
    }
    campaign->reached -= is_reached(campaign, row);
    if (row->admitted)
        return campaign_stage_move(db, campaign->id, (unsigned)row->stage, row->outcome, OUTCOME_OUT, 1,
                                   now_ms, err);
    campaign->ahead -= row->outcome == OUTCOME_CONFIRMED;
    return true;
}

static bool count(struct db *db, struct campaign *campaign, const struct campaign_device *row, int64_t now_ms,
                  struct error *err)
{
    if (row->outcome == OUTCOME_OUT) {
        campaign->out++;
        return true;
    }
    campaign->reached += is_reached(campaign, row);
    if (row->admitted)
        return campaign_stage_move(db, campaign->id, (unsigned)row->stage, OUTCOME_OUT, row->outcome, 1,
                                   now_ms, err);
    campaign->ahead += row->outcome == OUTCOME_CONFIRMED;
    return true;
}

/* The outcome of a device that takes the place anew. `keeps`: it goes on in the stage that the place has. */
static void begin(const struct campaign *campaign, const struct device *device, bool keeps, int64_t now_ms,
                  struct campaign_device *row)
{
    bool out = is_out(campaign, device);
    bool confirmed = !out && strcmp(device->confirmed_version, campaign->target) == 0;
    if (!out && !confirmed && !keeps)
        row->admitted = false;
    if (confirmed && !row->admitted && is_reached(campaign, row)) {
        row->admitted = true;
        row->stage = campaign->stage;
    }
    row->outcome = out             ? OUTCOME_OUT
                   : confirmed     ? OUTCOME_CONFIRMED
                   : row->admitted ? OUTCOME_ADMITTED
                                   : OUTCOME_WAITING;
    row->at_ms = row->outcome == OUTCOME_WAITING ? 0 : now_ms;
}

/* The stage may reach other devices now, and its gate may hold or break. */
static bool settle(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    struct stages stages;
    if (!campaign_is_live(campaign->state))
        return campaign_update(db, campaign, err);
    return campaign_stages_load(db, campaign->id, &stages, err) &&
           campaign_reach(db, campaign, &stages, now_ms, err) && campaign_update(db, campaign, err) &&
           campaign_evaluate(db, campaign, now_ms, err);
}

/* ---- in and out ---- */

static bool change(struct db *db, const struct places *places, struct campaign_device *row, struct error *err)
{
    struct campaign campaign;
    bool found;
    if (!campaign_by_id(db, row->campaign_id, &campaign, &found, err))
        return false;
    if (!found || !campaign_is_live(campaign.state) ||
        is_out(&campaign, &places->device) == (row->outcome == OUTCOME_OUT))
        return true;
    if (!uncount(db, &campaign, row, places->now_ms, err))
        return false;
    begin(&campaign, &places->device, false, places->now_ms, row);
    /* An open audience has no row for a device that no stage has admitted. */
    bool drops = !is_list(&campaign) && !row->admitted;
    if (!drops && !count(db, &campaign, row, places->now_ms, err))
        return false;
    return (drops ? campaign_device_drop(db, campaign.id, row->device_id, err)
                  : campaign_device_update(db, row, err)) &&
           settle(db, &campaign, places->now_ms, err);
}

bool campaign_device_changed(struct db *db, int64_t device_id, int64_t now_ms, struct error *err)
{
    struct places places;
    bool ok = load(db, device_id, now_ms, &places, err);
    for (size_t i = 0; ok && i < places.count; i++)
        ok = change(db, &places, &places.row[i], err);
    free(places.row);
    return ok;
}

/* ---- replaced ---- */

static bool check_conflict(struct db *db, const struct campaign *campaign, int64_t device_id,
                           struct error *err)
{
    struct campaign other;
    bool found;
    return campaign_device_conflict(db, campaign, device_id, &other, &found, err) &&
           (!found || campaign_refuse_conflict(campaign, &other, err));
}

static bool hand_over(struct db *db, const struct places *places, const struct campaign_device *old,
                      struct error *err)
{
    const struct device *device = &places->device;
    struct campaign campaign;
    struct campaign_device made = *old, other;
    bool found, has_place;
    if (!campaign_by_id(db, old->campaign_id, &campaign, &found, err) ||
        !campaign_device_find(db, old->campaign_id, device->id, &other, &has_place, err))
        return false;
    bool live = found && campaign_is_live(campaign.state);
    if (!found || has_place || (!live && campaign.state != CAMPAIGN_DRAFT))
        return true;
    made.device_id = device->id;
    made.rank = is_list(&campaign) ? old->rank : device->id;
    if (!live)
        return campaign_device_hand_over(db, old->device_id, &made, err);
    if (!uncount(db, &campaign, old, places->now_ms, err))
        return false;
    begin(&campaign, device, old->outcome != OUTCOME_OUT, places->now_ms, &made);
    bool drops = !is_list(&campaign) && !made.admitted;
    if (!drops && (!check_conflict(db, &campaign, device->id, err) ||
                   !count(db, &campaign, &made, places->now_ms, err)))
        return false;
    return (drops ? campaign_device_drop(db, campaign.id, old->device_id, err)
                  : campaign_device_hand_over(db, old->device_id, &made, err)) &&
           settle(db, &campaign, places->now_ms, err);
}

bool campaign_device_replaced(struct db *db, int64_t old_id, int64_t new_id, int64_t now_ms,
                              struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device *row = NULL;
    struct places places = {.now_ms = now_ms};
    size_t count;
    bool found;
    if (!device_by_id(db, new_id, &places.device, &found, err) ||
        !campaign_device_rows_of(db, old_id, &row, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!hand_over(db, &places, &row[i], err))
            return false;
    return true;
}

/* ---- deleted ---- */

static bool forget(struct db *db, const struct campaign_device *row, int64_t now_ms, struct error *err)
{
    struct campaign campaign;
    bool found;
    if (!campaign_by_id(db, row->campaign_id, &campaign, &found, err) || !found)
        return found;
    if (campaign.state != CAMPAIGN_DRAFT && !uncount(db, &campaign, row, now_ms, err))
        return false;
    campaign.devices -= is_list(&campaign);
    return campaign_device_drop(db, campaign.id, row->device_id, err) && settle(db, &campaign, now_ms, err);
}

bool campaign_device_forget(struct db *db, int64_t device_id, int64_t now_ms, struct error *err)
{
    struct places places;
    bool ok = load(db, device_id, now_ms, &places, err);
    for (size_t i = 0; ok && i < places.count; i++)
        ok = forget(db, &places.row[i], now_ms, err);
    free(places.row);
    return ok;
}
