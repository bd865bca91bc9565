/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/guard.h"

#include <inttypes.h>
#include <stdio.h>

enum guard_cause guard_find_cause(const struct guard_facts *facts)
{
    if (facts->shared || (facts->diverged > 0 && facts->from_versions > 1))
        return GUARD_SHARED;
    if (facts->not_applied > 0)
        return GUARD_NOT_APPLIED;
    if (facts->completed == 0)
        return GUARD_NEVER_WHOLE;
    return facts->by_link ? GUARD_UNREPORTED : GUARD_UNCLEAR;
}

const char *guard_explain(const struct guard_facts *facts, char out[GUARD_TEXT_SIZE])
{
    switch (guard_find_cause(facts)) {
    case GUARD_SHARED:
        snprintf(out, GUARD_TEXT_SIZE,
                 "two modules seem to use this id (versions that downloads began from: %" PRId64 ")",
                 facts->from_versions);
        break;
    case GUARD_NOT_APPLIED:
        if (facts->packages > 1)
            snprintf(out, GUARD_TEXT_SIZE,
                     "%" PRId64 " packages were fetched completely, and the old version came back %" PRId64
                     " times: check the base image and the package",
                     facts->packages, facts->not_applied);
        else
            snprintf(out, GUARD_TEXT_SIZE,
                     "the same package was fetched completely and the old version came back %" PRId64
                     " times: check the base image and the package",
                     facts->not_applied);
        break;
    case GUARD_NEVER_WHOLE:
        snprintf(out, GUARD_TEXT_SIZE,
                 "none of %" PRId64 " downloads was completed, at most %" PRId64 " of %" PRId64
                 " bytes arrived: check the network of the module",
                 facts->begun, facts->most_bytes_acked, facts->size_bytes);
        break;
    case GUARD_UNREPORTED:
        snprintf(out, GUARD_TEXT_SIZE,
                 "%" PRId64
                 " downloads over a link were completed, and no version was reported: check the host",
                 facts->completed);
        break;
    case GUARD_UNCLEAR:
        snprintf(out, GUARD_TEXT_SIZE,
                 "%" PRId64 " of %" PRId64 " downloads were completed, and no report explains the others",
                 facts->completed, facts->begun);
        break;
    }
    return out;
}
