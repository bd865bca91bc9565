/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_campaign.h"

static bool refuse_paused(struct question *q)
{
    return question_answer(q, ANSWER_UP_TO_DATE, "the campaign %s is paused: %s", q->known->campaign,
                           q->known->campaign_why);
}

bool decision_campaign_check_transfer(struct question *q)
{
    const struct range *range = &q->checkin->range;
    return q->known->campaign_paused && !q->known->finish_transfers && range->present && range->first > 0 &&
           refuse_paused(q);
}

/* A download to this target has begun. It may be asked for from its start again. */
static bool is_unfinished(const struct question *q)
{
    const struct snapshot *known = q->known;
    return q->open && (q->state == ATTEMPT_SENDING || q->state == ATTEMPT_INTERRUPTED) &&
           known->attempt_same_firmware && question_is_same(&known->attempt_target, &known->target);
}

bool decision_campaign_check(struct question *q)
{
    const struct snapshot *known = q->known;
    if (known->campaign_paused)
        return !(known->finish_transfers && is_unfinished(q)) && refuse_paused(q);
    return known->campaign_holds &&
           question_answer(q, ANSWER_UP_TO_DATE, "the campaign %s has not reached this device: %s",
                           known->campaign, known->campaign_stage);
}
