/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_campaign.h"

static bool refuse_paused(struct question *q)
{
    return question_answer(
        q, ANSWER_UP_TO_DATE,
        REASON(REASON_CAMPAIGN_PAUSED, R_TEXT(q->known->campaign), R_TEXT(q->known->campaign_why)));
}

bool decision_campaign_check_transfer(struct question *q)
{
    const struct range *range = &q->checkin->range;
    return q->known->campaign_paused && !q->known->finish_transfers && range->present && range->first > 0 &&
           refuse_paused(q);
}

bool decision_campaign_check(struct question *q)
{
    const struct snapshot *known = q->known;
    if (known->campaign_paused)
        return !(known->finish_transfers && question_is_unfinished(q)) && refuse_paused(q);
    return known->campaign_holds && question_answer(q, ANSWER_UP_TO_DATE,
                                                    REASON(REASON_CAMPAIGN_HOLDS, R_TEXT(known->campaign),
                                                           R_TEXT(known->campaign_stage)));
}
