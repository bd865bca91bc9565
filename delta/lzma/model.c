/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/model.h"

void model_init(struct model *model)
{
    uint16_t *probability = (uint16_t *)(void *)&model->p;
    for (size_t i = 0; i < sizeof model->p / sizeof *probability; i++)
        probability[i] = RANGE_PROBABILITY_HALF;
    model->state = 0;
    for (unsigned int i = 0; i < MODEL_REPS; i++)
        model->reps[i] = 1;
}

/* ---- Literals ---- */

/* After a match, the byte at the last distance is a hint: the probabilities depend on its next bit, as
   long as the bits before were equal. */
static void encode_matched(struct range_coder *coder, uint16_t *probabilities, uint32_t byte, uint32_t hint)
{
    uint32_t node = 1;
    bool equal = true;
    for (unsigned int bits = 8; bits-- > 0;) {
        uint32_t bit = byte >> bits & 1, expected = hint >> bits & 1;
        range_coder_add(coder, &probabilities[(equal ? (1 + expected) << 8 : 0) + node], bit);
        equal = equal && bit == expected;
        node = node << 1 | bit;
    }
}

static void encode_literal(struct model *model, struct range_coder *coder, const uint8_t *data,
                           size_t position)
{
    uint16_t *probabilities = model->p.literal[model_literal_context(data, position)];
    if (state_is_literal(model->state))
        range_coder_add_tree(coder, probabilities, 8, data[position]);
    else
        encode_matched(coder, probabilities, data[position], data[position - model->reps[0]]);
    model->state = state_literal(model->state);
}

/* ---- Lengths and distances ---- */

static void encode_len(struct model_lengths *lengths, struct range_coder *coder, uint32_t len,
                       unsigned int position)
{
    uint32_t value = len - MODEL_LEN_MIN;
    range_coder_add(coder, &lengths->not_first, value >= MODEL_LEN_GROUP);
    if (value < MODEL_LEN_GROUP) {
        range_coder_add_tree(coder, lengths->first[position], 3, value);
        return;
    }
    value -= MODEL_LEN_GROUP;
    range_coder_add(coder, &lengths->not_second, value >= MODEL_LEN_GROUP);
    if (value < MODEL_LEN_GROUP)
        range_coder_add_tree(coder, lengths->second[position], 3, value);
    else
        range_coder_add_tree(coder, lengths->rest, 8, value - MODEL_LEN_GROUP);
}

static void encode_distance(struct model *model, struct range_coder *coder, uint32_t distance, uint32_t len)
{
    unsigned int slot = model_slot(distance);
    range_coder_add_tree(coder, model->p.slot[model_len_group(len)], MODEL_SLOT_BITS, slot);
    if (slot < 4)
        return;
    unsigned int bits = slot / 2 - 1;
    uint32_t rest = (distance - 1) & ((1U << bits) - 1);
    if (slot < MODEL_NEAR_SLOTS) {
        range_coder_add_reverse(coder, model->p.near[slot], bits, rest);
        return;
    }
    range_coder_add_direct(coder, bits - MODEL_ALIGN_BITS, rest >> MODEL_ALIGN_BITS);
    range_coder_add_reverse(coder, model->p.align, MODEL_ALIGN_BITS, rest);
}

/* ---- Steps ---- */

static void encode_rep(struct model *model, struct range_coder *coder, struct step step,
                       unsigned int position)
{
    unsigned int state = model->state;
    range_coder_add(coder, &model->p.not_rep0[state], step.way > 0);
    if (step.way == 0) {
        range_coder_add(coder, &model->p.long_rep0[state][position], step.len > 1);
    } else {
        range_coder_add(coder, &model->p.not_rep1[state], step.way > 1);
        if (step.way > 1)
            range_coder_add(coder, &model->p.rep3[state], step.way > 2);
    }
    if (step.len == 1) {
        model->state = state_short_rep(state);
        return;
    }
    encode_len(&model->p.rep_len, coder, step.len, position);
    model->state = state_rep(state);
}

void model_encode(struct model *model, struct range_coder *coder, struct bytes plain, size_t at,
                  struct step step)
{
    unsigned int state = model->state, position = model_position(at);
    range_coder_add(coder, &model->p.match[state][position], step.way != STEP_LITERAL);
    if (step.way == STEP_LITERAL) {
        encode_literal(model, coder, plain.ptr, at);
        return;
    }
    range_coder_add(coder, &model->p.rep[state], step.way < MODEL_REPS);
    if (step.way < MODEL_REPS) {
        encode_rep(model, coder, step, position);
    } else {
        encode_len(&model->p.match_len, coder, step.len, position);
        encode_distance(model, coder, step.way - STEP_MATCH + 1, step.len);
        model->state = state_match(state);
    }
    model_move_reps(model->reps, step.way);
}
