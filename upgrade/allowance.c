/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/allowance.h"

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
        reason_write(ret->why, sizeof ret->why,
                     REASON(REASON_MONTH_TOO_SMALL, R_NUMBER(wish->size_bytes),
                            R_NUMBER(allowance->max_bytes_per_month)));
        return true;
    }
    int64_t until_ms = hours_month_start(hours, month + 1);
    if (!wish->has_begun)
        until_ms = hours_next_open(hours, until_ms);
    wait_until(ret, until_ms, wish->now_ms);
    reason_write(ret->why, sizeof ret->why,
                 REASON(REASON_MONTH_USED_UP, R_NUMBER(use->month_bytes),
                        R_TEXT(hours_month_text(month, name)), R_NUMBER(wish->size_bytes),
                        R_NUMBER(allowance->max_bytes_per_month),
                        R_TEXT(hours_time_text(hours, until_ms, time))));
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
    reason_write(ret->why, sizeof ret->why,
                 REASON(REASON_HOURS_CLOSED, R_TEXT(hours_time_text(&allowance->hours, until_ms, time))));
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
    reason_write(ret->why, sizeof ret->why,
                 REASON(ret->answer == ALLOWANCE_SOON ? REASON_TRANSFERS_SOON : REASON_TRANSFERS_LATER,
                        R_TEXT(most == limits->max_transfers ? "max_transfers" : "max_bytes_per_second"),
                        R_NUMBER(most)));
}

void allowance_decide(const struct allowance_limits *limits, const struct allowance *allowance,
                      const struct allowance_use *use, const struct allowance_wish *wish,
                      struct allowance_verdict *ret)
{
    *ret = (struct allowance_verdict){.answer = ALLOWANCE_BEGIN};
    if (!wait_for_month(allowance, use, wish, ret) && !wait_for_hours(allowance, wish, ret))
        wait_for_transfer(limits, use, wish, ret);
}
