/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/member.h"

#include <stdio.h>

#include "base/cleanup.h"

static bool check_stage(struct db *db, struct campaign_member *member, struct error *err)
{
    const struct campaign *campaign = &member->campaign;
    struct stages stages;
    struct stage_place place = campaign_place(campaign, member->device.rank);
    if (campaign->plain ||
        (member->known && member->device.admitted && member->device.outcome != OUTCOME_OUT))
        return true;
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    unsigned current = campaign->stage < stages.count ? (unsigned)campaign->stage : stages.count - 1;
    member->holds = !stage_admits(stages.stage, current, &place);
    stage_reason(stages.stage, stages.count, current, member->stage);
    return true;
}

bool campaign_member_find(struct db *db, int64_t firmware_id, int64_t device_id, struct campaign_member *ret,
                          struct error *err)
{
    _cleanup_(cleanup_free) struct campaign *open = NULL;
    size_t count = 0;
    *ret = (struct campaign_member){.known = false};
    if (device_id &&
        !campaign_device_live(db, device_id, firmware_id, &ret->campaign, &ret->device, &count, err))
        return false;
    ret->known = count > 0;
    ret->others = count > 1;
    if (ret->known)
        return true;
    if (!campaign_list_open(db, firmware_id, &open, &count, err))
        return false;
    if (count)
        ret->campaign = open[0];
    return true;
}

static bool selects(const struct campaign *campaign, const struct filter_subject *subject, int64_t now_ms)
{
    struct filter filter;
    struct error ignored;
    return !campaign->filter[0] ||
           (filter_parse(slice_of(campaign->filter), &filter_device, &filter, &ignored) &&
            filter_selects(&filter, subject, now_ms));
}

static bool choose_open(struct db *db, const struct filter_subject *subject, int64_t now_ms,
                        struct campaign *campaign, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign *open = NULL;
    size_t count, i = 0;
    if (!campaign_list_open(db, campaign->firmware_id, &open, &count, err))
        return false;
    while (i < count && !selects(&open[i], subject, now_ms))
        i++;
    *campaign = i < count ? open[i] : (struct campaign){.id = 0};
    return true;
}

bool campaign_member_choose(struct db *db, const struct filter_subject *subject, int64_t now_ms,
                            struct campaign_member *member, struct error *err)
{
    struct campaign *campaign = &member->campaign;
    member->filtered = !member->known && campaign->filter[0];
    if (member->filtered && !choose_open(db, subject, now_ms, campaign, err))
        return false;
    return !campaign->id || check_stage(db, member, err);
}

void campaign_member_subject(const struct firmware *firmware, const struct device *device,
                             struct filter_subject *ret)
{
    device_subject(device, firmware->name, ret);
    if (device->firmware_id != firmware->id)
        ret->version.count = ret->asked.count = 0;
}

bool campaign_member_load(struct db *db, const struct firmware *firmware, const struct device *device,
                          int64_t now_ms, struct campaign_member *ret, struct error *err)
{
    struct filter_subject subject;
    campaign_member_subject(firmware, device, &subject);
    return campaign_member_find(db, firmware->id, device->id, ret, err) &&
           campaign_member_choose(db, &subject, now_ms, ret, err);
}

void campaign_member_fill(const struct campaign_member *member, struct snapshot *known)
{
    const struct campaign *campaign = &member->campaign;
    if (!campaign->id)
        return;
    snprintf(known->campaign, sizeof known->campaign, "%s", campaign->name);
    known->campaign_paused = campaign->state == CAMPAIGN_PAUSED;
    snprintf(known->campaign_why, sizeof known->campaign_why, "%s", campaign->paused_why);
    known->finish_transfers = campaign->finish_transfers;
    known->campaign_holds = member->holds;
    snprintf(known->campaign_stage, sizeof known->campaign_stage, "%s", member->stage);
}
