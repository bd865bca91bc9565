/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device has come to on its way to the target of its firmware, derived here and nowhere else: from what it reported,
   its newest attempt for the target, and what a request of it would be answered. Every device has exactly one outcome.
   Pure: no clock, no I/O. */
#ifndef DFOTA_UPGRADE_OUTCOME_H
#define DFOTA_UPGRADE_OUTCOME_H

#include "upgrade/attempt.h"
#include "upgrade/version.h"

/* Besides the states of an attempt, which are outcomes too. */
#define OUTCOME_NOT_BEGUN                                                                                    \
    "not_begun" /* it has not asked since there is this target, or was refused before an attempt, or went back */
#define OUTCOME_UNREACHABLE "unreachable" /* no path leads from its version to the target */
#define OUTCOME_ABOVE       "above"       /* it runs something newer, and the firmware allows no downgrades */
#define OUTCOME_ON_THE_WAY  "on_the_way"  /* it has confirmed a hop, and not begun the next */
#define OUTCOME_BLOCKED     "blocked" /* the loop guard has closed: it gets nothing until an admin unblocks it */

struct outcome_facts {
    struct version target;
    bool downgrades;          /* the firmware allows the way back */
    struct version confirmed; /* count 0: nobody reported one */
    struct version asked;     /* the version it was answered for last; count 0: it never asked */
    bool blocked;
    bool by_us;     /* a package to the target was delivered to it, and confirmed */
    bool attempted; /* there is an attempt for this target, and not one kept beside; then: */
    enum attempt_state state;
    bool to_target; /* its hop leads to the target itself */
};

/* Whether the outcome depends on a path from *ret, the version that it runs as far as is known. */
bool outcome_needs_path(const struct outcome_facts *facts, struct version *ret);

/* `reachable`: a path leads on from that version, or may still be found; not looked at unless outcome_needs_path(). Static
   storage. *ret_by_attempt: it follows from the attempt, whose times and reason belong to it. */
const char *outcome_of(const struct outcome_facts *facts, bool reachable, bool *ret_by_attempt);

/* One of the names above, or of an attempt's states. */
bool outcome_is_name(struct slice name);

#endif
