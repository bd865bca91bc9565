/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/record_guard.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/guard.h"

/* The request may also end the open attempt; the sum does not have that yet. */
static void add_report(const struct facts *facts, const struct decision *decision, struct guard_facts *guard)
{
    if (!decision->end_attempt || !facts->attempt.delivered_ms)
        return;
    guard->not_applied += decision->attempt_event == EVENT_SAW_OLD;
    guard->diverged += decision->attempt_event == EVENT_SAW_OTHER;
}

bool record_guard_close(struct db *db, struct facts *facts, const struct decision *decision,
                        struct error *err)
{
    struct guard_facts guard = {.begun = facts->guard.begun,
                                .by_link = facts->checkin.source == CHECKIN_LINK,
                                .shared = facts->snapshot.shared};
    int64_t now_ms = facts->checkin.now_ms;
    if (!guard_close(db, facts->device.id, facts->guard.origin, err) ||
        !guard_sum_up(db, facts->device.id, facts->origin, now_ms - DAY_MS, now_ms, &guard, err))
        return false;
    add_report(facts, decision, &guard);
    guard_explain(&guard, facts->guard_why);
    return true;
}

void record_guard_notice(const struct facts *facts, char out[NOTICE_SIZE])
{
    snprintf(out, NOTICE_SIZE, "loop guard: no package is sent%s%s until the device is unblocked; %s",
             facts->guard.origin[0] ? " to " : "", facts->guard.origin, facts->guard_why);
}
