/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/counters.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/device.h"
#include "storage/ledger.h"

#define ROOM_BITS 16
#define ROOM      (1u << ROOM_BITS) /* devices between two flushes */
/* From ROOM_HURRY on a flush is wanted at once. With ROOM_MOST no further device is counted: the disk is too slow. */
#define ROOM_HURRY (ROOM / 2)
#define ROOM_MOST  (ROOM / 4 * 3)

struct device_count {
    int64_t device_id; /* 0: free */
    int64_t check_ins, last_seen_ms;
    struct ledger_day quiet; /* check-ins that changed nothing, on the day of the first */
};

struct counted {
    struct device_count slot[ROOM];
    unsigned used;
    bool hurried; /* a flush is wanted, and was asked for */
};

struct checkin_counters {
    pthread_mutex_t mutex;
    struct counted *counting;
    struct counted *storing;                /* what a flush stores; other threads only read it */
    const struct device_count *order[ROOM]; /* of a flush */
};

bool checkin_counters_open(struct checkin_counters **ret, struct error *err)
{
    struct checkin_counters *counters = calloc(1, sizeof *counters);
    if (counters) {
        counters->counting = calloc(1, sizeof *counters->counting);
        counters->storing = calloc(1, sizeof *counters->storing);
        pthread_mutex_init(&counters->mutex, NULL);
    }
    *ret = counters;
    if (counters && counters->counting && counters->storing)
        return true;
    checkin_counters_close(counters);
    *ret = NULL;
    return error_set(err, ERROR_INTERNAL, "out of memory");
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
static unsigned find_slot(const struct counted *counted, int64_t device_id)
{
    unsigned at = (unsigned)((uint64_t)device_id * 0x9E3779B97F4A7C15u >> (64 - ROOM_BITS));
    while (counted->slot[at].device_id && counted->slot[at].device_id != device_id)
        at = (at + 1) % ROOM;
    return at;
}

static void look(const struct counted *counted, int64_t device_id, int64_t *check_ins, int64_t *last_seen_ms)
{
    unsigned at = find_slot(counted, device_id);
    if (!counted->slot[at].check_ins)
        return;
    int64_t seen_ms = counted->slot[at].last_seen_ms;
    *check_ins += counted->slot[at].check_ins;
    /* As device_seen() will. A later check-in that changed the device was stored at once. */
    if (*last_seen_ms <= seen_ms || *last_seen_ms > seen_ms + CLOCK_AHEAD_MS)
        *last_seen_ms = seen_ms;
}

void checkin_counters_look(struct checkin_counters *counters, int64_t device_id, int64_t *check_ins,
                           int64_t *last_seen_ms)
{
    if (!counters || !device_id)
        return;
    pthread_mutex_lock(&counters->mutex);
    look(counters->storing, device_id, check_ins, last_seen_ms);
    look(counters->counting, device_id, check_ins, last_seen_ms);
    pthread_mutex_unlock(&counters->mutex);
}

/* ROOM: there is no room for a further device. */
static unsigned take_slot(struct counted *counted, int64_t device_id)
{
    unsigned at = find_slot(counted, device_id);
    if (!counted->slot[at].device_id) {
        if (counted->used >= ROOM_MOST)
            return ROOM;
        counted->used++;
        counted->slot[at].device_id = device_id;
    }
    return at;
}

static void count(struct counted *counted, int64_t device_id, int64_t now_ms, bool noted)
{
    unsigned at = take_slot(counted, device_id);
    if (at == ROOM)
        return;
    counted->slot[at].check_ins++;
    counted->slot[at].last_seen_ms = now_ms;
    if (!noted)
        count_quiet(&counted->slot[at].quiet, now_ms);
}

/* Once for each flush. */
static bool takes_hurry(struct counted *counted)
{
    if (counted->used < ROOM_HURRY || counted->hurried)
        return false;
    counted->hurried = true;
    return true;
}

bool checkin_counters_add(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted)
{
    pthread_mutex_lock(&counters->mutex);
    count(counters->counting, device_id, now_ms, noted);
    bool hurries = takes_hurry(counters->counting);
    pthread_mutex_unlock(&counters->mutex);
    return hurries;
}

bool checkin_counters_stored(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted)
{
    pthread_mutex_lock(&counters->mutex);
    struct counted *counting = counters->counting;
    unsigned at = noted ? find_slot(counting, device_id) : take_slot(counting, device_id);
    if (at != ROOM && counting->slot[at].check_ins) /* the clock may have been set back since */
        counting->slot[at].last_seen_ms = now_ms;
    if (at != ROOM && !noted)
        count_quiet(&counting->slot[at].quiet, now_ms);
    bool hurries = takes_hurry(counting);
    pthread_mutex_unlock(&counters->mutex);
    return hurries;
}

/* From now on other threads count in the other table. */
static const struct counted *take(struct checkin_counters *counters)
{
    pthread_mutex_lock(&counters->mutex);
    struct counted *counted = counters->counting;
    counters->counting = counters->storing;
    counters->storing = counted;
    pthread_mutex_unlock(&counters->mutex);
    return counted;
}

static int compare_ids(const void *left, const void *right)
{
    const struct device_count *const *a = left, *const *b = right;
    return ((*a)->device_id > (*b)->device_id) - ((*a)->device_id < (*b)->device_id);
}

/* In the order of the table: neighbours are on one page, and each page is written once. */
static unsigned sort(const struct counted *counted, const struct device_count **ret)
{
    unsigned count = 0;
    for (unsigned at = 0; counted->used && at < ROOM; at++)
        if (counted->slot[at].device_id)
            ret[count++] = &counted->slot[at];
    qsort(ret, count, sizeof *ret, compare_ids);
    return count;
}

static bool store(struct db *db, const struct device_count *count, struct error *err)
{
    return (!count->check_ins ||
            device_seen(db, count->device_id, count->check_ins, count->last_seen_ms, err)) &&
           (!count->quiet.count || ledger_day_add(db, count->device_id, &count->quiet, err));
}

bool checkin_counters_store(struct checkin_counters *counters, struct db *db, struct error *err)
{
    unsigned count = sort(take(counters), counters->order);
    for (unsigned i = 0; i < count; i++)
        if (!store(db, counters->order[i], err))
            return false;
    return true;
}

/* Adds what could not be stored to what was counted meanwhile. */
static void merge(struct counted *counting, const struct counted *old)
{
    for (unsigned from = 0; old->used && from < ROOM; from++) {
        int64_t id = old->slot[from].device_id;
        unsigned at = id ? take_slot(counting, id) : ROOM;
        if (at == ROOM)
            continue;
        struct ledger_day *quiet = &counting->slot[at].quiet, of_old = old->slot[from].quiet;
        counting->slot[at].check_ins += old->slot[from].check_ins;
        if (!counting->slot[at].last_seen_ms)
            counting->slot[at].last_seen_ms = old->slot[from].last_seen_ms;
        if (of_old.count) {
            of_old.count += quiet->count;
            of_old.last_ms = quiet->count ? quiet->last_ms : of_old.last_ms;
            *quiet = of_old;
        }
    }
}

void checkin_counters_flushed(struct checkin_counters *counters, bool committed)
{
    pthread_mutex_lock(&counters->mutex);
    if (!committed) {
        merge(counters->counting, counters->storing);
        counters->counting->hurried = true; /* the next try has time */
    }
    memset(counters->storing, 0, sizeof *counters->storing);
    pthread_mutex_unlock(&counters->mutex);
}

void checkin_counters_close(struct checkin_counters *counters)
{
    if (!counters)
        return;
    pthread_mutex_destroy(&counters->mutex);
    free(counters->counting);
    free(counters->storing);
    free(counters);
}
