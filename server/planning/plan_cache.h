/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the devices of a firmware at one version get on their way to the target. Planned once and kept in
   memory until an image, a package or the firmware changes, so that a waiting device needs no new plan. */
#ifndef DFOTA_SERVER_PLANNING_PLAN_CACHE_H
#define DFOTA_SERVER_PLANNING_PLAN_CACHE_H

#include "server/planning/graph.h"
#include "upgrade/decision.h"

struct plan_cache;

struct planned {
    enum plan_outcome outcome;    /* PLAN_PATH also when one package alone decides: see its state */
    struct image base;            /* id 0: no such image */
    struct image hop;             /* the next version for the device; id 0 with PLAN_NONE */
    char core[VERSION_TEXT_SIZE]; /* with PLAN_NONE: the core of a target that is a full package, else "" */
    bool full;                    /* the hop is a full package, served as it is */
    bool target_full;             /* the target is one */
    bool whole;                   /* the package is a full package of CSDK: the base does not matter */
    bool package_found;
    struct package package;                    /* to the hop */
    char reason[REASON_SIZE];                  /* why the device waits or gets nothing (reason.h), else "" */
    struct package_key unasked[PLAN_NEED_MAX]; /* needed packages that were not requested yet */
    unsigned unasked_count;
};

bool plan_cache_open(struct plan_cache **ret, struct error *err);
void plan_cache_close(struct plan_cache *plan_cache); /* NULL is fine */

/* Writer's thread, with its connection: the plan from `base`, of which the device runs the image `build` (NULL or zero: not known), to the firmware's target, which is another
   version. *ret is valid until the next call. */
bool plan_cache_find(struct daemon *daemon, struct db *db, const struct firmware *firmware,
                     const struct version *base, const struct sha256 *build, const struct planned **ret,
                     struct error *err) __attribute__((warn_unused_result));

/* Writer's thread: requests the packages in planned->unasked. */
bool plan_cache_ask(struct daemon *daemon, struct db *db, const struct planned *planned, int64_t now_ms,
                    struct error *err) __attribute__((warn_unused_result));

#endif
