/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/question.h"

#include <stdio.h>

bool question_answer(struct question *q, enum answer answer, enum reason_code code,
                     const struct reason_value *values)
{
    reason_write(q->decision->reason, sizeof q->decision->reason, code, values);
    q->decision->answer = answer;
    return true;
}

bool question_answer_with(struct question *q, enum answer answer, const char *reason)
{
    snprintf(q->decision->reason, sizeof q->decision->reason, "%s", reason);
    q->decision->answer = answer;
    return true;
}

void question_end_attempt(struct question *q, enum attempt_event event)
{
    q->decision->end_attempt = true;
    q->decision->attempt_event = event;
    attempt_apply(&q->state, event);
    q->open = attempt_is_open(q->state);
}

void question_choose_bytes(struct question *q, uint64_t size)
{
    const struct range *range = &q->checkin->range;

    q->decision->first = range->present ? range->first : 0;
    q->decision->end = range->present && range->has_last && range->last < size ? range->last + 1 : size;
    q->decision->send = true;
}

bool question_is_unfinished(const struct question *q)
{
    const struct snapshot *known = q->known;
    return question_is_for_hop(q) && (q->state == ATTEMPT_SENDING || q->state == ATTEMPT_INTERRUPTED) &&
           question_is_same(&known->attempt_target, &known->target) &&
           (q->checkin->source != CHECKIN_LINK || known->attempt_by_link);
}

bool question_is_for_hop(const struct question *q)
{
    return q->open && q->known->attempt_same_firmware &&
           question_is_same(&q->known->attempt_from, &q->known->base) &&
           question_is_same(&q->known->attempt_to, question_hop_version(q->known));
}

bool question_is_script(uint64_t size, uint64_t uncounted)
{
    return uncounted > 0 && uncounted == size;
}

bool question_is_same(const struct version *a, const struct version *b)
{
    return version_compare(a, b) == 0;
}

const struct version *question_hop_version(const struct snapshot *known)
{
    return known->hop.count ? &known->hop : &known->target;
}

const char *question_pair_text(const struct version *from, const struct version *to,
                               char out[QUESTION_PAIR_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    version_format(from, a);
    version_format(to, b);
    snprintf(out, QUESTION_PAIR_SIZE, "%s→%s", a, b);
    return out;
}

const char *question_hop(const struct snapshot *known, char out[REASON_SIZE])
{
    char pair[QUESTION_PAIR_SIZE], target[VERSION_TEXT_SIZE];
    question_pair_text(&known->base, question_hop_version(known), pair);
    version_format(&known->target, target);
    if (question_is_same(question_hop_version(known), &known->target))
        snprintf(out, REASON_SIZE, "%s", pair);
    else
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_ON_THE_WAY, R_TEXT(pair), R_TEXT(target)));
    return out;
}

const char *question_trust(const char *released_by, char out[REASON_SIZE])
{
    out[0] = '\0';
    if (released_by[0])
        reason_write(out, REASON_SIZE, REASON(REASON_RELEASED_BY, R_TEXT(released_by)));
    return out;
}
