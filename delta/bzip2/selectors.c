/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/selectors.h"

#include <pthread.h>
#include <string.h>

#define ORDERS_MAX 720 /* number of orders of six tables */
/* Number of groups that are decided together; the next groups start with the resulting order. */
#define STRETCH     200
#define UNREACHABLE UINT64_MAX

struct orders {
    unsigned int tables, count;
    uint8_t table[ORDERS_MAX][BZIP_TABLES_MAX]; /* all orders of the tables, in lexical order */
    uint16_t next[ORDERS_MAX]
                 [BZIP_TABLES_MAX]; /* the order after the table at that place has moved to the front */
};

struct path {
    const struct orders *orders;
    uint64_t cost[2][ORDERS_MAX];
    uint16_t before[STRETCH][ORDERS_MAX];
};

static unsigned int lexical_rank(const uint8_t *table, unsigned int tables)
{
    unsigned int rank = 0;
    for (unsigned int i = 0; i < tables; i++) {
        unsigned int smaller = 0;
        for (unsigned int k = i + 1; k < tables; k++)
            smaller += table[k] < table[i];
        rank = rank * (tables - i) + smaller;
    }
    return rank;
}

/* The order with that rank: the inverse of lexical_rank(). */
static void unrank(unsigned int rank, unsigned int tables, uint8_t *table)
{
    uint8_t left[BZIP_TABLES_MAX] = {0, 1, 2, 3, 4, 5}, digit[BZIP_TABLES_MAX];
    for (unsigned int i = tables; i-- > 0;) {
        digit[i] = (uint8_t)(rank % (tables - i));
        rank /= tables - i;
    }
    for (unsigned int i = 0; i < tables; i++) {
        table[i] = left[digit[i]];
        memmove(left + digit[i], left + digit[i] + 1, tables - i - digit[i] - 1U);
    }
}

static void list_orders(struct orders *orders, unsigned int tables)
{
    orders->tables = tables;
    orders->count = 1;
    for (unsigned int i = 2; i <= tables; i++)
        orders->count *= i;
    for (unsigned int order = 0; order < orders->count; order++) {
        uint8_t *table = orders->table[order];
        unrank(order, tables, table);
        for (unsigned int place = 0; place < tables; place++) {
            uint8_t moved[BZIP_TABLES_MAX];
            moved[0] = table[place];
            memcpy(moved + 1, table, place);
            memcpy(moved + place + 1, table + place + 1, tables - place - 1U);
            orders->next[order][place] = (uint16_t)lexical_rank(moved, tables);
        }
    }
}

static struct orders
    all_orders[BZIP_TABLES_MAX + 1]; /* by number of tables; does not change after list_all() */
static pthread_once_t listed = PTHREAD_ONCE_INIT;

static void list_all(void)
{
    for (unsigned int tables = BZIP_TABLES_MIN; tables <= BZIP_TABLES_MAX; tables++)
        list_orders(&all_orders[tables], tables);
}

static const struct orders *orders_of(unsigned int tables)
{
    pthread_once(&listed, list_all);
    return &all_orders[tables];
}

/* An order that costs more than this is not needed: each table can be moved to where that order has it, for
   at most as many bits as there are tables before it. */
static uint64_t most_useful(const struct orders *orders, const uint64_t *cost)
{
    uint64_t least = UNREACHABLE;
    for (unsigned int order = 0; order < orders->count; order++)
        least = cost[order] < least ? cost[order] : least;
    return least + (uint64_t)orders->tables * (orders->tables - 1) / 2 * BZIP_BIT;
}

static void add_group(struct path *path, size_t group, const uint16_t *group_cost)
{
    const struct orders *orders = path->orders;
    const uint64_t *from = path->cost[group % 2];
    uint64_t *to = path->cost[(group + 1) % 2];
    for (unsigned int order = 0; order < orders->count; order++)
        to[order] = UNREACHABLE;
    uint64_t most = most_useful(orders, from);
    for (unsigned int order = 0; order < orders->count; order++) {
        if (from[order] > most)
            continue;
        for (unsigned int place = 0; place < orders->tables; place++) {
            uint64_t cost = from[order] + group_cost[orders->table[order][place]] + (place + 1) * BZIP_BIT;
            unsigned int next = orders->next[order][place];
            if (cost < to[next]) {
                to[next] = cost;
                path->before[group][next] = (uint16_t)order;
            }
        }
    }
}

/* Chooses the best selectors for these groups. *start is the order before them, and then the order after
   them. */
static uint64_t choose_stretch(struct path *path, uint16_t (*cost)[BZIP_LANES], size_t groups,
                               unsigned int *start, uint8_t *selector)
{
    const struct orders *orders = path->orders;
    for (unsigned int order = 0; order < orders->count; order++)
        path->cost[0][order] = order == *start ? 0 : UNREACHABLE;
    for (size_t group = 0; group < groups; group++)
        add_group(path, group, cost[group]);
    const uint64_t *end = path->cost[groups % 2];
    unsigned int best = 0;
    for (unsigned int order = 1; order < orders->count; order++)
        best = end[order] < end[best] ? order : best;
    *start = best;
    uint64_t total = end[best];
    for (size_t group = groups; group-- > 0;) {
        selector[group] = orders->table[best][0]; /* this table has just moved to the front */
        best = path->before[group][best];
    }
    return total;
}

uint64_t bzip_selectors_choose(uint16_t (*cost)[BZIP_LANES], size_t groups, unsigned int tables,
                               uint8_t *selector)
{
    struct path path;
    path.orders = orders_of(tables);
    unsigned int order = 0;
    uint64_t total = 0;
    for (size_t from = 0; from < groups; from += STRETCH) {
        size_t count = groups - from < STRETCH ? groups - from : STRETCH;
        total += choose_stretch(&path, cost + from, count, &order, selector + from);
    }
    return total;
}

unsigned int bzip_selectors_place(uint8_t *order, uint8_t table)
{
    unsigned int place = 0;
    while (order[place] != table)
        place++;
    memmove(order + 1, order, place);
    order[0] = table;
    return place;
}

uint64_t bzip_selectors_guess(uint16_t (*cost)[BZIP_LANES], size_t groups, unsigned int tables,
                              uint8_t *selector)
{
    uint8_t order[BZIP_TABLES_MAX] = {0, 1, 2, 3, 4, 5};
    uint64_t total = 0;
    for (size_t group = 0; group < groups; group++) {
        uint32_t best = UINT32_MAX;
        for (unsigned int place = 0; place < tables; place++) {
            uint32_t here = cost[group][order[place]] + (place + 1) * BZIP_BIT;
            if (here < best) {
                best = here;
                selector[group] = order[place];
            }
        }
        total += best;
        bzip_selectors_place(order, selector[group]);
    }
    return total;
}

size_t bzip_selectors_bits(const uint8_t *selector, size_t groups)
{
    uint8_t order[BZIP_TABLES_MAX] = {0, 1, 2, 3, 4, 5};
    size_t bits = 0;
    for (size_t group = 0; group < groups; group++)
        bits += bzip_selectors_place(order, selector[group]) + 1;
    return bits;
}
