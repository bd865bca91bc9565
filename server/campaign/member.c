/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/member.h"

#include <stdio.h>

static bool check_stage(struct db *db, struct campaign_member *member, struct error *err)
{
    const struct campaign *campaign = &member->campaign;
    struct stages stages;
    struct stage_place place = campaign_place(campaign, member->device.rank);
    if (campaign->plain || (member->known && member->device.admitted))
        return true;
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    unsigned current = campaign->stage < stages.count ? (unsigned)campaign->stage : stages.count - 1;
    member->holds = !stage_admits(stages.stage, current, &place);
    stage_text(stages.stage, stages.count, current, member->stage);
    return true;
}

bool campaign_member_load(struct db *db, int64_t firmware_id, int64_t device_id, struct campaign_member *ret,
                          struct error *err)
{
    bool found;
    *ret = (struct campaign_member){.known = false};
    if (device_id &&
        !campaign_device_live(db, device_id, firmware_id, &ret->campaign, &ret->device, &ret->known, err))
        return false;
    if (!ret->known && !campaign_of_all(db, firmware_id, &ret->campaign, &found, err))
        return false;
    return !ret->campaign.id || check_stage(db, ret, err);
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
