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
#define COST_MAX                                                                                             \
    (UINT16_MAX /                                                                                            \
     BZIP_GROUP) /* of a symbol, in fractions of a bit: 20 bits; the cost of a group has 16 bits */

struct plan { /* a plan for one number of tables */
    unsigned int tables;
    uint64_t promise; /* approximate cost, in fractions of a bit (BZIP_BIT) */
    uint8_t selector[BZIP_GROUPS_MAX];
    uint16_t cost[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX]; /* of each symbol, in fractions of a bit */
};

typedef uint16_t lanes __attribute__((vector_size(BZIP_LANES * sizeof(uint16_t)), may_alias));

struct chooser {
    const struct bzip_symbols *symbols;
    size_t groups;
    uint16_t group_cost[BZIP_GROUPS_MAX][BZIP_LANES];
    uint32_t count[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX];
    uint8_t counted[BZIP_GROUPS_MAX]; /* the selectors of `count`, if is_counted */
    bool is_counted;
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

/* Adds `by`, 1 or -1, to the counts of the symbols in a group. */
static void count_group(struct chooser *c, size_t group, unsigned int table, uint32_t by)
{
    for (size_t i = group * BZIP_GROUP; i < group_end(c, group); i++)
        c->count[table][c->symbols->symbol[i]] += by;
}

/* Only moves the groups that changed their tables since the last call, when these are few. */
static void count_symbols(struct chooser *c, const struct plan *plan)
{
    size_t moved = 0;
    if (!c->is_counted)
        memset(c->counted, BZIP_TABLES_MAX, c->groups);
    for (size_t group = 0; group < c->groups; group++)
        moved += plan->selector[group] != c->counted[group];
    bool afresh = moved > c->groups / 2;
    if (afresh)
        memset(c->count, 0, sizeof c->count);
    for (size_t group = 0; group < c->groups; group++) {
        if (!afresh && plan->selector[group] == c->counted[group])
            continue;
        if (!afresh)
            count_group(c, group, c->counted[group], UINT32_MAX);
        count_group(c, group, plan->selector[group], 1);
    }
    memcpy(c->counted, plan->selector, c->groups);
    c->is_counted = true;
}

/* The cost of symbols if code lengths could be fractions of a bit. A symbol that never occurs counts as a
   quarter. */
static void soften_costs(struct chooser *c, struct plan *plan)
{
    for (unsigned int t = 0; t < plan->tables; t++) {
        uint32_t total = 0;
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            total += c->count[t][i] * 4 + 1;
        for (unsigned int i = 0; i < c->symbols->alphabet; i++) {
            float cost = BZIP_BIT * log2f((float)total / (float)(c->count[t][i] * 4 + 1));
            plan->cost[t][i] = cost < COST_MAX ? (uint16_t)cost : COST_MAX;
        }
    }
}

/* The costs of all tables are side by side, so that they are added at once. */
static void cost_groups(struct chooser *c, const struct plan *plan)
{
    uint16_t cost[BZIP_ALPHABET_MAX][BZIP_LANES] __attribute__((aligned(16))) = {0};
    for (unsigned int t = 0; t < plan->tables; t++)
        for (unsigned int i = 0; i < c->symbols->alphabet; i++)
            cost[i][t] = plan->cost[t][i];
    for (size_t group = 0; group < c->groups; group++) {
        lanes sum = {0};
        for (size_t i = group * BZIP_GROUP; i < group_end(c, group); i++)
            sum += *(const lanes *)(const void *)cost[c->symbols->symbol[i]];
        memcpy(c->group_cost[group], &sum, sizeof sum);
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
            plan->cost[t][i] = (uint16_t)(tables->length[t][i] * BZIP_BIT);
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

/* Returns the most promising plan, and makes it the least promising one. */
static struct plan *take_best(struct plan *plan, unsigned int plans)
{
    struct plan *best = plan;
    for (unsigned int i = 1; i < plans; i++)
        best = plan[i].promise < best->promise ? &plan[i] : best;
    best->promise = UINT64_MAX;
    return best;
}

void bzip_tables_choose(const struct bzip_symbols *symbols, enum bzip_effort effort, struct bzip_tables *ret)
{
    const struct trial *trial = &trials[effort];
    struct chooser c; /* not cleared, because it has room for the largest block, and most blocks are small */
    c.symbols = symbols;
    c.is_counted = false;
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
    ret->bits = SIZE_MAX;
    unsigned int kept = c.groups > MANY_GROUPS && trial->kept > MANY_KEPT ? MANY_KEPT : trial->kept;
    for (unsigned int i = 0; i < plans && i < kept; i++)
        refine_hard(&c, take_best(plan, plans), trial, ret);
}
