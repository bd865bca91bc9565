/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds the path from one version to another over the packages that exist, and the packages that are worth
   making while there is no path. Pure: no clock, no I/O, no allocation.

   The caller gives the versions between base and target as a graph, in the order of travel. So upgrades and
   downgrades are planned in the same way. A path has the fewest hops, then the fewest bytes, then the
   earliest stops. It uses packages that are ready and within the limit. It stops at every required version
   and at no forbidden or withdrawn version. It never leads to a withdrawn target.

   While no path is known, the plan names a few pairs that are worth making. The direct pair comes first,
   alone. When it is settled (made, failed, or oversize for good), the hops of the two most promising paths
   follow. Fewer hops and smaller expected sizes are more promising; sizes are estimated from neighbouring
   pairs. The result is PLAN_NONE only after every pair that could be part of a path is settled.

   Deterministic. With n versions every function takes O(n²) steps; 200 versions take about a millisecond. */
#ifndef DFOTA_UPGRADE_PLANNER_H
#define DFOTA_UPGRADE_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "upgrade/version.h"

enum waypoint {
    WAYPOINT_ALLOWED,
    WAYPOINT_FORBIDDEN, /* no stop; it may be the base or the target */
    WAYPOINT_REQUIRED   /* every path stops here */
};
extern const struct enum_names waypoint_names; /* "allowed", "forbidden", "required" */

struct plan_version {
    struct version version;
    enum waypoint waypoint;
    bool several; /* builds are stored, and none of them is chosen; only the texts use this */
    bool here;    /* its image is stored; only the texts use this */
    /* A full package for this core is stored; NULL or "": an image, or nothing. Only the texts use this.
       Borrowed. */
    const char *core;
    bool withdrawn; /* no path leads to it; paths from it are allowed */

    /* set by the planner */
    unsigned required; /* number of required versions up to and including this one */
    unsigned hops;
    uint64_t cost;
    unsigned before, next;
    bool reached;            /* by the search */
    bool reachable, reaches; /* see plan_mark() */
};

enum plan_edge_state {
    EDGE_IMPOSSIBLE, /* cannot be made: an image is missing, or no delta can be made from or to it */
    EDGE_UNKNOWN,    /* can be made, but is not queued */
    EDGE_QUEUED,
    EDGE_GENERATING,
    EDGE_READY,    /* made, and proven or released; oversize if size > limit */
    EDGE_UNPROVEN, /* made, but not proven and not released */
    EDGE_FAILED,
    EDGE_QUARANTINED /* out of service, because devices came back with the old version */
};

struct plan_edge {
    uint64_t size;      /* EDGE_READY and EDGE_UNPROVEN */
    uint64_t uncounted; /* bytes of the size that do not count against the limit */
    const char *
        error; /* EDGE_FAILED and EDGE_QUARANTINED: why; EDGE_IMPOSSIBLE: why a full package does not fit, or that scripts have other places. The caller
                          owns it; may be NULL */
    uint8_t state;  /* enum plan_edge_state */
    bool improving; /* may become smaller: oversize is not settled */
    /* A full package of CSDK, which leads from any version. It was checked against the limit of modules, not of
       deltas. */
    bool whole;
    bool full; /* a full package: its size says nothing about deltas */

    /* set by the planner */
    bool taken, lifted;
    unsigned away;     /* distance to the pair that the expected size comes from */
    uint64_t expected; /* estimated counted size of a pair that is not settled */
};

/* The caller fills all fields that the planner does not set. */
struct plan_graph {
    unsigned count;      /* at least 2; the first is the base, the last the target */
    uint64_t limit;      /* of the bytes of a package */
    bool format_missing; /* no package format: no delta is made; only the texts use this */
    struct plan_version
        *version;           /* [count], in the order of travel: ascending, or descending for a downgrade */
    struct plan_edge *edge; /* [count * count], see plan_edge(); only edges with from < to are used */
};

/* What is compared with the limit. */
static inline uint64_t plan_counted(const struct plan_edge *edge)
{
    return edge->size - edge->uncounted;
}

static inline struct plan_edge *plan_edge(const struct plan_graph *graph, unsigned from, unsigned to)
{
    return &graph->edge[(size_t)from * graph->count + to];
}

#define PLAN_NEED_MAX 4

enum plan_outcome {
    PLAN_PATH, /* a path is known: the device gets the first hop */
    PLAN_WAIT, /* pairs are still to be made: code 43 */
    PLAN_NONE  /* there is no path, and everything is settled */
};

struct plan_pair {
    unsigned from, to; /* indices of versions */
};

struct plan {
    enum plan_outcome outcome;
    /* The best path over ready packages (plan_next()). With PLAN_WAIT it is not used yet, because the
       direct pair may still fit. */
    unsigned hops;  /* 0: no such path */
    uint64_t bytes; /* of all its packages */
    /* Where the first hop leads: on that path, or with PLAN_WAIT on the most promising path; with PLAN_NONE
       0. */
    unsigned aim;
    /* Pairs that are worth making now, the most urgent first. Also those that are queued or running. */
    struct plan_pair need[PLAN_NEED_MAX];
    unsigned need_count; /* never 0 with PLAN_WAIT, always 0 with PLAN_NONE */
};

/* Stores its results in the graph for the functions below and those of plan_text.h. */
void plan_make(struct plan_graph *graph, struct plan *ret);

/* The stop after `stop` (first the base, 0) on the known path. Only with plan->hops > 0, and not for the
   target. */
unsigned plan_next(const struct plan_graph *graph, unsigned stop);

/* The first stop of every path: the first required version, or the target. */
unsigned plan_first_stop(const struct plan_graph *graph);

/* Marks the versions that are reachable from the base, and those that reach `to`, over pairs that are not
   excluded. */
void plan_mark(struct plan_graph *graph, unsigned to);

enum plan_fit {
    FIT_USABLE,
    FIT_PENDING, /* not settled */
    FIT_EXCLUDED
};

/* Whether the hop from → to (from < to) may be part of a path. Call after plan_make(). */
enum plan_fit plan_fit(const struct plan_graph *graph, unsigned from, unsigned to);

#endif
