/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_range.h"

#include "base/clock.h"

bool decision_range_check(struct question *q)
{
    const struct range *range = &q->checkin->range;

    if (range->bad || (range->present && range->has_last && range->last < range->first))
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RANGE_MALFORMED));
    return false;
}

static bool check_attempt(struct question *q, const char *pair)
{
    const struct snapshot *known = q->known;

    if (known->attempt_unclear)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_UNCLEAR));
    if (!q->open || q->state == ATTEMPT_WAITING)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_NOTHING));
    if (q->state == ATTEMPT_DELIVERED)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_DELIVERED, R_TEXT(pair)));
    if (known->attempt_active_ms == 0)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_RESTARTED, R_TEXT(pair)));
    return false;
}

static bool check_pin(struct question *q, const char *pair)
{
    const struct snapshot *known = q->known;
    int64_t now_ms = q->checkin->now_ms;

    if (!known->attempt_same_firmware || !question_is_same(&known->attempt_from, &known->base))
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_MISMATCH, R_TEXT(pair)));
    if (now_ms - clock_clamp(known->attempt_active_ms, now_ms) > q->limits->pin_idle_ms)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_IDLE, R_TEXT(pair)));
    bool is_script = known->pinned_full || question_is_script(known->pinned_size, known->pinned_uncounted);
    bool other_build = !known->pinned_whole &&
                       (known->build_doubt[0] || known->base_gone || (is_script && known->places_differ));
    if ((!known->format_set && !known->pinned_full) || !known->pinned_servable || other_build)
        return question_answer(q, ANSWER_BAD_RANGE, REASON(REASON_RESUME_GONE, R_TEXT(pair)));
    uint64_t counted = known->pinned_size - known->pinned_uncounted;
    if (counted > known->max_package_bytes)
        return question_answer(
            q, ANSWER_BAD_RANGE,
            REASON(known->pinned_uncounted ? REASON_RESUME_CORE_OVERSIZE : REASON_RESUME_OVERSIZE,
                   R_TEXT(pair), R_NUMBER(counted), R_NUMBER(known->max_package_bytes)));
    if (q->checkin->range.first >= known->pinned_size)
        return question_answer(q, ANSWER_BAD_RANGE,
                               REASON(REASON_RESUME_BEYOND_END, R_NUMBER(q->checkin->range.first),
                                      R_TEXT(pair), R_NUMBER(known->pinned_size)));
    return false;
}

bool decision_range_continue(struct question *q)
{
    const struct snapshot *known = q->known;
    const struct range *range = &q->checkin->range;
    char pair[QUESTION_PAIR_SIZE], trust[REASON_SIZE];

    if (!range->present || range->first == 0)
        return false;
    question_pair_text(&known->attempt_from, &known->attempt_to, pair);
    if (check_attempt(q, pair) || check_pin(q, pair))
        return true;
    q->decision->resume = true;
    question_choose_bytes(q, known->pinned_size);
    return question_answer(q, ANSWER_PART,
                           REASON(REASON_PACKAGE_CONTINUED, R_TEXT(pair), R_NUMBER(range->first),
                                  R_NUMBER(known->pinned_size),
                                  R_TEXT(question_trust(known->pinned_released_by, trust))));
}
