/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/tables.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "delta/bzip2/lengths.h"
#include "delta/bzip2/selectors.h"

#define MANY_GROUPS 200 /* with more groups, all tables or all but one are always best */
#define MANY_KEPT   4   /* number of plans that get hard rounds at most when there are many groups */
#define LANES       8   /* BZIP_TABLES_MAX, rounded up to what a processor adds at once */

struct plan { /* a plan for one number of tables */
    unsigned int tables;
    uint64_t promise; /* approximate cost, in fractions of a bit (BZIP_BIT) */
    uint8_t selector[BZIP_GROUPS_MAX];
    uint32_t cost[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX]; /* of each symbol, in fractions of a bit */
};

struct chooser {
    const struct bzip_symbols *symbols;
    size_t groups;
    uint32_t group_cost[BZIP_GROUPS_MAX][BZIP_TABLES_MAX];
    uint32_t count[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX];
    /* Rank of each group by its cost with one common table, the cheapest first. */
    uint16_t rank[BZIP_GROUPS_MAX];
    uint16_t group[BZIP_GROUPS_MAX]; /* group of each rank */
};

/* What each effort tries. */
struct trial {
    /* Rounds of "tables from groups, groups to tables", with costs in fractions of a bit. */
    unsigned int soft_rounds;
    unsigned int hard_rounds; /* rounds with real code lengths */
    unsigned int steps;       /* steps of bzip_lengths_choose() */
    unsigned int kept;        /* number of plans, the most promising ones, that get hard rounds */
    unsigned int starts;      /* 1 or 2 ways to divide the groups in the beginning */
    bool exact;               /* use the best selectors in soft rounds too; not for many groups */
};

static const struct trial trials[] = {
    [BZIP_ROUGH] = {3, 0, 4, 1, 1, false},
    [BZIP_QUICK] = {5, 1, 7, 2, 1, false},
    [BZIP_GOOD] = {8, 3, 9, 3, 2, false},
    [BZIP_BEST] = {12, 6, 13, 10, 2, true},
};

static size_t group_end(const struct chooser *c, size_t group)
{
    size_t end = (group + 1) * BZIP_GROUP;
    return end < c->symbols->count ? end : c->symbols->count;
}

static void count_symbols(struct chooser *c, const struct plan *plan)
{
    memset(c->count, 0, sizeof c->count);
    for (size_t group = 0; group < c->groups; group++)
        for (size_t i = group * BZIP_GROUP; i < group_end(c, group); i++)
            c->count[plan->selector[group]][c->symbols->symbol[i]]++;
}

/* The cost of symbols if code lengths could be fractions of a bit. A symbol that never occurs counts as a
   quarter. */
static void soften_costs(struct chooser *c, struct plan *plan)
{
    for (unsigned int t = 0; t < plan->tables; t++) {
        uint32_t total = 0;
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            total += c->count[t][i] * 4 + 1;
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            plan->cost[t][i] = (uint32_t)(BZIP_BIT * log2f((float)total / (float)(c->count[t][i] * 4 + 1)));
    }
}

/* The costs of all tables are side by side, so that they are added at once. */
static void cost_groups(struct chooser *c, const struct plan *plan)
{
    uint32_t cost[BZIP_ALPHABET_MAX][LANES] = {0};
    for (unsigned int t = 0; t < plan->tables; t++)
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            cost[i][t] = plan->cost[t][i];
    for (size_t group = 0; group < c->groups; group++) {
        uint32_t sum[LANES] = {0};
        for (size_t i = group * BZIP_GROUP; i < group_end(c, group); i++)
            for (unsigned int t = 0; t < LANES; t++)
                sum[t] += cost[c->symbols->symbol[i]][t];
        memcpy(c->group_cost[group], sum, sizeof c->group_cost[group]);
    }
}

static int compare_costs(const void *a, const void *b, void *chooser)
{
    const struct chooser *c = chooser;
    uint16_t left = *(const uint16_t *)a, right = *(const uint16_t *)b;
    uint32_t left_cost = c->group_cost[left][0], right_cost = c->group_cost[right][0];
    if (left_cost != right_cost)
        return left_cost < right_cost ? -1 : 1;
    return (left > right) - (left < right);
}

static void rank_groups(struct chooser *c)
{
    struct plan one;
    one.tables = 1;
    memset(one.selector, 0, c->groups);
    count_symbols(c, &one);
    soften_costs(c, &one);
    cost_groups(c, &one);
    for (size_t group = 0; group < c->groups; group++)
        c->group[group] = (uint16_t)group;
    qsort_r(c->group, c->groups, sizeof c->group[0], compare_costs, c);
    for (size_t rank = 0; rank < c->groups; rank++)
        c->rank[c->group[rank]] = (uint16_t)rank;
}

/* Divides the groups by their place in the block, because the symbols change along a block, or by their
   rank, because expensive groups differ from cheap ones. */
static void divide_groups(const struct chooser *c, struct plan *plan, bool by_place)
{
    for (size_t group = 0; group < c->groups; group++)
        plan->selector[group] = (uint8_t)((by_place ? group : c->rank[group]) * plan->tables / c->groups);
}

/* The approximate size of the tables in bits, with code lengths from the costs. */
static size_t guess_table_bits(const struct chooser *c, const struct plan *plan)
{
    size_t bits = 0;
    for (unsigned int t = 0; t < plan->tables; t++) {
        uint8_t length[BZIP_ALPHABET_MAX];
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            length[i] = (uint8_t)((plan->cost[t][i] + BZIP_BIT / 2) / BZIP_BIT);
        bits += bzip_lengths_table_bits(length, c->symbols->alphabet);
    }
    return bits;
}

static void refine_softly(struct chooser *c, struct plan *plan, const struct trial *trial)
{
    for (unsigned int round = 0; round < trial->soft_rounds; round++) {
        count_symbols(c, plan);
        soften_costs(c, plan);
        cost_groups(c, plan);
        plan->promise = trial->exact && c->groups <= MANY_GROUPS
                            ? bzip_selectors_choose(c->group_cost, c->groups, plan->tables, plan->selector)
                            : bzip_selectors_guess(c->group_cost, c->groups, plan->tables, plan->selector);
    }
    plan->promise += guess_table_bits(c, plan) * BZIP_BIT;
}

static void choose_lengths(struct chooser *c, const struct plan *plan, unsigned int steps,
                           struct bzip_tables *tables)
{
    count_symbols(c, plan);
    tables->tables = plan->tables;
    tables->groups = c->groups;
    memcpy(tables->selector, plan->selector, c->groups);
    tables->bits = 0;
    for (unsigned int t = 0; t < plan->tables; t++) {
        uint8_t *length = tables->length[t];
        bzip_lengths_choose(c->count[t], c->symbols->alphabet, steps, length);
        tables->bits += bzip_lengths_table_bits(length, c->symbols->alphabet);
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            tables->bits += (size_t)c->count[t][i] * length[i];
    }
    tables->bits += bzip_selectors_bits(tables->selector, c->groups);
}

/* Chooses the best selectors for the real code lengths. */
static void reassign_groups(struct chooser *c, const struct bzip_tables *tables, struct plan *plan)
{
    for (unsigned int t = 0; t < plan->tables; t++)
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            plan->cost[t][i] = tables->length[t][i] * (uint32_t)BZIP_BIT;
    cost_groups(c, plan);
    bzip_selectors_choose(c->group_cost, c->groups, plan->tables, plan->selector);
}

static void refine_hard(struct chooser *c, struct plan *plan, const struct trial *trial,
                        struct bzip_tables *best)
{
    struct bzip_tables tables;
    for (unsigned int round = 0;; round++) {
        choose_lengths(c, plan, trial->steps, &tables);
        bool better = tables.bits < best->bits;
        if (better)
            *best = tables;
        if (round >= trial->hard_rounds || (!better && round > 1))
            return;
        reassign_groups(c, &tables, plan);
    }
}

static int compare_promises(const void *a, const void *b)
{
    const struct plan *left = a, *right = b;
    return (left->promise > right->promise) - (left->promise < right->promise);
}

void bzip_tables_choose(const struct bzip_symbols *symbols, enum bzip_effort effort, struct bzip_tables *ret)
{
    const struct trial *trial = &trials[effort];
    struct chooser c; /* not cleared, because it has room for the largest block, and most blocks are small */
    c.symbols = symbols;
    c.groups = (symbols->count + BZIP_GROUP - 1) / BZIP_GROUP;
    struct plan plan[2 * (BZIP_TABLES_MAX - BZIP_TABLES_MIN + 1)];
    unsigned int plans = 0;
    unsigned int fewest = c.groups > MANY_GROUPS ? BZIP_TABLES_MAX - 1 : BZIP_TABLES_MIN;
    rank_groups(&c);
    for (unsigned int tables = fewest; tables <= BZIP_TABLES_MAX; tables++)
        for (unsigned int start = 0; start < trial->starts; start++) {
            plan[plans].tables = tables;
            divide_groups(&c, &plan[plans], start > 0);
            refine_softly(&c, &plan[plans++], trial);
        }
    qsort(plan, plans, sizeof plan[0], compare_promises);
    ret->bits = SIZE_MAX;
    unsigned int kept = c.groups > MANY_GROUPS && trial->kept > MANY_KEPT ? MANY_KEPT : trial->kept;
    for (unsigned int i = 0; i < plans && i < kept; i++)
        refine_hard(&c, &plan[i], trial, ret);
}
