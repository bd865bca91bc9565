/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/attempt_slot.h"

static bool can_continue(const struct slot_attempt *attempt)
{
    return attempt->open && attempt->live && attempt->fits;
}

/* The download of the same origin comes first. Another origin may be the same module with a new address. */
static enum attempt_slot choose_pin(const struct slot_question *q)
{
    bool main = can_continue(&q->main), beside = can_continue(&q->beside);
    if (main && q->main.same_origin)
        return SLOT_MAIN;
    if (beside && (q->beside.same_origin || q->lower))
        return SLOT_BESIDE;
    if (q->lower)
        return SLOT_BESIDE;
    if (main && beside && !q->same_bytes)
        return SLOT_UNCLEAR;
    return beside && !main ? SLOT_BESIDE : SLOT_MAIN;
}

enum attempt_slot attempt_slot_choose(const struct slot_question *q)
{
    if (q->continues)
        return choose_pin(q);
    if (q->lower)
        return SLOT_BESIDE;
    if (q->by_link || !q->main.open || !q->main.live || q->main.same_origin)
        return SLOT_MAIN;
    return SLOT_BESIDE;
}
