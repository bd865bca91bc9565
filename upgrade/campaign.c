/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/campaign.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"

#define NAME(value, name) name,
static const char *const state_names[] = {CAMPAIGN_STATES(NAME)};
static const char *const outcome_names[] = {CAMPAIGN_OUTCOMES(NAME)};
static const char *const event_names[] = {"start", "pause", "resume", "finish", "cancel"};
static const char *const breach_names[] = {GATE_BREACHES(NAME)};
static const char *const kind_names[] = {"devices", "percent", "all"};
const struct enum_names campaign_state_names = ENUM_NAMES(state_names);
const struct enum_names campaign_outcome_names = ENUM_NAMES(outcome_names);
const struct enum_names gate_breach_names = ENUM_NAMES(breach_names);
const struct enum_names stage_kind_names = ENUM_NAMES(kind_names);

static bool find_name(const char *const *names, int count, struct slice text, int *ret)
{
    for (int i = 0; i < count; i++)
        if (slice_is(text, names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

const char *campaign_state_name(enum campaign_state state)
{
    return state_names[state];
}

bool campaign_state_parse(struct slice text, enum campaign_state *ret)
{
    int found;
    if (!find_name(state_names, CAMPAIGN_STATE_COUNT, text, &found))
        return false;
    *ret = (enum campaign_state)found;
    return true;
}

const char *campaign_outcome_name(enum campaign_outcome outcome)
{
    return outcome_names[outcome];
}

bool campaign_outcome_parse(struct slice text, enum campaign_outcome *ret)
{
    int found;
    if (!find_name(outcome_names, CAMPAIGN_OUTCOME_COUNT, text, &found))
        return false;
    *ret = (enum campaign_outcome)found;
    return true;
}

const char *campaign_event_name(enum campaign_event event)
{
    return event_names[event];
}

/* ---- the life of a campaign ---- */

#define NO CAMPAIGN_STATE_COUNT /* the event does not fit */

static const enum campaign_state transitions[CAMPAIGN_STATE_COUNT][CAMPAIGN_EVENT_COUNT] = {
    /*                      start             pause            resume            finish             cancel */
    [CAMPAIGN_DRAFT] = {CAMPAIGN_RUNNING, NO, NO, NO, CAMPAIGN_CANCELLED},
    [CAMPAIGN_RUNNING] = {NO, CAMPAIGN_PAUSED, NO, CAMPAIGN_FINISHED, CAMPAIGN_CANCELLED},
    [CAMPAIGN_PAUSED] = {NO, NO, CAMPAIGN_RUNNING, CAMPAIGN_FINISHED, CAMPAIGN_CANCELLED},
    [CAMPAIGN_FINISHED] = {NO, NO, NO, NO, NO},
    [CAMPAIGN_CANCELLED] = {NO, NO, NO, NO, NO},
};

bool campaign_apply(enum campaign_state *state, enum campaign_event event)
{
    enum campaign_state next = transitions[*state][event];
    if (next == NO)
        return false;
    *state = next;
    return true;
}

bool campaign_is_live(enum campaign_state state)
{
    return state == CAMPAIGN_RUNNING || state == CAMPAIGN_PAUSED;
}

enum campaign_outcome campaign_outcome_after(enum campaign_outcome before, enum attempt_state state,
                                             bool to_target)
{
    switch (state) {
    case ATTEMPT_CONFIRMED:
    case ATTEMPT_NOT_BY_US:
        return to_target ? OUTCOME_CONFIRMED : OUTCOME_ADMITTED;
    case ATTEMPT_NOT_APPLIED:
        return OUTCOME_NOT_APPLIED;
    case ATTEMPT_DIVERGED:
        return OUTCOME_DIVERGED;
    case ATTEMPT_SILENT:
        return OUTCOME_SILENT;
    case ATTEMPT_WAITING: /* a silent device was heard again */
        return before == OUTCOME_SILENT ? OUTCOME_ADMITTED : before;
    default:
        return before;
    }
}

/* ---- stages ---- */

unsigned stage_admitted(const struct stage *stage)
{
    unsigned sum = 0;
    for (int i = OUTCOME_ADMITTED; i < CAMPAIGN_OUTCOME_COUNT; i++)
        sum += stage->count[i];
    return sum;
}

static unsigned admitted_so_far(const struct stage *stages, unsigned current)
{
    unsigned sum = 0;
    for (unsigned i = 0; i <= current; i++)
        sum += stage_admitted(&stages[i]);
    return sum;
}

unsigned stage_reach(const struct stage *stage, const struct stage_place *place)
{
    unsigned audience = place->audience;
    if (stage->kind == STAGE_ALL)
        return place->ranked ? audience : UINT_MAX;
    if (stage->kind == STAGE_DEVICES)
        return place->ranked && stage->size > audience ? audience : stage->size;
    unsigned share = (unsigned)(((uint64_t)audience * stage->size + 99) / 100);
    return share || place->ranked ? share : 1;
}

void stage_reason(const struct stage *stages, unsigned count, unsigned current, char out[REASON_SIZE])
{
    const struct stage *stage = &stages[current];
    enum reason_code code = stage->kind == STAGE_ALL       ? REASON_STAGE_ADMITS_ALL
                            : stage->kind == STAGE_PERCENT ? REASON_STAGE_ADMITS_SHARE
                            : stage->size == 1             ? REASON_STAGE_ADMITS_ONE
                                                           : REASON_STAGE_ADMITS_DEVICES;
    reason_write(out, REASON_SIZE,
                 REASON(code, R_NUMBER(current + 1), R_NUMBER(count), R_NUMBER(stage->size)));
}

bool stage_admits(const struct stage *stages, unsigned current, const struct stage_place *place)
{
    unsigned before = place->ranked ? place->rank : admitted_so_far(stages, current);
    return before < (place->reach ? place->reach : stage_reach(&stages[current], place));
}

/* ---- gates ---- */

/* One device must have confirmed in any case. */
static unsigned subtract_failures(const struct stage *stage, unsigned wanted)
{
    unsigned failures =
        stage->count[OUTCOME_NOT_APPLIED] + stage->count[OUTCOME_DIVERGED] + stage->count[OUTCOME_SILENT];
    return wanted > failures ? wanted - failures : wanted > 0;
}

/* How many devices of the stage must have confirmed. How many devices the stage for all admits of an open audience is
   not known: it is judged by those that it has admitted, and by least_confirmed. */
static unsigned confirmations_wanted(const struct stage *stages, unsigned current,
                                     const struct stage_place *audience)
{
    const struct stage *stage = &stages[current];
    unsigned admitted = admitted_so_far(stages, current), reach = stage_reach(stage, audience);
    bool known = reach != UINT_MAX;
    unsigned devices = stage_admitted(stage) + (known && reach > admitted ? reach - admitted : 0);
    unsigned wanted = (unsigned)(((uint64_t)devices * stage->confirmed_percent + 99) / 100);
    if (stage->confirmed_percent == 100) /* `all` does not wait for the failures that the limits allow */
        wanted = subtract_failures(stage, wanted);
    if (wanted < stage->least_confirmed)
        wanted = stage->least_confirmed;
    return known && wanted > devices ? devices : wanted;
}

unsigned stage_breached_by(const struct stage *stage, enum gate_breach breach)
{
    if (breach == BREACH_FAILED)
        return stage->count[OUTCOME_NOT_APPLIED] + stage->count[OUTCOME_DIVERGED];
    return breach == BREACH_SILENT ? stage->count[OUTCOME_SILENT] : 0;
}

unsigned stage_allowed(const struct stage *stage, enum gate_breach breach)
{
    bool by_failed = breach == BREACH_FAILED;
    unsigned most = by_failed ? stage->most_failed : stage->most_silent;
    unsigned accepted = by_failed ? stage->accepted_failed : stage->accepted_silent;
    return accepted > most ? accepted : most;
}

enum gate_breach stage_breach(const struct stage *stage)
{
    for (enum gate_breach breach = BREACH_FAILED; breach <= BREACH_SILENT; breach++)
        if (stage_breached_by(stage, breach) > stage_allowed(stage, breach))
            return breach;
    return BREACH_NONE;
}

/* Long enough after the last confirmation, or after the start of the stage when none was needed. */
static bool has_settled(const struct stage *stage, const struct stage_place *audience, int64_t now_ms)
{
    int64_t since_ms = stage->last_confirmed_ms ? stage->last_confirmed_ms : audience->stage_started_ms;
    return now_ms - clock_clamp(since_ms, now_ms) >= stage->settle_ms;
}

/* What stages[current] waits for; false: nothing. */
static bool find_wait(const struct stage *stages, unsigned current, const struct stage_place *audience,
                      int64_t now_ms, char ret_why[REASON_SIZE])
{
    const struct stage *stage = &stages[current];
    unsigned wanted = confirmations_wanted(stages, current, audience);
    if (stage->count[OUTCOME_CONFIRMED] < wanted)
        reason_write(ret_why, REASON_SIZE,
                     REASON(REASON_GATE_CONFIRMED, R_NUMBER(current + 1),
                            R_NUMBER(stage->count[OUTCOME_CONFIRMED]), R_NUMBER(wanted)));
    else if (!has_settled(stage, audience, now_ms))
        reason_write(ret_why, REASON_SIZE,
                     REASON(stage->last_confirmed_ms ? REASON_GATE_SETTLE : REASON_GATE_STAGE_SETTLE,
                            R_NUMBER(current + 1)));
    else if (stage->approved < stage->approvals)
        reason_write(ret_why, REASON_SIZE,
                     REASON(REASON_GATE_APPROVED, R_NUMBER(current + 1), R_NUMBER(stage->approved),
                            R_NUMBER(stage->approvals)));
    else
        return false;
    return true;
}

enum gate stage_gate(const struct stage *stages, unsigned current, const struct stage_place *audience,
                     int64_t now_ms, char ret_why[REASON_SIZE])
{
    const struct stage *stage = &stages[current];
    enum gate_breach breach = stage_breach(stage);
    ret_why[0] = '\0';
    if (!breach)
        return find_wait(stages, current, audience, now_ms, ret_why) ? GATE_WAITS : GATE_HOLDS;
    reason_write(ret_why, REASON_SIZE,
                 REASON(breach == BREACH_FAILED ? REASON_GATE_FAILED : REASON_GATE_SILENT,
                        R_NUMBER(current + 1), R_NUMBER(stage_breached_by(stage, breach)),
                        R_NUMBER(stage_allowed(stage, breach))));
    return GATE_BROKEN;
}

bool stage_asks_admins(const struct stage *stages, unsigned current, const struct stage_place *audience,
                       int64_t now_ms)
{
    struct stage agreed[CAMPAIGN_STAGES_MAX];
    char why[REASON_SIZE];
    if (stages[current].approved >= stages[current].approvals)
        return false;
    memcpy(agreed, stages, (current + 1) * sizeof *stages);
    agreed[current].approvals = 0;
    return stage_gate(agreed, current, audience, now_ms, why) == GATE_HOLDS;
}

/* ---- what an admin may write ---- */

static const char *fault_of(const struct stage *stage)
{
    if (stage->kind != STAGE_ALL && stage->size == 0)
        return "the stage admits no device";
    if (stage->kind == STAGE_PERCENT && stage->size > 100)
        return "a percentage is 1 to 100";
    if (stage->confirmed_percent > 100)
        return "the share of confirmed devices is 0 to 100 percent";
    if (stage->approvals > 2)
        return "at most two admins can be asked to approve";
    return NULL;
}

const char *stages_fault(const struct stage *stages, size_t count, unsigned *ret_stage)
{
    *ret_stage = 1;
    if (count == 0 || count > CAMPAIGN_STAGES_MAX)
        return "a campaign has 1 to 16 stages";
    for (unsigned i = 0; i < count; i++) {
        const char *fault = fault_of(&stages[i]);
        *ret_stage = i + 1;
        if (fault)
            return fault;
        if (i > 0 && stages[i - 1].kind == STAGE_ALL)
            return "no stage can follow the one for all devices";
        if (i > 0 && stages[i].kind == stages[i - 1].kind && stages[i].size <= stages[i - 1].size)
            return "the stage is not larger than the one before: sizes count from the start of the campaign";
    }
    return NULL;
}
