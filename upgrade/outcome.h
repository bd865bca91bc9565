/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The outcome of a device: how far it is on the way to the target of its firmware. It follows from the
   reported version, the newest attempt for the target, and the answer that a request would get. Every
   device has exactly one outcome. Pure. */
#ifndef DFOTA_UPGRADE_OUTCOME_H
#define DFOTA_UPGRADE_OUTCOME_H

#include "upgrade/attempt.h"
#include "upgrade/version.h"

/* The states of an attempt are outcomes too. */
/* It has not asked since the target was set, was refused before an attempt, or left the target again. */
#define OUTCOME_NOT_BEGUN   "not_begun"
#define OUTCOME_UNREACHABLE "unreachable" /* no path leads from its version to the target */
#define OUTCOME_ABOVE       "above"       /* it runs a newer version, and downgrades are not allowed */
#define OUTCOME_ON_THE_WAY  "on_the_way"  /* a hop is confirmed, the next one has not begun */
#define OUTCOME_BLOCKED     "blocked"     /* blocked by the loop guard until an admin unblocks it */

struct outcome_facts {
    struct version target;
    bool downgrades;          /* the firmware allows downgrades */
    struct version confirmed; /* count 0: no report */
    struct version asked;     /* the version in its last request; count 0: it never asked */
    bool blocked;
    bool by_us;     /* a package to the target was delivered and confirmed */
    bool attempted; /* there is a main attempt for this target; the two fields below are about it */
    enum attempt_state state;
    bool to_target; /* its hop leads to the target */
};

/* Whether the outcome depends on a path from *ret, the version that the device runs as far as known. */
bool outcome_needs_path(const struct outcome_facts *facts, struct version *ret);

/* `reachable`: a path leads from that version to the target, or may still be found; used only if
   outcome_needs_path(). *ret_by_attempt: the outcome comes from the attempt, so the attempt's times and
   reason belong to it. Static storage. */
const char *outcome_of(const struct outcome_facts *facts, bool reachable, bool *ret_by_attempt);

/* A name above, or a state of an attempt. */
bool outcome_is_name(struct slice name);

#endif
