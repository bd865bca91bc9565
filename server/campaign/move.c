/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/move.h"

#include <string.h>

#include "base/cleanup.h"
#include "server/campaign/life.h"
#include "storage/device.h"

/* A device that no stage has admitted came to run the target. It counts in the current stage when it belongs
   there, else in the stage that reaches it. */
static bool move_ahead(struct db *db, struct campaign *campaign, struct campaign_device *device,
                       int64_t now_ms, struct error *err)
{
    struct stages stages;
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    device->outcome = OUTCOME_CONFIRMED;
    const struct stage_place place = campaign_place(campaign, device->rank);
    device->admitted = stage_admits(stages.stage, (unsigned)campaign->stage, &place);
    device->stage = campaign->stage;
    if (device->admitted)
        return campaign_stage_move(db, campaign->id, (unsigned)device->stage, OUTCOME_WAITING,
                                   OUTCOME_CONFIRMED, 1, now_ms, err);
    campaign->ahead++;
    return campaign_update(db, campaign, err);
}

static bool move(struct db *db, struct campaign *campaign, struct campaign_device *device,
                 enum campaign_outcome outcome, int64_t now_ms, struct error *err)
{
    if (device->outcome == outcome || device->outcome == OUTCOME_OUT ||
        (!device->admitted && outcome != OUTCOME_CONFIRMED))
        return true;
    if (!device->admitted) {
        if (!move_ahead(db, campaign, device, now_ms, err))
            return false;
    } else if (!campaign_stage_move(db, campaign->id, (unsigned)device->stage, device->outcome, outcome, 1,
                                    now_ms, err)) {
        return false;
    }
    device->outcome = outcome;
    device->at_ms = now_ms;
    return campaign_device_update(db, device, err) && campaign_evaluate(db, campaign, now_ms, err);
}

/* As they are now: an earlier step of the transaction may have changed them. *ret_found false: the campaign
   has ended, or does not have the device. */
static bool find(struct db *db, int64_t campaign_id, int64_t device_id, struct campaign *ret,
                 struct campaign_device *ret_device, bool *ret_found, struct error *err)
{
    return campaign_by_id(db, campaign_id, ret, ret_found, err) &&
           (!*ret_found || campaign_device_find(db, campaign_id, device_id, ret_device, ret_found, err));
}

static bool admit_new(struct db *db, const struct campaign *campaign, int64_t device_id, int64_t now_ms,
                      struct error *err)
{
    const struct campaign_device made = {.campaign_id = campaign->id,
                                         .device_id = device_id,
                                         .rank = device_id,
                                         .admitted = true,
                                         .stage = campaign->stage,
                                         .outcome = OUTCOME_ADMITTED,
                                         .at_ms = now_ms};
    bool is_new;
    return campaign_device_add(db, &made, &is_new, err) &&
           campaign_stage_move(db, campaign->id, (unsigned)campaign->stage, OUTCOME_WAITING, OUTCOME_ADMITTED,
                               1, now_ms, err);
}

/* The device is in the list, and waits, or ran the target before and left it again; or it was out, and is served
   all the same: it says that it has this firmware again. */
static bool admit_listed(struct db *db, struct campaign *campaign, struct campaign_device *device,
                         int64_t now_ms, struct error *err)
{
    bool is_out = device->outcome == OUTCOME_OUT;
    campaign->ahead -= device->outcome == OUTCOME_CONFIRMED;
    campaign->out -= is_out;
    campaign->reached += is_out && device->rank < campaign->reach;
    if (device->outcome != OUTCOME_WAITING && !campaign_update(db, campaign, err))
        return false;
    device->admitted = true;
    device->stage = campaign->stage;
    device->outcome = OUTCOME_ADMITTED;
    device->at_ms = now_ms;
    return campaign_device_update(db, device, err) &&
           campaign_stage_move(db, campaign->id, (unsigned)device->stage, OUTCOME_WAITING, OUTCOME_ADMITTED,
                               1, now_ms, err);
}

bool campaign_admit(struct db *db, const struct campaign_member *member, int64_t device_id, int64_t now_ms,
                    struct error *err)
{
    struct campaign campaign = member->campaign;
    struct campaign_device device;
    bool found;
    if (!campaign.id)
        return true;
    if (!find(db, campaign.id, device_id, &campaign, &device, &found, err))
        return false;
    if (!found)
        return admit_new(db, &campaign, device_id, now_ms, err);
    if (!device.admitted || device.outcome == OUTCOME_OUT)
        return admit_listed(db, &campaign, &device, now_ms, err);
    return move(db, &campaign, &device, campaign_outcome_after(device.outcome, ATTEMPT_WAITING, false),
                now_ms, err);
}

static bool counts(const struct attempt *attempt, const struct campaign *campaign,
                   const struct campaign_device *device)
{
    /* A device that failed may confirm after the campaign has finished. */
    bool goes_on = campaign_is_live(campaign->state) || campaign->state == CAMPAIGN_FINISHED;
    return goes_on && device->admitted && device->outcome != OUTCOME_OUT &&
           strcmp(attempt->target, campaign->target) == 0;
}

bool campaign_trusts(const struct device *device, bool beside)
{
    return !beside || device->confirmed_grade <= GRADE_UNAUTHENTICATED;
}

static bool is_trusted(struct db *db, const struct attempt *attempt, bool *ret, struct error *err)
{
    struct device device;
    bool found;
    *ret = true;
    if (!attempt->beside)
        return true;
    if (!device_by_id(db, attempt->device_id, &device, &found, err))
        return false;
    *ret = found && campaign_trusts(&device, true);
    return true;
}

/* The device had the target, and has another version again. */
static bool fell_back(const struct campaign *campaign, const struct campaign_device *device,
                      const char *version)
{
    return device->admitted && device->outcome == OUTCOME_CONFIRMED && strcmp(version, campaign->target) != 0;
}

static enum campaign_outcome outcome_of(const struct attempt *attempt, enum attempt_state state,
                                        const struct campaign *campaign, const struct campaign_device *device)
{
    return campaign_outcome_after(device->outcome, state, strcmp(attempt->to, campaign->target) == 0);
}

/* If the device of the member came to `outcome`. */
static bool foresee(struct db *db, const struct campaign_member *member, enum campaign_outcome outcome,
                    int64_t now_ms, enum campaign_event *ret, char *ret_why, struct error *err)
{
    struct campaign campaign = member->campaign;
    const struct campaign_device *device = &member->device;
    struct stages stages;
    char why[REASON_SIZE];
    if (!campaign_stages_load(db, campaign.id, &stages, err))
        return false;
    unsigned *count = stages.stage[device->stage].count;
    count[device->outcome]--;
    count[outcome]++;
    if (!campaign_foresee(db, &campaign, &stages, now_ms, ret, why, err))
        return false;
    if (*ret == CAMPAIGN_PAUSE)
        memcpy(ret_why, why, sizeof why);
    return true;
}

static bool may_stop(const struct campaign_member *member)
{
    return member->known && !member->campaign.plain && member->campaign.state == CAMPAIGN_RUNNING &&
           member->device.admitted && member->device.outcome != OUTCOME_OUT;
}

bool campaign_foresee_attempt(struct db *db, const struct campaign_member *member,
                              const struct attempt *attempt, enum attempt_state state, int64_t now_ms,
                              enum campaign_event *ret, char *ret_why, struct error *err)
{
    bool trusted;
    *ret = CAMPAIGN_EVENT_COUNT;
    if (!may_stop(member) || attempt->campaign_id != member->campaign.id ||
        !counts(attempt, &member->campaign, &member->device))
        return true;
    return is_trusted(db, attempt, &trusted, err) &&
           (!trusted || foresee(db, member, outcome_of(attempt, state, &member->campaign, &member->device),
                                now_ms, ret, ret_why, err));
}

bool campaign_foresee_version(struct db *db, const struct campaign_member *member, const char *version,
                              int64_t now_ms, enum campaign_event *ret, char *ret_why, struct error *err)
{
    *ret = CAMPAIGN_EVENT_COUNT;
    return !may_stop(member) || !fell_back(&member->campaign, &member->device, version) ||
           foresee(db, member, OUTCOME_DIVERGED, now_ms, ret, ret_why, err);
}

bool campaign_attempt_ended(struct db *db, const struct attempt *attempt, int64_t now_ms, struct error *err)
{
    struct campaign campaign;
    struct campaign_device device;
    bool found, trusted;
    if (!attempt->campaign_id)
        return true;
    if (!is_trusted(db, attempt, &trusted, err) ||
        !find(db, attempt->campaign_id, attempt->device_id, &campaign, &device, &found, err))
        return false;
    return !found || !trusted || !counts(attempt, &campaign, &device) ||
           move(db, &campaign, &device, outcome_of(attempt, attempt->state, &campaign, &device), now_ms, err);
}

/* One campaign. Nothing is known of the row but that it is there: an earlier step may have changed it. */
static bool take_version(struct db *db, const struct campaign_member *member, int64_t campaign_id,
                         const char *version, int64_t now_ms, struct error *err)
{
    struct campaign campaign;
    struct campaign_device device;
    bool found;
    if (!find(db, campaign_id, member->device.device_id, &campaign, &device, &found, err))
        return false;
    if (!found || !campaign_is_live(campaign.state) || campaign.firmware_id != member->campaign.firmware_id)
        return true;
    if (strcmp(version, campaign.target) == 0)
        return move(db, &campaign, &device, OUTCOME_CONFIRMED, now_ms, err);
    return !fell_back(&campaign, &device, version) ||
           move(db, &campaign, &device, OUTCOME_DIVERGED, now_ms, err);
}

bool campaign_version_reported(struct db *db, const struct campaign_member *member, const char *version,
                               int64_t now_ms, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device *row = NULL;
    const struct campaign_device *device = &member->device;
    size_t count;
    bool at_target = strcmp(version, member->campaign.target) == 0;
    if (!member->known)
        return true;
    if (!member->others)
        return at_target == (device->outcome == OUTCOME_CONFIRMED) ||
               take_version(db, member, device->campaign_id, version, now_ms, err);
    if (!campaign_device_rows_of(db, device->device_id, &row, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take_version(db, member, row[i].campaign_id, version, now_ms, err))
            return false;
    return true;
}
