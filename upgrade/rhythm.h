/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How often devices ask. Pure. A device asks several times in a row while its package is made or its download is
   resumed: only pauses of at least RHYTHM_PAUSE_MS count. */
#ifndef DFOTA_UPGRADE_RHYTHM_H
#define DFOTA_UPGRADE_RHYTHM_H

#include <stddef.h>
#include <stdint.h>
#include "base/clock.h"

#define RHYTHM_PAUSE_MS      (5 * MINUTE_MS)
#define RHYTHM_PAUSE_MOST_MS (366 * DAY_MS) /* a longer one is a clock that was wrong */
#define RHYTHM_SAMPLE        1000           /* devices */

struct rhythm { /* of one device */
    int64_t first_seen_ms, last_seen_ms, check_ins;
    int64_t pauses, pauses_ms; /* between its questions, and their sum */
};

/* The mean pause. A device that made no pause in an hour, and asked all the time, has the mean of all its questions.
   0: not known. */
int64_t rhythm_interval(const struct rhythm *rhythm);

struct rhythm_sum { /* of a sample of devices */
    unsigned devices;
    unsigned known;     /* of these: their rhythm is known */
    unsigned quiet;     /* of those: the last question is older than three of their intervals */
    int64_t typical_ms; /* half of the known ones ask at least this often; 0: none is known */
    int64_t slow_ms;    /* nine of ten do */
};

/* Of the first RHYTHM_SAMPLE devices of the list. */
void rhythm_sum_up(const struct rhythm *list, size_t count, int64_t now_ms, struct rhythm_sum *ret);

#endif
