/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/plan_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "server/context.h"
#include "server/build/scheduler.h"
#include "server/planning/package_key.h"
#include "upgrade/full.h"
#include "upgrade/plan_text.h"

#define SLOTS 256 /* bases of current devices; two bases in one slot replace each other */

struct slot {
    int64_t firmware_id;
    char base[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];
    struct sha256 build;             /* of the base; zero: not known */
    uint64_t changes, image_changes; /* db_changes(), db_image_changes() when it was planned */
    struct planned planned;
};

/* A plan over hundreds of images takes a tenth of a second, and packages change several times a second
   while they are made. So after a slow plan, plans that lack only changes of packages stay valid for
   REST_TIMES as long. This limits the part of the writer's time for planning. The package that a device
   gets is still looked up each time. */
#define LONG_MS    10
#define REST_TIMES 10

struct plan_cache {
    struct slot *slot[SLOTS]; /* NULL: empty */
    int64_t rest_until_ms;    /* boot clock */
};

bool plan_cache_open(struct plan_cache **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

void plan_cache_close(struct plan_cache *plan_cache)
{
    for (unsigned i = 0; plan_cache && i < SLOTS; i++)
        free(plan_cache->slot[i]);
    free(plan_cache);
}

/* FNV-1a */
static unsigned slot_number(const struct firmware *firmware, const char *base, const struct sha256 *build)
{
    uint32_t hash = 2166136261u ^ (uint32_t)firmware->id ^ build->byte[0];
    for (; *base; base++)
        hash = (hash ^ (unsigned char)*base) * 16777619u;
    for (const char *target = firmware->target; *target; target++)
        hash = (hash ^ (unsigned char)*target) * 16777619u;
    return hash % SLOTS;
}

/* Only the package to that stop decides, and its state is enough: it is the direct package and is being
   made, or no version is in between. */
static bool decides_alone(const struct plan_graph *graph, const struct plan *plan, unsigned stop)
{
    enum plan_edge_state state = (enum plan_edge_state)plan_edge(graph, 0, stop)->state;
    if (plan->outcome == PLAN_WAIT)
        return plan_fit(graph, 0, stop) == FIT_PENDING && state != EDGE_READY;
    return plan->outcome == PLAN_NONE && graph->count == 2 && !graph->version[1].withdrawn &&
           state != EDGE_IMPOSSIBLE;
}

static bool find_unasked(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                         const struct graph *graph, const struct plan *plan, struct planned *planned,
                         struct error *err)
{
    struct package package;
    struct package_key key;
    bool found;
    for (unsigned i = 0; i < plan->need_count; i++) {
        graph_package_key(daemon, firmware, graph, &plan->need[i], &key);
        if (!package_find(db, &key, &package, &found, err))
            return false;
        if (!found || !package.wanted)
            planned->unasked[planned->unasked_count++] = key;
    }
    return true;
}

static bool find_package(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                         struct planned *planned, struct error *err)
{
    struct package_key key;
    if (planned->full || (!planned->base.id && !planned->whole) || !planned->hop.id || !firmware->format[0])
        return true;
    if (planned->whole)
        package_key_of_whole(firmware, &planned->hop, &key);
    else
        package_key_of(daemon, firmware, &planned->base, &planned->hop, &key);
    return package_find(db, &key, &planned->package, &planned->package_found, err);
}

/* The package is the image itself. */
static void take_image(struct planned *planned)
{
    planned->full = true;
    planned->package = (struct package){.key = {.to = planned->hop.sha256},
                                        .sha256 = planned->hop.sha256,
                                        .size_bytes = planned->hop.size_bytes};
    snprintf(planned->package.key.format, sizeof planned->package.key.format, FULL_FORMAT);
}

static bool fill(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                 struct graph *graph, struct planned *planned, struct error *err)
{
    struct plan plan;
    if (!graph_plan(db, firmware, graph, &plan, err))
        return false;
    unsigned stop = plan_first_stop(&graph->plan);
    planned->outcome = plan.outcome;
    planned->base = graph->image[0];
    if (decides_alone(&graph->plan, &plan, stop)) {
        planned->outcome = PLAN_PATH;
        plan.aim = stop;
    } else {
        plan_reason(&graph->plan, &plan, planned->reason);
    }
    const struct image *target = &graph->image[graph->plan.count - 1];
    planned->target_full = image_is_full(target);
    if (planned->outcome == PLAN_NONE && planned->target_full &&
        !full_takes(target->core, &graph->plan.version[0].version))
        memcpy(planned->core, target->core, sizeof planned->core);
    if (plan.aim > 0)
        planned->hop = graph->image[plan.aim];
    if (plan.aim > 0 && plan_edge(&graph->plan, 0, plan.aim)->full)
        take_image(planned);
    planned->whole = plan.aim > 0 && plan_edge(&graph->plan, 0, plan.aim)->whole;
    return find_unasked(daemon, db, firmware, graph, &plan, planned, err) &&
           find_package(daemon, db, firmware, planned, err);
}

/* *ret_done: the direct package decides, and no graph is needed. The package is ready or being made, and
   no required waypoint is in between. */
static bool make_direct(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                        const struct version *base, const struct sha256 *build, struct planned *ret,
                        bool *ret_done, struct error *err)
{
    bool base_found, target_found, required;
    struct version target;
    char text[VERSION_TEXT_SIZE];
    version_parse(slice_of(firmware->target), &target);
    version_format(base, text);
    *ret = (struct planned){.outcome = PLAN_PATH};
    *ret_done = false;
    if (!image_find_build(db, firmware->id, text, build, &ret->base, &base_found, err) ||
        !image_find(db, firmware->id, firmware->target, &ret->hop, &target_found, err) ||
        !image_required_between(db, firmware->id, base, &target, &required, err))
        return false;
    if (!base_found || !target_found || required || firmware_takes_full_packages(firmware) ||
        !firmware->format[0] || ret->hop.withdrawn_ms || !package_key_can_be_made(&ret->base, &ret->hop))
        return true;
    if (!find_package(daemon, db, firmware, ret, err))
        return false;
    enum package_state state = ret->package_found ? package_state(&ret->package) : PACKAGE_NONE;
    *ret_done = state == PACKAGE_NONE || state == PACKAGE_QUEUED || state == PACKAGE_GENERATING ||
                (state == PACKAGE_READY && package_counted(&ret->package) <= firmware->max_package_bytes);
    if (state == PACKAGE_NONE || (state != PACKAGE_READY && !ret->package.wanted))
        package_key_of(daemon, firmware, &ret->base, &ret->hop, &ret->unasked[ret->unasked_count++]);
    return true;
}

static bool make(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                 const struct version *base, const struct sha256 *build, struct planned *ret,
                 struct error *err)
{
    struct version target;
    struct graph graph;
    bool done;
    if (!make_direct(daemon, db, firmware, base, build, ret, &done, err))
        return false;
    if (done)
        return true;
    *ret = (struct planned){.outcome = PLAN_NONE};
    version_parse(slice_of(firmware->target), &target);
    if (!graph_load(daemon, db, firmware, base, build, &target, &graph, err))
        return false;
    bool ok = fill(daemon, db, firmware, &graph, ret, err);
    graph_free(&graph);
    return ok;
}

static int64_t cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool make_and_rest(struct plan_cache *plan_cache, const struct daemon *daemon, struct db *db,
                          const struct firmware *firmware, const struct version *base,
                          const struct sha256 *build, struct planned *ret, struct error *err)
{
    int64_t begun_ms = cpu_ms();
    if (!make(daemon, db, firmware, base, build, ret, err))
        return false;
    int64_t took_ms = cpu_ms() - begun_ms;
    if (took_ms >= LONG_MS)
        plan_cache->rest_until_ms = clock_boot_ms() + REST_TIMES * took_ms;
    return true;
}

/* Reuses a plan without changes of packages, except the package of its hop. The packages it needs were
   requested when it was made. */
static bool make_do(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                    struct planned *planned, struct error *err)
{
    planned->unasked_count = 0;
    return find_package(daemon, db, firmware, planned, err);
}

bool plan_cache_find(struct daemon *daemon, struct db *db, const struct firmware *firmware,
                     const struct version *base, const struct sha256 *build, const struct planned **ret,
                     struct error *err)
{
    static const struct sha256 unknown;
    struct plan_cache *plan_cache = daemon->plan_cache;
    char text[VERSION_TEXT_SIZE];
    build = build ? build : &unknown;
    version_format(base, text);
    struct slot **slot = &plan_cache->slot[slot_number(firmware, text, build)];
    if (!*slot && !(*slot = calloc(1, sizeof **slot)))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *ret = &(*slot)->planned;
    bool same = (*slot)->firmware_id == firmware->id && strcmp((*slot)->base, text) == 0 &&
                sha256_equal(&(*slot)->build, build) && strcmp((*slot)->target, firmware->target) == 0;
    if (same && (*slot)->changes == db_changes(db))
        return true;
    if (same && (*slot)->image_changes == db_image_changes(db) && clock_boot_ms() < plan_cache->rest_until_ms)
        return make_do(daemon, db, firmware, &(*slot)->planned, err);
    (*slot)->firmware_id = 0; /* until it is filled */
    if (!make_and_rest(plan_cache, daemon, db, firmware, base, build, &(*slot)->planned, err))
        return false;
    memcpy((*slot)->base, text, sizeof text);
    (*slot)->build = *build;
    memcpy((*slot)->target, firmware->target, sizeof firmware->target);
    (*slot)->firmware_id = firmware->id;
    (*slot)->changes = db_changes(db);
    (*slot)->image_changes = db_image_changes(db);
    return true;
}

bool plan_cache_ask(struct daemon *daemon, struct db *db, const struct planned *planned, int64_t now_ms,
                    struct error *err)
{
    for (unsigned i = 0; i < planned->unasked_count; i++)
        if (!package_queue(db, &planned->unasked[i], false, 1, now_ms, err))
            return false;
    if (planned->unasked_count)
        scheduler_wake_wanted(daemon->scheduler);
    return true;
}
