/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A campaign leads the devices of an audience to one version, in stages. Pure: counts and times come from the caller.

   The size of a stage counts from the start of the campaign: 5 devices, then 10 percent, then all. A device that a
   stage has admitted stays admitted. When the gate of a stage holds, the next stage begins; when the gate breaks, the
   campaign pauses. */
#ifndef DFOTA_UPGRADE_CAMPAIGN_H
#define DFOTA_UPGRADE_CAMPAIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "base/slice.h"
#include "upgrade/attempt.h"
#include "upgrade/reason.h"

#define CAMPAIGN_NAME_SIZE 65

#define CAMPAIGN_STATES(X)                                                                                   \
    X(CAMPAIGN_DRAFT, "draft")         /* being written; no device sees it */                                \
    X(CAMPAIGN_RUNNING, "running")     /* devices are admitted */                                            \
    X(CAMPAIGN_PAUSED, "paused")       /* no device begins anything new */                                   \
    X(CAMPAIGN_FINISHED, "finished")   /* every device has an outcome, or an admin ended the campaign */     \
    X(CAMPAIGN_CANCELLED, "cancelled") /* given up */

enum campaign_state {
#define X(state, name) state,
    CAMPAIGN_STATES(X)
#undef X
        CAMPAIGN_STATE_COUNT
};

enum campaign_event {
    CAMPAIGN_START,
    CAMPAIGN_PAUSE,
    CAMPAIGN_RESUME,
    CAMPAIGN_FINISH,
    CAMPAIGN_CANCEL,
    CAMPAIGN_EVENT_COUNT
};

extern const struct enum_names campaign_state_names;
const char *campaign_state_name(enum campaign_state state);
bool campaign_state_parse(struct slice text, enum campaign_state *ret);
const char *campaign_event_name(enum campaign_event event); /* "start", "pause", … */
/* False, and *state unchanged, where the event does not fit the state. */
bool campaign_apply(enum campaign_state *state, enum campaign_event event);
bool campaign_is_live(enum campaign_state state); /* running or paused: it holds its devices */

/* What a device of a campaign came to. A device has one outcome at any time. */
#define CAMPAIGN_OUTCOMES(X)                                                                                 \
    X(OUTCOME_WAITING, "waiting")         /* not admitted yet */                                             \
    X(OUTCOME_ADMITTED, "admitted")       /* on its way */                                                   \
    X(OUTCOME_CONFIRMED, "confirmed")     /* reported the target */                                          \
    X(OUTCOME_NOT_APPLIED, "not_applied") /* came back with the old version */                               \
    X(OUTCOME_DIVERGED, "diverged")       /* came back with a third version */                               \
    X(OUTCOME_SILENT, "silent")           /* nothing was heard after the package was delivered */            \
    X(OUTCOME_OUT, "out")                 /* takes no part: retired, held out, or of another firmware now */

enum campaign_outcome {
#define X(outcome, name) outcome,
    CAMPAIGN_OUTCOMES(X)
#undef X
        CAMPAIGN_OUTCOME_COUNT
};

extern const struct enum_names campaign_outcome_names;
const char *campaign_outcome_name(enum campaign_outcome outcome);
bool campaign_outcome_parse(struct slice text, enum campaign_outcome *ret);

/* The outcome of an admitted device after its attempt came to `state`. `to_target`: the hop of the attempt leads to the
   target of the campaign. */
enum campaign_outcome campaign_outcome_after(enum campaign_outcome before, enum attempt_state state,
                                             bool to_target);

#define CAMPAIGN_STAGES_MAX 16

enum stage_kind { STAGE_DEVICES, STAGE_PERCENT, STAGE_ALL };
extern const struct enum_names stage_kind_names; /* "devices", "percent", "all" */

struct stage {
    enum stage_kind kind;
    unsigned size; /* devices or percent, from the start of the campaign */

    /* The gate to the next stage. */
    unsigned least_confirmed; /* devices, but not more than the stage has; 0: as many as the share needs */
    unsigned
        confirmed_percent; /* of the devices of the stage; 100: of those that have not failed, at least one */
    unsigned most_failed;  /* more devices that are not_applied or diverged break the gate */
    unsigned most_silent;  /* more silent devices break the gate */
    int64_t settle_ms;     /* at least this time after the last confirmation, or the start of the stage */
    unsigned approvals;    /* admins who must agree: 0, 1 or 2 */

    /* What came of the stage so far. */
    unsigned count[CAMPAIGN_OUTCOME_COUNT]; /* devices that the stage has admitted, by outcome now; out: 0 */
    int64_t last_confirmed_ms;              /* 0: never */
    unsigned approved;
    unsigned accepted_failed, accepted_silent; /* failures that an admin accepted by a resume; 0: none */
};

struct stage_place { /* of a device in its campaign */
    bool ranked;   /* the audience is fixed, and has an order; else the first devices that ask are admitted */
    unsigned rank; /* where ranked: from 0 */
    unsigned
        audience; /* devices that take part. Of an open audience: that had to be led to the target when the stage began */
    unsigned
        reach; /* where ranked: the stage reaches the ranks below, because some of them are out; 0: none is */
    int64_t stage_started_ms; /* the current stage */
};

unsigned stage_admitted(const struct stage *stage); /* devices, whatever came of them */
/* Devices that a stage reaches, from the start of the campaign. Percent are rounded up. UINT_MAX: the stage for all, of an
   open audience. Of `place` the rank is not looked at. */
unsigned stage_reach(const struct stage *stage, const struct stage_place *place);

/* A reason: "stage 1 of 3 admits 5 devices". */
void stage_reason(const struct stage *stages, unsigned count, unsigned current, char out[REASON_SIZE]);

/* Whether stages[current] admits a device that no stage has admitted. */
bool stage_admits(const struct stage *stages, unsigned current, const struct stage_place *place);

/* What breaks the gate of a stage: the name of its limit. */
#define GATE_BREACHES(X)                                                                                     \
    X(BREACH_NONE, "")                                                                                       \
    X(BREACH_FAILED, "max_failed") /* devices that are not_applied or diverged */                            \
    X(BREACH_SILENT, "max_silent") /* silent devices */

enum gate_breach {
#define X(breach, name) breach,
    GATE_BREACHES(X)
#undef X
};

extern const struct enum_names gate_breach_names;
enum gate_breach stage_breach(const struct stage *stage);
/* The devices of the stage that count for this limit. */
unsigned stage_breached_by(const struct stage *stage, enum gate_breach breach);
/* How many of them do not break the gate: the limit, or what an admin accepted beyond it. */
unsigned stage_allowed(const struct stage *stage, enum gate_breach breach);

enum gate {
    GATE_WAITS, /* for what *ret_why names */
    GATE_HOLDS,
    GATE_BROKEN /* *ret_why says by what */
};

/* The gate of stages[current]. The rank of `audience` is not looked at. *ret_why is a reason. */
enum gate stage_gate(const struct stage *stages, unsigned current, const struct stage_place *audience,
                     int64_t now_ms, char ret_why[REASON_SIZE]);

/* The gate of stages[current] holds but for the word of admins. */
bool stage_asks_admins(const struct stage *stages, unsigned current, const struct stage_place *audience,
                       int64_t now_ms);

/* NULL: the stages can be run; else what is wrong, with the number of the stage. */
const char *stages_fault(const struct stage *stages, size_t count, unsigned *ret_stage);

#endif
