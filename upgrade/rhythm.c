/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/rhythm.h"

#include <stdlib.h>

#define BUSY_LEAST_MS HOUR_MS
#define QUIET_AFTER   3 /* intervals */

int64_t rhythm_interval(const struct rhythm *rhythm)
{
    int64_t span_ms = rhythm->last_seen_ms - rhythm->first_seen_ms;
    if (rhythm->pauses > 0 && rhythm->pauses_ms > 0)
        return rhythm->pauses_ms / rhythm->pauses;
    if (!rhythm->first_seen_ms || rhythm->check_ins < 2 || span_ms < BUSY_LEAST_MS)
        return 0;
    return span_ms / (rhythm->check_ins - 1);
}

static int compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void rhythm_sum_up(const struct rhythm *list, size_t count, int64_t now_ms, struct rhythm_sum *ret)
{
    int64_t interval[RHYTHM_SAMPLE];
    *ret = (struct rhythm_sum){.devices = 0};
    for (size_t i = 0; i < count && i < RHYTHM_SAMPLE; i++) {
        int64_t found_ms = rhythm_interval(&list[i]);
        ret->devices++;
        if (!found_ms)
            continue;
        ret->quiet += (now_ms - list[i].last_seen_ms) / QUIET_AFTER > found_ms;
        interval[ret->known++] = found_ms;
    }
    if (!ret->known)
        return;
    qsort(interval, ret->known, sizeof *interval, compare);
    ret->typical_ms = interval[(ret->known - 1) / 2];
    ret->slow_ms = interval[(ret->known * 9 + 9) / 10 - 1];
}
