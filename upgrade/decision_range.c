/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_range.h"

#include <inttypes.h>

#include "base/clock.h"

bool decision_range_check(struct question *q)
{
    const struct range *range = &q->checkin->range;

    if (range->bad || (range->present && range->has_last && range->last < range->first))
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the Range header must have the form bytes=FIRST- or bytes=FIRST-LAST");
    return false;
}

static bool check_attempt(struct question *q, const char *pair)
{
    const struct snapshot *known = q->known;

    if (known->attempt_unclear)
        return question_answer(
            q, ANSWER_BAD_RANGE,
            "two downloads with different bytes are unfinished, and the request does not show "
            "which one it continues");
    if (!q->open || q->state == ATTEMPT_WAITING)
        return question_answer(q, ANSWER_BAD_RANGE, "this device has no unfinished download to continue");
    if (q->state == ATTEMPT_DELIVERED)
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the package %s was delivered completely: there is nothing to continue", pair);
    if (known->attempt_active_ms == 0)
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the device has asked for the package %s from the start again: the download "
                               "before that cannot be continued",
                               pair);
    return false;
}

static bool check_pin(struct question *q, const char *pair)
{
    const struct snapshot *known = q->known;
    int64_t now_ms = q->checkin->now_ms;

    if (!known->attempt_same_firmware || !question_is_same(&known->attempt_from, &known->base))
        return question_answer(
            q, ANSWER_BAD_RANGE,
            "the unfinished package %s is not for the firmware and version of this request", pair);
    if (now_ms - clock_clamp(known->attempt_active_ms, now_ms) > q->limits->pin_idle_ms)
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the download of the package %s was idle for too long to be continued", pair);
    if ((!known->format_set && !known->pinned_full) || !known->pinned_servable)
        return question_answer(q, ANSWER_BAD_RANGE, "the unfinished package %s is no longer available", pair);
    if (known->pinned_size > known->max_package_bytes)
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the unfinished package %s has %" PRIu64 " bytes, the limit is %" PRIu64, pair,
                               known->pinned_size, known->max_package_bytes);
    if (q->checkin->range.first >= known->pinned_size)
        return question_answer(q, ANSWER_BAD_RANGE,
                               "the request begins at byte %" PRIu64 ", but the package %s has only %" PRIu64
                               " bytes",
                               q->checkin->range.first, pair, known->pinned_size);
    return false;
}

bool decision_range_continue(struct question *q)
{
    const struct snapshot *known = q->known;
    const struct range *range = &q->checkin->range;
    char pair[QUESTION_PAIR_SIZE], trust[QUESTION_TRUST_SIZE];

    if (!range->present || range->first == 0)
        return false;
    question_pair_text(&known->attempt_from, &known->attempt_to, pair);
    if (check_attempt(q, pair) || check_pin(q, pair))
        return true;
    q->decision->resume = true;
    question_choose_bytes(q, known->pinned_size);
    return question_answer(q, ANSWER_PART, "the package %s is continued at byte %" PRIu64 " of %" PRIu64 "%s",
                           pair, range->first, known->pinned_size,
                           question_trust_text(known->pinned_released_by, trust));
}
