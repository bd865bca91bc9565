/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The way from one version to another over the packages there are, and what is worth making while there is
   none. Pure: no clock, no I/O, no memory of its own.

   The caller lays out the versions between base and target as a graph; an upgrade and a way back are planned
   alike, because the versions stand in the order of travel. A way takes the fewest hops and among these the
   fewest bytes (then the earliest stops), over packages that are ready and within the limit. It stops at
   every required version, at no forbidden or withdrawn one, and never leads to a withdrawn target.

   While no way is known, a few pairs at a time are named that are worth making: the direct pair alone; once
   that is settled (made, failed or oversize for good) the legs of the two most promising ways, judged by
   their hops and by what the sizes of neighbouring pairs let expect. Nothing is ever given up before every
   pair is settled that could be part of a way.

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
    WAYPOINT_FORBIDDEN, /* no stop on the way; base or target it may be */
    WAYPOINT_REQUIRED   /* no hop may pass it */
};
extern const struct enum_names waypoint_names; /* "allowed", "forbidden", "required" */

struct plan_version {
    struct version version;
    enum waypoint waypoint;
    bool here; /* its image is here. Not looked at for the ways; only the advice names it */
    const char *
        core; /* what is here is a full package, for devices of this core; NULL or "": an image, or nothing. Only the
                         texts look at it; the caller's */
    bool withdrawn; /* nothing leads to it; away from it as from any other */

    /* the planner's */
    unsigned required; /* how many required versions stand up to here */
    unsigned hops;
    uint64_t cost;
    unsigned before, next;
    bool reached;            /* by the search */
    bool reachable, reaches; /* see plan_mark() */
};

enum plan_edge_state {
    EDGE_IMPOSSIBLE, /* nobody can make it: an image is not here, or it is no image that deltas start from or
                        lead to */
    EDGE_UNKNOWN,    /* could be made, nobody asked */
    EDGE_QUEUED,
    EDGE_GENERATING,
    EDGE_READY,    /* made and servable; oversize where size > limit */
    EDGE_UNPROVEN, /* made, but not proven and not released */
    EDGE_FAILED
};

struct plan_edge {
    uint64_t size;     /* EDGE_READY and EDGE_UNPROVEN */
    const char *error; /* EDGE_FAILED; the caller's, may be NULL */
    uint8_t state;     /* enum plan_edge_state */
    bool improving;    /* smaller bytes may still come: oversize is not settled */
    bool full;         /* a full package; tells nothing about the size of deltas */

    /* the planner's */
    bool taken, lifted;
    unsigned away;     /* how far the pair is that the expectation comes from */
    uint64_t expected; /* size of a pair that is not settled */
};

/* Filled by the caller but for what is the planner's. */
struct plan_graph {
    unsigned count;               /* at least 2; the first is the base, the last the target */
    uint64_t limit;               /* bytes of a package */
    bool format_missing;          /* no delta is made at all; only the texts look at it */
    struct plan_version *version; /* [count], in order of travel: ascending, or for a way back descending */
    struct plan_edge *edge;       /* [count * count], see plan_edge(); only those forward are looked at */
};

static inline struct plan_edge *plan_edge(const struct plan_graph *graph, unsigned from, unsigned to)
{
    return &graph->edge[(size_t)from * graph->count + to];
}

#define PLAN_NEED_MAX 4

enum plan_outcome {
    PLAN_PATH, /* a way is known: the device gets the first hop */
    PLAN_WAIT, /* pairs are still to be made: code 43 */
    PLAN_NONE  /* settled: there is no way */
};

struct plan_pair {
    unsigned from, to; /* indices of versions */
};

struct plan {
    enum plan_outcome outcome;
    unsigned hops;  /* of the best way over what is ready (plan_next()); 0: none. With PLAN_WAIT it is not
                       taken yet,  because the direct pair may still turn out to fit */
    uint64_t bytes; /* of all its packages */
    unsigned aim;   /* where the first hop leads: of that way, or with PLAN_WAIT of the most promising;
                       PLAN_NONE: 0 */
    struct plan_pair
        need[PLAN_NEED_MAX]; /* worth making now, most urgent first; queued and running ones included */
    unsigned need_count;     /* never 0 with PLAN_WAIT, always 0 with PLAN_NONE */
};

/* Leaves marks in the graph, which the functions below and those of plan_text.h read. */
void plan_make(struct plan_graph *graph, struct plan *ret);

/* The stop after `stop` (first the base, 0) on the known way; only with plan->hops > 0 and before the target.
 */
unsigned plan_next(const struct plan_graph *graph, unsigned stop);

/* The first stop that every way must make: a required version, else the target. */
unsigned plan_first_stop(const struct plan_graph *graph);

/* Marks which versions are reachable from the base, and which reach `to`, over what is ready or may still be. */
void plan_mark(struct plan_graph *graph, unsigned to);

enum plan_fit {
    FIT_USABLE,
    FIT_PENDING, /* not settled */
    FIT_EXCLUDED
};

/* Whether a hop from → to (from < to) may be part of a way. After plan_make(). */
enum plan_fit plan_fit(const struct plan_graph *graph, unsigned from, unsigned to);

#endif
