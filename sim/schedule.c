/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "base/cleanup.h"
#include "base/clock.h"

/* A thread takes the module that is due first, runs one step of it, and puts it back. A waiting module
   needs no thread. */
struct schedule {
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct module **heap; /* by due_ms, the earliest first */
    size_t waiting;       /* in the heap */
    size_t living;        /* in the heap or in a thread */
};

static void swap(struct schedule *schedule, size_t a, size_t b)
{
    struct module *module = schedule->heap[a];
    schedule->heap[a] = schedule->heap[b];
    schedule->heap[b] = module;
}

static bool before(const struct schedule *schedule, size_t a, size_t b)
{
    return schedule->heap[a]->due_ms < schedule->heap[b]->due_ms;
}

static void put(struct schedule *schedule, struct module *module)
{
    size_t at = schedule->waiting++;
    schedule->heap[at] = module;
    for (; at > 0 && before(schedule, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(schedule, at, (at - 1) / 2);
}

static struct module *take(struct schedule *schedule)
{
    struct module *first = schedule->heap[0];
    schedule->heap[0] = schedule->heap[--schedule->waiting];
    for (size_t at = 0;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < schedule->waiting; i++)
            if (before(schedule, i, least))
                least = i;
        if (least == at)
            return first;
        swap(schedule, at, least);
        at = least;
    }
}

/* Waits until something changes or the first module is due. The caller holds the lock. */
static void wait_for_change(struct schedule *schedule)
{
    if (schedule->waiting == 0) {
        pthread_cond_wait(&schedule->change, &schedule->lock);
        return;
    }
    struct timespec until;
    int64_t wait_ms = schedule->heap[0]->due_ms - clock_boot_ms();
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t due_ms = (int64_t)until.tv_sec * 1000 + until.tv_nsec / 1000000 + wait_ms + 1;
    until = (struct timespec){.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(&schedule->change, &schedule->lock, &until);
}

static void *work(void *argument)
{
    struct schedule *schedule = argument;
    pthread_mutex_lock(&schedule->lock);
    while (schedule->living > 0) {
        if (schedule->waiting == 0 || schedule->heap[0]->due_ms > clock_boot_ms()) {
            wait_for_change(schedule);
            continue;
        }
        struct module *module = take(schedule);
        pthread_mutex_unlock(&schedule->lock);
        bool lives = module_step(module);
        pthread_mutex_lock(&schedule->lock);
        if (lives)
            put(schedule, module);
        else
            schedule->living--;
        if (schedule->living == 0)
            pthread_cond_broadcast(&schedule->change);
        else if (lives)
            pthread_cond_signal(&schedule->change);
    }
    pthread_mutex_unlock(&schedule->lock);
    return NULL;
}

static bool run_threads(struct schedule *schedule, size_t count, struct error *err)
{
    _cleanup_(cleanup_free) pthread_t *thread = calloc(count, sizeof *thread);
    size_t started = 0;
    while (thread && started < count && pthread_create(&thread[started], NULL, work, schedule) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    return started > 0 || error_set(err, ERROR_UNAVAILABLE, "cannot start a thread");
}

bool fleet_run(struct fleet *fleet, size_t parallel, struct error *err)
{
    struct schedule schedule = {.living = fleet->count};
    _cleanup_(cleanup_free) struct module **heap = schedule.heap = calloc(fleet->count, sizeof *heap);
    if (!heap)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < fleet->count; i++)
        put(&schedule, &fleet->module[i]);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&schedule.change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&schedule.lock, NULL);
    bool ok = run_threads(&schedule, parallel < fleet->count ? parallel : fleet->count, err);
    pthread_mutex_destroy(&schedule.lock);
    pthread_cond_destroy(&schedule.change);
    return ok;
}
