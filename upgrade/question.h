/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the decision: the data that the rules share, and the texts of their reasons. A rule returns
   true when it has answered. */
#ifndef DFOTA_UPGRADE_QUESTION_H
#define DFOTA_UPGRADE_QUESTION_H

#include "upgrade/decision.h"

struct question {
    const struct checkin *checkin;
    const struct snapshot *known;
    const struct decision_limits *limits;
    struct decision *decision;
    bool open;                /* an attempt is still open after the device's report */
    enum attempt_state state; /* of that attempt */
};

/* Stores the answer and its reason: question_answer(q, ANSWER_NO_BASE, REASON(REASON_IMAGE_MISSING, R_TEXT(base))).
   Returns true. */
bool question_answer(struct question *q, enum answer answer, enum reason_code code,
                     const struct reason_value *values);
/* The same with a reason that is written already. */
bool question_answer_with(struct question *q, enum answer answer, const char *reason);

/* Applies the event to the open attempt, now and in the record. */
void question_end_attempt(struct question *q, enum attempt_event event);

/* Sends the requested range of a package of `size` bytes. The range must begin below size. */
void question_choose_bytes(struct question *q, uint64_t size);

/* The download of this hop to this target has begun, and may be asked for from its start again. */
bool question_is_unfinished(const struct question *q);

/* The open attempt is for the first hop from this base. */
bool question_is_for_hop(const struct question *q);

/* A package for LuatOS without a change of the core: all of its bytes do not count. */
bool question_is_script(uint64_t size, uint64_t uncounted);

bool question_is_same(const struct version *a, const struct version *b);

/* The version that the first hop leads to. */
const struct version *question_hop_version(const struct snapshot *known);

/* Each function returns out. */
#define QUESTION_PAIR_SIZE (2 * VERSION_TEXT_SIZE + 4)

/* "1138→1162" */
const char *question_pair_text(const struct version *from, const struct version *to,
                               char out[QUESTION_PAIR_SIZE]);
/* The first hop, as a parameter of a reason: "1138→1147", or a reason that also names the target. */
const char *question_hop(const struct snapshot *known, char out[REASON_SIZE]);
/* Who released a package, as a parameter at the end of a reason; "" if released_by is "". */
const char *question_trust(const char *released_by, char out[REASON_SIZE]);

#endif
