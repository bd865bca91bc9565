/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet.h"

#include <stdlib.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"

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
    int64_t wait_ms = schedule->heap[0]->due_ms - clock_boot_ms() + 1;
    thread_wait_until(&schedule->change, &schedule->lock, clock_monotonic_ms() + wait_ms);
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
    if (!thread)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    while (started < count && thread_start("module", work, schedule, &thread[started], err))
        started++;
    for (size_t i = 0; i < started; i++)
        thread_join(thread[i]);
    return started > 0;
}

bool fleet_run(struct fleet *fleet, size_t parallel, struct error *err)
{
    struct schedule schedule = {.living = 0};
    _cleanup_(cleanup_free) struct module **heap = schedule.heap = calloc(fleet->count, sizeof *heap);
    if (!heap)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->module[i].outcome == OUTCOME_RUNNING) {
            put(&schedule, &fleet->module[i]);
            schedule.living++;
        }
    if (!schedule.living)
        return true;
    pthread_cond_init(&schedule.change, NULL);
    pthread_mutex_init(&schedule.lock, NULL);
    bool ok = run_threads(&schedule, parallel < schedule.living ? parallel : schedule.living, err);
    pthread_mutex_destroy(&schedule.lock);
    pthread_cond_destroy(&schedule.change);
    return ok;
}
