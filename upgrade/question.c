/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/question.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool question_answer(struct question *q, enum answer answer, const char *format, ...)
{
    char text[REASON_SIZE + 64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t end = strnlen(text, REASON_SIZE - 1);
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(q->decision->reason, text, end);
    q->decision->reason[end] = '\0';
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
           question_is_same(&q->known->attempt_to, question_hop(q->known));
}

bool question_is_same(const struct version *a, const struct version *b)
{
    return version_compare(a, b) == 0;
}

const struct version *question_hop(const struct snapshot *known)
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

const char *question_hop_text(const struct snapshot *known, char out[QUESTION_HOP_SIZE])
{
    char pair[QUESTION_PAIR_SIZE], target[VERSION_TEXT_SIZE];
    question_pair_text(&known->base, question_hop(known), pair);
    version_format(&known->target, target);
    if (question_is_same(question_hop(known), &known->target))
        snprintf(out, QUESTION_HOP_SIZE, "%s", pair);
    else
        snprintf(out, QUESTION_HOP_SIZE, "%s (on the way to %s)", pair, target);
    return out;
}

const char *question_trust_text(const char *released_by, char out[QUESTION_TRUST_SIZE])
{
    snprintf(out, QUESTION_TRUST_SIZE, released_by[0] ? " (unproven, released by %s)" : "%s", released_by);
    return out;
}
