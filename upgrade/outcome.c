/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/outcome.h"

static bool is_at_target(const struct outcome_facts *facts)
{
    return facts->confirmed.count && version_compare(&facts->confirmed, &facts->target) == 0;
}

static const struct version *runs(const struct outcome_facts *facts)
{
    return facts->confirmed.count ? &facts->confirmed : &facts->asked;
}

/* The decision answers such a device with "up to date", whatever was tried before. */
static bool is_above(const struct outcome_facts *facts)
{
    return !facts->downgrades && runs(facts)->count && version_compare(runs(facts), &facts->target) > 0;
}

/* The device reported the version that the hop leads to, with or without a delivery. */
static bool is_done(const struct outcome_facts *facts)
{
    return facts->state == ATTEMPT_CONFIRMED || facts->state == ATTEMPT_NOT_BY_US;
}

/* The result of sent bytes is more important than the answer to the next request. */
static bool has_begun(const struct outcome_facts *facts)
{
    return facts->attempted && facts->state != ATTEMPT_WAITING && !is_done(facts);
}

bool outcome_needs_path(const struct outcome_facts *facts, struct version *ret)
{
    *ret = *runs(facts);
    return ret->count && !is_at_target(facts) && !is_above(facts) && !facts->blocked && !has_begun(facts) &&
           version_compare(ret, &facts->target) != 0;
}

const char *outcome_of(const struct outcome_facts *facts, bool reachable, bool *ret_by_attempt)
{
    struct version from;
    *ret_by_attempt = false;
    if (is_at_target(facts))
        return attempt_state_name(facts->by_us ? ATTEMPT_CONFIRMED : ATTEMPT_NOT_BY_US);
    if (is_above(facts))
        return OUTCOME_ABOVE;
    if (facts->blocked)
        return OUTCOME_BLOCKED;
    if (outcome_needs_path(facts, &from) && !reachable)
        return OUTCOME_UNREACHABLE;
    if (!facts->attempted || (is_done(facts) && facts->to_target))
        return OUTCOME_NOT_BEGUN;
    *ret_by_attempt = true;
    return is_done(facts) ? OUTCOME_ON_THE_WAY : attempt_state_name(facts->state);
}

bool outcome_is_name(struct slice name)
{
    enum attempt_state state;
    return attempt_state_parse(name, &state) || slice_is(name, OUTCOME_NOT_BEGUN) ||
           slice_is(name, OUTCOME_UNREACHABLE) || slice_is(name, OUTCOME_ABOVE) ||
           slice_is(name, OUTCOME_ON_THE_WAY) || slice_is(name, OUTCOME_BLOCKED);
}
