/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/forecast.h"

static int64_t time_of(const struct forecast *forecast, int64_t interval_ms)
{
    return interval_ms ? forecast->rounds * interval_ms + forecast->settle_ms : 0;
}

/* A stage that reaches no further device takes no round. Each stage but the last has its gate. */
void forecast_make(const struct forecast_work *work, const struct rhythm_sum *rhythm, struct forecast *ret)
{
    const struct stage_place place = {.ranked = true, .audience = work->audience};
    unsigned before = 0;
    *ret = (struct forecast){.rounds = 0};
    if (!work->devices || !work->hops)
        return;
    ret->rounds = work->canaries;
    for (unsigned i = 0; i < work->stage_count; i++) {
        const struct stage *stage = &work->stages[i];
        unsigned reach = stage_reach(stage, &place);
        if (reach > before) {
            ret->rounds += work->hops + 1;
            before = reach;
        }
        if (i + 1 < work->stage_count) {
            ret->settle_ms += stage->settle_ms;
            ret->approvals += stage->approvals;
        }
    }
    ret->typical_ms = time_of(ret, rhythm->typical_ms);
    ret->slow_ms = time_of(ret, rhythm->slow_ms);
}
