/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_allowance.h"

static enum answer answer_of(enum allowance_answer answer)
{
    return answer == ALLOWANCE_SOON    ? ANSWER_WAIT
           : answer == ALLOWANCE_LATER ? ANSWER_UP_TO_DATE
                                       : ANSWER_NOT_ALLOWED;
}

bool decision_allowance_check(struct question *q)
{
    const struct snapshot *known = q->known;
    const struct allowance_wish wish = {.now_ms = q->checkin->now_ms,
                                        .size_bytes = known->package_size,
                                        .has_begun = question_is_unfinished(q)};
    struct allowance_verdict verdict;
    allowance_decide(&q->limits->allowance, &known->allowance, &known->allowance_use, &wish, &verdict);
    if (verdict.answer == ALLOWANCE_BEGIN)
        return false;
    q->decision->wait_for_transfer = verdict.for_transfer && verdict.answer == ALLOWANCE_SOON;
    return question_answer_with(q, answer_of(verdict.answer), verdict.why);
}
