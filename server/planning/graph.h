/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The images and packages of a firmware between two versions, as a graph for the planner. */
#ifndef DFOTA_SERVER_PLANNING_GRAPH_H
#define DFOTA_SERVER_PLANNING_GRAPH_H

#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"
#include "upgrade/planner.h"

struct daemon;

struct graph {
    struct plan_graph plan;
    struct image
        *image; /* [plan.count]; id 0: only the version is known, possible for the first and the last */
};

/* Of several builds of a version, the graph has at most one (build_choice.h): of the base the one with the hash `build`
   (NULL or zero: not known; image_no_build: no build).

   Reads the images from version `from` to version `to`, upwards or downwards, and the packages between
   them. The two versions differ. The caller frees *ret with graph_free(). Memory grows with n² for n
   images. Any thread, with its own connection. */
bool graph_load(const struct daemon *daemon, struct db *db, const struct firmware *firmware,
                const struct version *from, const struct sha256 *build, const struct version *to,
                struct graph *ret, struct error *err) __attribute__((warn_unused_result));
void graph_free(struct graph *graph);

/* Plans as plan_make(). If the firmware takes full packages of CSDK, some pairs get the full package of their second version,
   and the path is planned again. "Preferred": all pairs whose full package is ready or may become so. When there is no path:
   each pair that no delta can cover. "Allowed": the first hop, where a ready full package has fewer bytes than the deltas. */
bool graph_plan(struct db *db, const struct firmware *firmware, struct graph *graph, struct plan *ret,
                struct error *err) __attribute__((warn_unused_result));

/* The key of the package of a pair, after graph_plan(). */
void graph_package_key(const struct daemon *daemon, const struct firmware *firmware,
                       const struct graph *graph, const struct plan_pair *pair, struct package_key *ret);

#endif
