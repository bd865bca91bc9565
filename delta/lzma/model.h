/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What LZMA knows about the data so far: the probabilities, a state, and the last four distances. The
   settings are those of a module: lc 3, lp 0, pb 2. */
#ifndef DFOTA_DELTA_LZMA_MODEL_H
#define DFOTA_DELTA_LZMA_MODEL_H

#include "base/bytes.h"
#include "delta/lzma/range_coder.h"

#define MODEL_STATES           12
#define MODEL_POSITIONS        4 /* pb 2: the position modulo 4 */
#define MODEL_LITERAL_CONTEXTS 8 /* lc 3: the upper bits of the byte before */
#define MODEL_REPS             4 /* the last distances */
#define MODEL_LEN_MIN          2 /* except for one byte at the last distance */
#define MODEL_LEN_MAX          273
#define MODEL_LEN_GROUP        8 /* lengths in each of the first two groups */
#define MODEL_LEN_GROUPS       4 /* the slot of a distance depends on the length: 2, 3, 4, more */
#define MODEL_SLOTS            64
#define MODEL_SLOT_BITS        6
#define MODEL_NEAR             128 /* below, each bit of a distance - 1 has a probability */
#define MODEL_NEAR_SLOTS       14
#define MODEL_ALIGN_BITS       4 /* of a farther distance - 1, the lowest bits have probabilities */

/* How a step repeats earlier bytes: at one of the last distances (0 to 3), or at a distance of its own. */
#define STEP_MATCH   MODEL_REPS /* this + distance - 1 */
#define STEP_LITERAL UINT32_MAX

struct step {
    uint32_t len; /* bytes that the step codes. 1: STEP_LITERAL or rep 0 */
    uint32_t way;
};

struct model_lengths {
    uint16_t not_first, not_second; /* whether the length is in the first group, in the second */
    uint16_t first[MODEL_POSITIONS][MODEL_LEN_GROUP], second[MODEL_POSITIONS][MODEL_LEN_GROUP];
    uint16_t rest[256];
};

/* Each array and field below is a probability. A name says what the bit 1 means. */
struct model_probabilities {
    uint16_t match[MODEL_STATES][MODEL_POSITIONS];
    uint16_t rep[MODEL_STATES], not_rep0[MODEL_STATES], not_rep1[MODEL_STATES], rep3[MODEL_STATES];
    uint16_t long_rep0[MODEL_STATES][MODEL_POSITIONS];
    uint16_t literal[MODEL_LITERAL_CONTEXTS][3 * 256]; /* plain; matched, bit 0 expected; bit 1 expected */
    struct model_lengths match_len, rep_len;
    uint16_t slot[MODEL_LEN_GROUPS][MODEL_SLOTS];
    uint16_t near[MODEL_NEAR_SLOTS][1 << 5];
    uint16_t align[1 << MODEL_ALIGN_BITS];
};

struct model {
    struct model_probabilities p;
    unsigned int state;
    uint32_t reps[MODEL_REPS];
};

void model_init(struct model *model);

/* Codes the bytes at `position` as the step says, and adapts the model. The step fits the data. */
void model_encode(struct model *model, struct range_coder *coder, struct bytes plain, size_t position,
                  struct step step);

/* Moves the distance of the step to the front of the last distances. */
static inline void model_move_reps(uint32_t *reps, uint32_t way)
{
    unsigned int last = way < MODEL_REPS ? way : MODEL_REPS - 1;
    uint32_t front = way < MODEL_REPS ? reps[way] : way - STEP_MATCH + 1;
    for (; last > 0; last--)
        reps[last] = reps[last - 1];
    reps[0] = front;
}

/* ---- The state: which kinds of steps came last ---- */

static inline bool state_is_literal(unsigned int state) /* the last step was a literal */
{
    return state < 7;
}

static inline unsigned int state_literal(unsigned int state)
{
    return state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
}

static inline unsigned int state_match(unsigned int state)
{
    return state_is_literal(state) ? 7 : 10;
}

static inline unsigned int state_rep(unsigned int state)
{
    return state_is_literal(state) ? 8 : 11;
}

static inline unsigned int state_short_rep(unsigned int state)
{
    return state_is_literal(state) ? 9 : 11;
}

/* ---- Contexts ---- */

static inline unsigned int model_position(size_t position)
{
    return position % MODEL_POSITIONS;
}

static inline unsigned int model_len_group(uint32_t len)
{
    return len - MODEL_LEN_MIN < MODEL_LEN_GROUPS ? len - MODEL_LEN_MIN : MODEL_LEN_GROUPS - 1;
}

/* The slot of a distance: its number of bits and its second highest bit. */
static inline unsigned int model_slot(uint32_t distance)
{
    uint32_t bits = distance - 1;
    if (bits < 4)
        return bits;
    unsigned int top = 31 - (unsigned int)__builtin_clz(bits);
    return 2 * top + (bits >> (top - 1) & 1);
}

/* The probabilities of the byte at data + position. */
static inline unsigned int model_literal_context(const uint8_t *data, size_t position)
{
    return position == 0 ? 0 : data[position - 1] >> 5;
}

#endif
