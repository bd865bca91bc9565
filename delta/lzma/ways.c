/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/ways.h"

struct ways ways_from(struct optimum *optimum, unsigned int index, size_t position, size_t room)
{
    const struct prices *prices = optimum->prices;
    struct optimum_node *node = &optimum->node[index];
    uint32_t match_bit = prices->p->match[node->state][model_position(position)];
    uint32_t match = node->price + prices_bit(prices, match_bit, 1);
    return (struct ways){
        .optimum = optimum,
        .node = node,
        .index = index,
        .at = optimum->plain.ptr + position,
        .position = position,
        .room = room,
        .literal = node->price + prices_bit(prices, match_bit, 0),
        .match = match,
        .rep = match + prices_bit(prices, prices->p->rep[node->state], 1),
    };
}

/* Returns whether the sequence is cheaper than the known one. `len` is that of all steps from this node. */
static bool offer(const struct ways *ways, uint32_t len, uint32_t price, struct step last, uint32_t before)
{
    struct optimum *optimum = ways->optimum;
    unsigned int index = ways->index + len;
    struct optimum_node *node = &optimum->node[index];
    if (optimum->farthest < index)
        optimum->farthest = index;
    if (price >= node->price)
        return false;
    node->price = price;
    node->last = last;
    node->before = before;
    return true;
}

static uint32_t count_same(const uint8_t *at, uint32_t distance, size_t limit)
{
    uint32_t len = 0;
    while (len < limit && at[len] == *(at + len - distance))
        len++;
    return len < MODEL_LEN_MIN ? 0 : len;
}

uint32_t ways_count(const struct ways *ways, uint32_t distance, size_t limit)
{
    return count_same(ways->at, distance, limit);
}

/* ---- Single bytes ---- */

bool ways_try_literal(struct ways *ways)
{
    const struct optimum *optimum = ways->optimum;
    const uint16_t *probabilities =
        optimum->prices->p->literal[model_literal_context(optimum->plain.ptr, ways->position)];
    uint32_t hint = *(ways->at - ways->node->reps[0]);
    ways->literal += state_is_literal(ways->node->state)
                         ? prices_literal(optimum->prices, probabilities, *ways->at)
                         : prices_matched(optimum->prices, probabilities, *ways->at, hint);
    return offer(ways, 1, ways->literal, (struct step){1, STEP_LITERAL}, 0);
}

bool ways_try_short_rep(const struct ways *ways)
{
    uint32_t price = ways->rep + prices_rep(ways->optimum->prices, 0, false, ways->node->state,
                                            model_position(ways->position));
    return offer(ways, 1, price, (struct step){1, 0}, 0);
}

/* ---- A literal and rep 0 behind a step ---- */

/* The literal is at `before` - 1. It has its price and state already. */
static void try_rep0(const struct ways *ways, uint32_t before, struct step last, uint32_t price,
                     unsigned int state)
{
    const struct prices *prices = ways->optimum->prices;
    unsigned int position = model_position(ways->position + before);
    price += prices_bit(prices, prices->p->match[state][position], 1) +
             prices_bit(prices, prices->p->rep[state], 1) + prices_rep(prices, 0, true, state, position) +
             prices->rep_len[position][last.len];
    (void)offer(ways, before + last.len, price, last, before);
}

/* The length of rep 0 behind a step of `len` bytes and a literal; 0: too short. */
static uint32_t count_behind(const struct ways *ways, uint32_t len, uint32_t distance)
{
    size_t behind = len + 1, left = ways->room > behind ? ways->room - behind : 0;
    return count_same(ways->at + behind, distance, left < WAYS_LEN_MAX ? left : WAYS_LEN_MAX);
}

void ways_try_literal_rep(const struct ways *ways)
{
    uint32_t len = count_behind(ways, 0, ways->node->reps[0]);
    if (len > 0)
        try_rep0(ways, 1, (struct step){len, 0}, ways->literal, state_literal(ways->node->state));
}

/* Behind a step, which costs `price`. */
static void try_step_literal_rep(const struct ways *ways, struct step step, uint32_t distance, uint32_t price)
{
    const struct optimum *optimum = ways->optimum;
    const struct prices *prices = optimum->prices;
    uint32_t len = count_behind(ways, step.len, distance);
    if (len == 0)
        return;
    unsigned int before = ways->node->state;
    unsigned int state = step.way < MODEL_REPS ? state_rep(before) : state_match(before);
    size_t position = ways->position + step.len;
    const uint8_t *at = ways->at + step.len;
    price += prices_bit(prices, prices->p->match[state][model_position(position)], 0) +
             prices_matched(prices, prices->p->literal[model_literal_context(optimum->plain.ptr, position)],
                            *at, *(at - distance));
    try_rep0(ways, step.len + 1, (struct step){len, step.way}, price, state_literal(state));
}

/* ---- Reps and matches ---- */

void ways_try_rep(const struct ways *ways, uint32_t rep, uint32_t len, enum ways_depth depth)
{
    const struct prices *prices = ways->optimum->prices;
    unsigned int position = model_position(ways->position);
    const uint32_t *lens = prices->rep_len[position];
    uint32_t price = ways->rep + prices_rep(prices, rep, true, ways->node->state, position);
    for (uint32_t shorter = len; shorter >= MODEL_LEN_MIN; shorter--)
        (void)offer(ways, shorter, price + lens[shorter], (struct step){shorter, rep}, 0);
    if (depth == WAYS_FURTHER)
        try_step_literal_rep(ways, (struct step){len, rep}, ways->node->reps[rep], price + lens[len]);
}

void ways_try_matches(const struct ways *ways, uint32_t len, uint32_t limit, enum ways_depth depth)
{
    const struct prices *prices = ways->optimum->prices;
    const struct chain_matches *found = &ways->optimum->found;
    const uint32_t *lens = prices->match_len[model_position(ways->position)];
    uint32_t base = ways->match + prices_bit(prices, prices->p->rep[ways->node->state], 0);
    for (unsigned int i = 0; i < found->count && len <= limit; i++) {
        uint32_t distance = found->match[i].distance, way = STEP_MATCH + distance - 1, price = 0;
        uint32_t longest = found->match[i].len < limit ? found->match[i].len : limit;
        if (longest < len)
            continue;
        for (; len <= longest; len++) {
            price = base + lens[len] + prices_distance(prices, distance, len);
            (void)offer(ways, len, price, (struct step){len, way}, 0);
        }
        if (depth == WAYS_FURTHER)
            try_step_literal_rep(ways, (struct step){longest, way}, distance, price);
    }
}
