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
    const struct snapshot *known = q->known;
    char target[VERSION_TEXT_SIZE];
    if (!q->checkin->range.present || q->checkin->range.first == 0)
        return false;
    if (q->open && known->attempt_stopped_by[0]) {
        version_format(&known->attempt_target, target);
        return question_answer(
            q, ANSWER_UP_TO_DATE,
            REASON(REASON_CAMPAIGN_STOPPED, R_TEXT(known->attempt_stopped_by), R_TEXT(target)));
    }
    return known->campaign_paused && !known->finish_transfers && refuse_paused(q);
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
