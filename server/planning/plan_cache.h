/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the devices of a firmware at one version get on their way to its target: planned once, kept in memory
   until an image, a package or the firmware changes. So a device that waits costs no more than looking itself
   up. */
#ifndef DFOTA_SERVER_PLANNING_PLAN_CACHE_H
#define DFOTA_SERVER_PLANNING_PLAN_CACHE_H

#include "server/planning/graph.h"
#include "upgrade/decision.h"

struct plan_cache;

struct planned {
    enum plan_outcome
        outcome;       /* PLAN_PATH also where one package alone decides: its own state then says how */
    struct image base; /* id 0: it is not here */
    struct image hop;  /* where the device is led first; id 0 with PLAN_NONE */
    char core[VERSION_TEXT_SIZE]; /* with PLAN_NONE: the core of a target that is a full package, else "" */
    bool full;                    /* by the hop's own bytes */
    bool package_found;
    struct package package;                    /* base → hop */
    char reason[REASON_SIZE];                  /* why it waits or gets nothing, else "" */
    struct package_key unasked[PLAN_NEED_MAX]; /* pairs worth making that nobody has asked for */
    unsigned unasked_count;
};

bool plan_cache_open(struct plan_cache **ret, struct error *err);
void plan_cache_close(struct plan_cache *plan_cache); /* NULL is fine */

/* Writer's thread, with its connection: the plan from `base` to the firmware's target, another version. *ret
   stays as it is until the next call. */
bool plan_cache_find(struct daemon *daemon, struct db *db, const struct firmware *firmware,
                     const struct version *base, const struct planned **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Writer's thread: asks for what nobody has asked for. */
bool plan_cache_ask(struct daemon *daemon, struct db *db, const struct planned *planned, int64_t now_ms,
                    struct error *err) __attribute__((warn_unused_result));

#endif
