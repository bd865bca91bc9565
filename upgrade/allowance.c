/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/allowance.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t allowance_transfers(const struct allowance_limits *limits)
{
    uint64_t by_rate = limits->max_bytes_per_second / ALLOWANCE_LEAST_RATE;
    if (limits->max_bytes_per_second && !by_rate)
        by_rate = 1;
    if (!limits->max_transfers || (by_rate && by_rate < limits->max_transfers))
        return by_rate;
    return limits->max_transfers;
}

static bool fits_month(const struct allowance *allowance, uint64_t used, uint64_t size)
{
    uint64_t most = allowance->max_bytes_per_month;
    return !most || (used <= most && size <= most - used);
}

/* Sets the answer by the length of the wait. */
static void wait_until(struct allowance_verdict *verdict, int64_t until_ms, int64_t now_ms)
{
    verdict->until_ms = until_ms;
    verdict->answer = until_ms - now_ms <= ALLOWANCE_SHORT_MS ? ALLOWANCE_SOON : ALLOWANCE_LATER;
}

/* The next month may begin while the hours are closed. */
static bool wait_for_month(const struct allowance *allowance, const struct allowance_use *use,
                           const struct allowance_wish *wish, struct allowance_verdict *ret)
{
    const struct hours *hours = &allowance->hours;
    int64_t month = hours_month(hours, wish->now_ms);
    char time[HOURS_TIME_SIZE], name[MONTH_TEXT_SIZE];
    if (fits_month(allowance, use->month_bytes, wish->size_bytes))
        return false;
    if (!fits_month(allowance, 0, wish->size_bytes)) {
        ret->answer = ALLOWANCE_NEVER;
        snprintf(ret->why, sizeof ret->why,
                 "the package has %" PRIu64 " bytes, but max_bytes_per_month is %" PRIu64, wish->size_bytes,
                 allowance->max_bytes_per_month);
        return true;
    }
    int64_t until_ms = hours_month_start(hours, month + 1);
    if (!wish->has_begun)
        until_ms = hours_next_open(hours, until_ms);
    wait_until(ret, until_ms, wish->now_ms);
    snprintf(ret->why, sizeof ret->why,
             "the device was sent %" PRIu64 " bytes in %s, the package has %" PRIu64
             ", and max_bytes_per_month is %" PRIu64 ": it waits until %s",
             use->month_bytes, hours_month_text(month, name), wish->size_bytes,
             allowance->max_bytes_per_month, hours_time_text(hours, until_ms, time));
    return true;
}

static bool wait_for_hours(const struct allowance *allowance, const struct allowance_wish *wish,
                           struct allowance_verdict *ret)
{
    int64_t until_ms = hours_next_open(&allowance->hours, wish->now_ms);
    char time[HOURS_TIME_SIZE];
    if (wish->has_begun || until_ms == wish->now_ms)
        return false;
    wait_until(ret, until_ms, wish->now_ms);
    snprintf(ret->why, sizeof ret->why,
             "at this hour no download of this firmware begins: the device waits until %s",
             hours_time_text(&allowance->hours, until_ms, time));
    return true;
}

/* A module that is as slow as it may be needs size / ALLOWANCE_LEAST_RATE for a transfer. */
static void wait_for_transfer(const struct allowance_limits *limits, const struct allowance_use *use,
                              const struct allowance_wish *wish, struct allowance_verdict *ret)
{
    uint64_t most = allowance_transfers(limits);
    if (!most || use->transfers < most)
        return;
    uint64_t each_ms = wish->size_bytes * 1000 / ALLOWANCE_LEAST_RATE;
    ret->for_transfer = true;
    wait_until(ret, wish->now_ms + (int64_t)(each_ms * (use->waiting + 1) / most), wish->now_ms);
    snprintf(ret->why, sizeof ret->why, "as many transfers run as %s allows (%" PRIu64 "): %s",
             most == limits->max_transfers ? "max_transfers" : "max_bytes_per_second", most,
             ret->answer == ALLOWANCE_SOON ? "the device waits for the end of one"
                                           : "the wait is long, and the device must ask again later");
}

void allowance_decide(const struct allowance_limits *limits, const struct allowance *allowance,
                      const struct allowance_use *use, const struct allowance_wish *wish,
                      struct allowance_verdict *ret)
{
    *ret = (struct allowance_verdict){.answer = ALLOWANCE_BEGIN};
    if (!wait_for_month(allowance, use, wish, ret) && !wait_for_hours(allowance, wish, ret))
        wait_for_transfer(limits, use, wish, ret);
}
