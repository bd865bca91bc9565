#include "server/checkin/counters.h"

#include <stdlib.h>
#include <string.h>

#include "storage/device.h"
#include "storage/ledger.h"

#define DAY_MS    (24LL * 3600 * 1000)
#define ROOM_BITS 15
#define ROOM                                                                                                 \
    (1u << ROOM_BITS) /* devices between two flushes; what comes above three quarters is not counted */

struct seen {
    struct {
        int64_t device_id; /* 0: free */
        int64_t check_ins, last_seen_ms;
        struct ledger_day quiet; /* those that changed nothing; of the day of the first */
    } slot[ROOM];
    unsigned used;
};

bool seen_open(struct seen **ret, struct error *err)
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

void seen_add(struct seen *seen, int64_t device_id, int64_t now_ms, bool noted)
{
    unsigned at = (unsigned)((uint64_t)device_id * 0x9E3779B97F4A7C15u >> (64 - ROOM_BITS));
    while (seen->slot[at].device_id && seen->slot[at].device_id != device_id)
        at = (at + 1) % ROOM;
    if (!seen->slot[at].device_id) {
        if (seen->used >= ROOM * 3 / 4)
            return;
        seen->used++;
        seen->slot[at].device_id = device_id;
    }
    seen->slot[at].check_ins++;
    seen->slot[at].last_seen_ms = now_ms;
    if (!noted)
        count_quiet(&seen->slot[at].quiet, now_ms);
}

bool seen_store(struct seen *seen, struct db *db, struct error *err)
{
    for (unsigned at = 0; seen->used && at < ROOM; at++) {
        int64_t id = seen->slot[at].device_id;
        const struct ledger_day *quiet = &seen->slot[at].quiet;
        if (id && (!device_seen(db, id, seen->slot[at].check_ins, seen->slot[at].last_seen_ms, err) ||
                   (quiet->count && !ledger_day_add(db, id, quiet, err))))
            return false;
    }
    return true;
}

void seen_flushed(struct seen *seen, bool committed)
{
    if (committed)
        memset(seen, 0, sizeof *seen);
}

void seen_close(struct seen *seen)
{
    free(seen);
}
