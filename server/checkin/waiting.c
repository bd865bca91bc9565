/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/waiting.h"

#include <stdlib.h>

struct place {
    int64_t device_id;
    int64_t asked_ms;
};

struct waiting {
    struct place place[WAITING_MAX]; /* in the order in which the devices came */
    unsigned count;
};

bool waiting_open(struct waiting **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

/* Removes a device, and those that have not asked for a while. */
static void forget(struct waiting *waiting, int64_t device_id, int64_t now_ms)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < waiting->count; i++)
        if (waiting->place[i].device_id != device_id &&
            now_ms - waiting->place[i].asked_ms < WAITING_FORGET_MS)
            waiting->place[kept++] = waiting->place[i];
    waiting->count = kept;
}

unsigned waiting_before(struct waiting *waiting, int64_t device_id, int64_t now_ms)
{
    unsigned i = 0;
    forget(waiting, 0, now_ms);
    while (i < waiting->count && waiting->place[i].device_id != device_id)
        i++;
    return i;
}

void waiting_set(struct waiting *waiting, int64_t device_id, bool waits, int64_t now_ms)
{
    if (!waits && !waiting->count)
        return;
    unsigned i = waiting_before(waiting, device_id, now_ms);
    if (!waits)
        forget(waiting, device_id, now_ms);
    else if (i < WAITING_MAX) {
        waiting->count += i == waiting->count;
        waiting->place[i] = (struct place){device_id, now_ms};
    }
}

void waiting_close(struct waiting *waiting)
{
    free(waiting);
}
