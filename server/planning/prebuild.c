/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/prebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "server/context.h"
#include "server/build/scheduler.h"
#include "server/core/log.h"
#include "server/planning/build_choice.h"
#include "server/planning/package_key.h"
#include "storage/matrix.h"

#define PAIRS_AT_ONCE 256   /* in one transaction: a few milliseconds */
#define RETRY_MS      10000 /* after a full disk or an error of the database */

struct order {
    int64_t firmware_id, image_id; /* image_id 0: all of the firmware */
    struct order *next;
};

struct prebuild {
    struct daemon *daemon;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct order *first, **last;
    bool stopping;
};

/* The progress of one order. */
struct row {
    struct daemon *daemon;
    const struct order *order;
    struct build {
        char version[VERSION_TEXT_SIZE], variant[VARIANT_SIZE];
    } from, to; /* the last pair that was requested; "": no pair yet */
    bool done;
};

/* Requests, in the writer's thread */

/* Packages go from each build, to the one build of the other version to which they lead. */
static bool helps(const struct image *from, const struct image *images, size_t count, size_t to)
{
    size_t first = to, builds;
    if (!package_key_can_be_made(from, &images[to]) || images[to].withdrawn_ms ||
        strcmp(from->version, images[to].version) == 0)
        return false;
    while (first > 0 && strcmp(images[first - 1].version, images[to].version) == 0)
        first--;
    builds = build_choice_count(&images[first], count - first);
    return build_choice_to(&images[first], builds, from) == &images[to];
}

/* How many of the sorted images are before the build; with or_at also the one at it. */
static size_t count_before(const struct image *images, size_t count, const struct build *build, bool or_at)
{
    struct version version, here;
    size_t i = 0;
    if (!version_parse(slice_of(build->version), &version))
        return 0;
    for (; i < count && version_parse(slice_of(images[i].version), &here); i++) {
        int order = version_compare(&here, &version);
        order = order ? order : strcmp(images[i].variant, build->variant);
        if (order > 0 || (order == 0 && !or_at))
            break;
    }
    return i;
}

static void take_build(const struct image *image, struct build *ret)
{
    memcpy(ret->version, image->version, sizeof ret->version);
    memcpy(ret->variant, image->variant, sizeof ret->variant);
}

/* Requests pairs in the order of `from`, then `to`, from the last requested pair on. */
static bool ask_pairs(struct row *row, struct db *db, const struct firmware *firmware,
                      const struct image *images, size_t count, struct error *err)
{
    unsigned asked = 0;
    int64_t only = row->order->image_id, now_ms = clock_utc_ms();
    size_t i = count_before(images, count, &row->from, false),
           j = count_before(images, count, &row->to, true);
    for (; i < count; i++, j = 0)
        for (j = j > i ? j : i + 1; j < count; j++) {
            struct package_key key;
            if ((only && images[i].id != only && images[j].id != only) ||
                !helps(&images[i], images, count, j))
                continue;
            if (asked++ == PAIRS_AT_ONCE)
                return true;
            package_key_of(row->daemon, firmware, &images[i], &images[j], &key);
            if (!package_queue(db, &key, false, 0, now_ms, err))
                return false;
            take_build(&images[i], &row->from);
            take_build(&images[j], &row->to);
        }
    row->done = true;
    return true;
}

/* Lists the images again each time: an image may be removed meanwhile, or the format changed. */
static bool ask_some(void *cls, struct db *db, struct error *err)
{
    struct row *row = cls;
    _cleanup_(cleanup_free) struct image *images = NULL;
    struct firmware firmware;
    size_t count;
    bool found;
    if (!firmware_by_id(db, row->order->firmware_id, &firmware, &found, err))
        return false;
    row->done = !found || !firmware.format[0];
    return row->done || (image_list(db, firmware.id, &images, &count, err) &&
                         ask_pairs(row, db, &firmware, images, count, err));
}

/* The thread */

/* False: the server ends. */
static bool rest(struct prebuild *prebuild)
{
    int64_t deadline_ms = clock_monotonic_ms() + RETRY_MS;
    bool in_time = true;
    pthread_mutex_lock(&prebuild->mutex);
    while (!prebuild->stopping && in_time)
        in_time = thread_wait_until(&prebuild->changed, &prebuild->mutex, deadline_ms);
    bool go_on = !prebuild->stopping;
    pthread_mutex_unlock(&prebuild->mutex);
    return go_on;
}

static bool is_stopping(struct prebuild *prebuild)
{
    pthread_mutex_lock(&prebuild->mutex);
    bool stopping = prebuild->stopping;
    pthread_mutex_unlock(&prebuild->mutex);
    return stopping;
}

static void fill(struct prebuild *prebuild, const struct order *order)
{
    struct row row = {.daemon = prebuild->daemon, .order = order};
    while (!row.done && !is_stopping(prebuild)) {
        struct row next = row;
        struct error err;
        if (writer_call(prebuild->daemon->writer, ask_some, &next, &err)) {
            row = next;
            scheduler_wake(prebuild->daemon->scheduler);
            continue;
        }
        log_line(LOG_LEVEL_ERROR, "matrix-not-queued", "error", err.text, NULL);
        if (!rest(prebuild))
            return;
    }
}

static struct order *take(struct prebuild *prebuild)
{
    pthread_mutex_lock(&prebuild->mutex);
    while (!prebuild->first && !prebuild->stopping)
        pthread_cond_wait(&prebuild->changed, &prebuild->mutex);
    struct order *order = prebuild->stopping ? NULL : prebuild->first;
    if (order) {
        prebuild->first = order->next;
        if (!prebuild->first)
            prebuild->last = &prebuild->first;
    }
    pthread_mutex_unlock(&prebuild->mutex);
    return order;
}

static void *work(void *cls)
{
    struct prebuild *prebuild = cls;
    for (struct order *order; (order = take(prebuild)); free(order))
        fill(prebuild, order);
    return NULL;
}

void prebuild_add(struct prebuild *prebuild, int64_t firmware_id, int64_t image_id)
{
    struct order *order = prebuild->daemon->config->matrix == MATRIX_ALL ? malloc(sizeof *order) : NULL;
    if (!order)
        return; /* no memory: the next start requests them */
    *order = (struct order){firmware_id, image_id, NULL};
    pthread_mutex_lock(&prebuild->mutex);
    *prebuild->last = order;
    prebuild->last = &order->next;
    pthread_cond_broadcast(&prebuild->changed);
    pthread_mutex_unlock(&prebuild->mutex);
}

/* Start and end */

static bool add_missing(void *cls, struct db *db, struct error *err)
{
    struct prebuild *prebuild = cls;
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    size_t count;
    /* The configuration may have changed since the last start. */
    if (!matrix_forget(db, err) || !matrix_firmwares(db, &ids, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        prebuild_add(prebuild, ids[i], 0);
    return true;
}

bool prebuild_start(struct daemon *daemon, struct prebuild **ret, struct error *err)
{
    struct prebuild *prebuild = calloc(1, sizeof *prebuild);
    if (!prebuild)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    prebuild->daemon = daemon;
    prebuild->last = &prebuild->first;
    pthread_mutex_init(&prebuild->mutex, NULL);
    pthread_cond_init(&prebuild->changed, NULL);
    if (!thread_start("prebuild", work, prebuild, &prebuild->thread, err)) {
        free(prebuild);
        return false;
    }
    *ret = prebuild;
    return writer_call(daemon->writer, add_missing, prebuild, err);
}

void prebuild_stop(struct prebuild *prebuild)
{
    if (!prebuild)
        return;
    pthread_mutex_lock(&prebuild->mutex);
    prebuild->stopping = true;
    pthread_cond_broadcast(&prebuild->changed);
    pthread_mutex_unlock(&prebuild->mutex);
    thread_join(prebuild->thread);
    for (struct order *order = prebuild->first, *next; order; order = next) {
        next = order->next;
        free(order);
    }
    pthread_cond_destroy(&prebuild->changed);
    pthread_mutex_destroy(&prebuild->mutex);
    free(prebuild);
}
