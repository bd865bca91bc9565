/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/optimum.h"

#include "delta/lzma/ways.h"

#define NODES_LEFT 64 /* a search ends when only these nodes are left */

static const struct step literal = {1, STEP_LITERAL};

void optimum_init(struct optimum *optimum, const struct model *model, const struct prices *prices,
                  struct bytes plain)
{
    memset(optimum, 0, sizeof *optimum);
    optimum->model = model;
    optimum->prices = prices;
    optimum->plain = plain;
    for (unsigned int i = 0; i < OPTIMUM_NODES; i++)
        optimum->node[i].price = OPTIMUM_UNKNOWN;
    chain_finder_init(&optimum->finder, plain);
}

static size_t count_left(const struct optimum *optimum, size_t position, size_t limit)
{
    size_t left = optimum->plain.len - position;
    return left < limit ? left : limit;
}

/* ---- The finder ---- */

void optimum_search(struct optimum *optimum)
{
    size_t position = optimum->finder.position;
    const struct chain_matches *found = &optimum->found;
    chain_finder_search(&optimum->finder, &optimum->found);
    optimum->ahead++;
    optimum->longest = found->count == 0 ? 0 : found->match[found->count - 1].len;
    if (optimum->longest < CHAIN_LENGTH_MAX)
        return;
    const uint8_t *at = optimum->plain.ptr + position, *copy = at - found->match[found->count - 1].distance;
    size_t limit = count_left(optimum, position, MODEL_LEN_MAX);
    while (optimum->longest < limit && at[optimum->longest] == copy[optimum->longest])
        optimum->longest++;
}

static void skip(struct optimum *optimum, size_t count)
{
    chain_finder_skip(&optimum->finder, count);
    optimum->ahead += count;
}

/* ---- The start of a search ---- */

/* Steps that are taken without a search: a literal if nothing else is possible, and a long rep or match. */
static bool take_at_once(struct optimum *optimum, const struct ways *start, const uint32_t *rep_len,
                         struct step *ret)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < MODEL_REPS; i++)
        if (rep_len[i] > rep_len[best])
            best = i;
    if (rep_len[best] >= WAYS_LEN_MAX) {
        *ret = (struct step){rep_len[best], best};
    } else if (optimum->longest >= WAYS_LEN_MAX) {
        const struct chain_matches *found = &optimum->found;
        *ret = (struct step){optimum->longest, STEP_MATCH + found->match[found->count - 1].distance - 1};
    } else if (start->room < MODEL_LEN_MIN || (optimum->longest == 0 && rep_len[best] == 0 &&
                                               *start->at != *(start->at - start->node->reps[0]))) {
        *ret = literal;
    } else {
        return false;
    }
    skip(optimum, ret->len - 1);
    return true;
}

static void try_start(struct ways *start, const uint32_t *rep_len)
{
    (void)ways_try_literal(start);
    if (rep_len[0] == 0 && *start->at == *(start->at - start->node->reps[0]))
        (void)ways_try_short_rep(start);
    for (uint32_t i = 0; i < MODEL_REPS; i++)
        if (rep_len[i] > 0)
            ways_try_rep(start, i, rep_len[i], WAYS_ONE_STEP);
    uint32_t len = rep_len[0] > 0 ? rep_len[0] + 1 : MODEL_LEN_MIN;
    ways_try_matches(start, len, WAYS_LEN_MAX, WAYS_ONE_STEP);
}

/* ---- The search ---- */

/* Sets state and reps. The nodes before have theirs. */
static void settle(struct optimum *optimum, unsigned int index)
{
    struct optimum_node *node = &optimum->node[index];
    const struct optimum_node *from = &optimum->node[index - node->last.len - node->before];
    memcpy(node->reps, from->reps, sizeof node->reps);
    if (node->last.way == STEP_LITERAL) {
        node->state = state_literal(from->state);
        return;
    }
    model_move_reps(node->reps, node->last.way);
    if (node->before > 0)
        node->state = state_rep(state_literal(state_rep(from->state)));
    else if (node->last.len == 1)
        node->state = state_short_rep(from->state);
    else
        node->state = node->last.way < MODEL_REPS ? state_rep(from->state) : state_match(from->state);
}

/* Tries one byte, and a literal with rep 0. */
static void try_byte(struct ways *ways)
{
    const struct optimum_node *next = ways->node + 1;
    bool same = *ways->at == *(ways->at - ways->node->reps[0]), priced = false, is_literal = false;
    if ((next->price == OPTIMUM_UNKNOWN || !same) && ways->literal <= next->price) {
        is_literal = ways_try_literal(ways);
        priced = true;
    }
    if (same && state_is_literal(ways->node->state) && ways->rep < next->price &&
        (next->last.len == 1 || next->last.way != 0) && ways_try_short_rep(ways))
        is_literal = false;
    if (priced && !is_literal && !same)
        ways_try_literal_rep(ways);
}

static void try_node(struct optimum *optimum, unsigned int index, size_t position)
{
    struct ways ways =
        ways_from(optimum, index, position, count_left(optimum, position, OPTIMUM_NODES - 1 - index));
    try_byte(&ways);
    uint32_t limit = ways.room < WAYS_LEN_MAX ? (uint32_t)ways.room : WAYS_LEN_MAX;
    uint32_t start = MODEL_LEN_MIN;
    for (uint32_t i = 0; i < MODEL_REPS; i++) {
        uint32_t len = ways_count(&ways, ways.node->reps[i], limit);
        if (len > 0)
            ways_try_rep(&ways, i, len, WAYS_FURTHER);
        if (i == 0 && len > 0)
            start = len + 1;
    }
    ways_try_matches(&ways, start, limit, WAYS_FURTHER);
}

/* The nodes are used up: the search ends at the cheapest node from here on, the last one of several. */
static unsigned int end_early(struct optimum *optimum, unsigned int index)
{
    unsigned int best = index;
    for (unsigned int i = index + 1; i <= optimum->farthest; i++)
        if (optimum->node[i].price <= optimum->node[best].price)
            best = i;
    skip(optimum, best - index);
    return best;
}

/* Returns the node at which the search ended. */
static unsigned int follow(struct optimum *optimum, size_t position)
{
    unsigned int index = 1;
    for (; index < optimum->farthest; index++) {
        if (index >= OPTIMUM_NODES - NODES_LEFT)
            return end_early(optimum, index);
        optimum_search(optimum);
        if (optimum->longest >= WAYS_LEN_MAX) /* the next step, without a search */
            break;
        settle(optimum, index);
        try_node(optimum, index, position + index);
    }
    return index;
}

/* Collects the steps to the node, and clears the nodes. */
static void choose(struct optimum *optimum, unsigned int index)
{
    const struct optimum_node *node = &optimum->node[index];
    for (; node > optimum->node; node -= node->last.len + node->before) {
        if (node->before == 0) {
            optimum->steps[optimum->chosen++] = node->last;
            continue;
        }
        optimum->steps[optimum->chosen++] = (struct step){node->last.len, 0};
        optimum->steps[optimum->chosen++] = literal;
        if (node->before > 1)
            optimum->steps[optimum->chosen++] = (struct step){node->before - 1, node->last.way};
    }
    for (; optimum->farthest > 0; optimum->farthest--)
        optimum->node[optimum->farthest].price = OPTIMUM_UNKNOWN;
}

struct step optimum_next(struct optimum *optimum, size_t position)
{
    if (optimum->chosen == 0) {
        struct optimum_node *node = &optimum->node[0];
        uint32_t rep_len[MODEL_REPS];
        struct step step;
        if (optimum->ahead == 0)
            optimum_search(optimum);
        node->price = 0;
        node->state = optimum->model->state;
        memcpy(node->reps, optimum->model->reps, sizeof node->reps);
        struct ways start = ways_from(optimum, 0, position, count_left(optimum, position, MODEL_LEN_MAX));
        for (unsigned int i = 0; i < MODEL_REPS; i++)
            rep_len[i] = ways_count(&start, node->reps[i], start.room);
        if (take_at_once(optimum, &start, rep_len, &step))
            return step;
        try_start(&start, rep_len);
        choose(optimum, follow(optimum, position));
    }
    return optimum->steps[--optimum->chosen];
}
