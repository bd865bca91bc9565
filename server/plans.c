#include "server/plans.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/daemon.h"
#include "server/jobs.h"
#include "server/need.h"
#include "upgrade/full.h"
#include "upgrade/plan_text.h"

#define SLOTS 256 /* bases that devices are at just now; two that fall together are planned in turn */

struct slot {
    int64_t firmware_id;
    char base[VERSION_TEXT_SIZE];
    uint64_t changes; /* db_changes() when it was planned */
    struct planned planned;
};

struct plans {
    struct slot *slot[SLOTS]; /* NULL: none yet */
};

bool plans_open(struct plans **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

void plans_close(struct plans *plans)
{
    for (unsigned i = 0; plans && i < SLOTS; i++)
        free(plans->slot[i]);
    free(plans);
}

/* FNV-1a */
static unsigned slot_number(int64_t firmware_id, const char *base)
{
    uint32_t hash = 2166136261u ^ (uint32_t)firmware_id;
    for (; *base; base++)
        hash = (hash ^ (unsigned char)*base) * 16777619u;
    return hash % SLOTS;
}

/* The package to that stop alone decides, and its own state says all: the direct one, while it is being made,
   or where there is no version between. */
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
        need_key(daemon, firmware, &graph->image[plan->need[i].from], &graph->image[plan->need[i].to], &key);
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
    if (planned->full || !planned->base.id || !planned->hop.id || !firmware->format[0])
        return true;
    need_key(daemon, firmware, &planned->base, &planned->hop, &key);
    return package_find(db, &key, &planned->package, &planned->package_found, err);
}

/* The hop's own bytes are the package. */
static void take_whole(struct planned *planned)
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
    plan_make(&graph->plan, &plan);
    unsigned stop = plan_first_stop(&graph->plan);
    planned->outcome = plan.outcome;
    planned->base = graph->image[0];
    if (decides_alone(&graph->plan, &plan, stop)) {
        planned->outcome = PLAN_PATH;
        plan.aim = stop;
    } else {
        plan_reason(&graph->plan, &plan, planned->reason, sizeof planned->reason);
    }
    const struct image *target = &graph->image[graph->plan.count - 1];
    if (planned->outcome == PLAN_NONE && image_is_full(target))
        memcpy(planned->core, target->core, sizeof planned->core);
    if (plan.aim > 0)
        planned->hop = graph->image[plan.aim];
    if (plan.aim > 0 && plan_edge(&graph->plan, 0, plan.aim)->full)
        take_whole(planned);
    return find_unasked(daemon, db, firmware, graph, &plan, planned, err) &&
           find_package(daemon, db, firmware, planned, err);
}

static bool make(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                 const struct version *base, struct planned *ret, struct error *err)
{
    struct version target;
    struct graph graph;
    *ret = (struct planned){.outcome = PLAN_NONE};
    version_parse(slice_of(firmware->target), &target);
    if (!graph_load(daemon, db, firmware, base, &target, &graph, err))
        return false;
    bool ok = fill(daemon, db, firmware, &graph, ret, err);
    graph_free(&graph);
    return ok;
}

bool plans_find(struct daemon *daemon, struct db *db, const struct firmware *firmware,
                const struct version *base, const struct planned **ret, struct error *err)
{
    char text[VERSION_TEXT_SIZE];
    version_format(base, text);
    struct slot **slot = &daemon->plans->slot[slot_number(firmware->id, text)];
    if (!*slot && !(*slot = calloc(1, sizeof **slot)))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *ret = &(*slot)->planned;
    if ((*slot)->firmware_id == firmware->id && strcmp((*slot)->base, text) == 0 &&
        (*slot)->changes == db_changes(db))
        return true;
    (*slot)->firmware_id = 0; /* until it is filled */
    if (!make(daemon, db, firmware, base, &(*slot)->planned, err))
        return false;
    memcpy((*slot)->base, text, sizeof text);
    (*slot)->firmware_id = firmware->id;
    (*slot)->changes = db_changes(db);
    return true;
}

bool plans_ask(struct daemon *daemon, struct db *db, const struct planned *planned, int64_t now_ms,
               struct error *err)
{
    for (unsigned i = 0; i < planned->unasked_count; i++)
        if (!package_queue(db, &planned->unasked[i], false, 1, now_ms, err))
            return false;
    if (planned->unasked_count)
        jobs_wake_wanted(daemon->jobs);
    return true;
}
