/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/counters.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/device.h"
#include "storage/ledger.h"

#define ROOM_BITS 15
#define ROOM                                                                                                 \
    (1u << ROOM_BITS) /* devices between two flushes; above three quarters no further device is counted */

struct checkin_counters {
    struct {
        int64_t device_id; /* 0: free */
        int64_t check_ins, last_seen_ms;
        struct ledger_day quiet; /* check-ins that changed nothing, on the day of the first */
    } slot[ROOM];
    unsigned used;
};

bool checkin_counters_open(struct checkin_counters **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

static void count_quiet(struct ledger_day *quiet, int64_t now_ms)
{
    if (!quiet->count++) {
        quiet->day = now_ms / DAY_MS;
        quiet->first_ms = now_ms;
    }
    quiet->last_ms = now_ms;
}

/* The slot of the device, or a free one. */
static unsigned find_slot(const struct checkin_counters *counters, int64_t device_id)
{
    unsigned at = (unsigned)((uint64_t)device_id * 0x9E3779B97F4A7C15u >> (64 - ROOM_BITS));
    while (counters->slot[at].device_id && counters->slot[at].device_id != device_id)
        at = (at + 1) % ROOM;
    return at;
}

void checkin_counters_look(const struct checkin_counters *counters, int64_t device_id, int64_t *check_ins,
                           int64_t *last_seen_ms)
{
    unsigned at = counters && device_id ? find_slot(counters, device_id) : ROOM;
    if (at == ROOM || !counters->slot[at].device_id)
        return;
    *check_ins += counters->slot[at].check_ins;
    *last_seen_ms = counters->slot[at].last_seen_ms;
}

void checkin_counters_add(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted)
{
    unsigned at = find_slot(counters, device_id);
    if (!counters->slot[at].device_id) {
        if (counters->used >= ROOM * 3 / 4)
            return;
        counters->used++;
        counters->slot[at].device_id = device_id;
    }
    counters->slot[at].check_ins++;
    counters->slot[at].last_seen_ms = now_ms;
    if (!noted)
        count_quiet(&counters->slot[at].quiet, now_ms);
}

bool checkin_counters_store(struct checkin_counters *counters, struct db *db, struct error *err)
{
    for (unsigned at = 0; counters->used && at < ROOM; at++) {
        int64_t id = counters->slot[at].device_id;
        const struct ledger_day *quiet = &counters->slot[at].quiet;
        if (id && (!device_seen(db, id, counters->slot[at].check_ins, counters->slot[at].last_seen_ms, err) ||
                   (quiet->count && !ledger_day_add(db, id, quiet, err))))
            return false;
    }
    return true;
}

void checkin_counters_flushed(struct checkin_counters *counters, bool committed)
{
    if (committed)
        memset(counters, 0, sizeof *counters);
}

void checkin_counters_close(struct checkin_counters *counters)
{
    free(counters);
}
