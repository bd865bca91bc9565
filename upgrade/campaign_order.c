/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/campaign_order.h"

#include <stdlib.h>

static const char *const names[] = {"", "given", "hash", "spread"};
const struct enum_names campaign_order_names = ENUM_NAMES(names);

/* FNV-1a, and steps that spread texts that differ in few bits. */
static uint64_t hash_of(int64_t campaign_id, const char *text)
{
    uint64_t hash = 14695981039346656037u ^ (uint64_t)campaign_id * 0x9E3779B97F4A7C15u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

struct order_item campaign_order_item(int64_t campaign_id, int64_t device_id, const char *device,
                                      const char *tags)
{
    return (struct order_item){
        .device_id = device_id, .hash = hash_of(campaign_id, device), .group = hash_of(campaign_id, tags)};
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_hash(const void *a, const void *b)
{
    const struct order_item *left = a, *right = b;
    int order = compare(left->hash, right->hash);
    return order ? order : compare((uint64_t)left->device_id, (uint64_t)right->device_id);
}

static int by_group(const void *a, const void *b)
{
    const struct order_item *left = a, *right = b;
    int order = compare(left->group, right->group);
    return order ? order : by_hash(a, b);
}

static int by_turn(const void *a, const void *b)
{
    const struct order_item *left = a, *right = b;
    int order = compare(left->turn, right->turn);
    return order ? order : by_group(a, b);
}

void campaign_order_sort(struct order_item *items, size_t count, enum campaign_order order)
{
    if (!count || (order != ORDER_HASH && order != ORDER_SPREAD))
        return;
    qsort(items, count, sizeof *items, order == ORDER_HASH ? by_hash : by_group);
    if (order == ORDER_HASH)
        return;
    for (size_t i = 0; i < count; i++)
        items[i].turn = i > 0 && items[i].group == items[i - 1].group ? items[i - 1].turn + 1 : 0;
    qsort(items, count, sizeof *items, by_turn);
}
