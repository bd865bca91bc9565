/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The order of the devices of a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "upgrade/campaign_order.h"

enum { DEVICES = 60 };

/* 50 devices in the north, 7 in the south, 2 in the lab, one without tags. */
static const char *tags_of(int64_t id)
{
    return id < 50 ? "north" : id < 57 ? "south" : id < 59 ? "lab north" : "";
}

static void make(int64_t campaign, struct order_item items[DEVICES], enum campaign_order order)
{
    char name[32];
    for (int64_t id = 0; id < DEVICES; id++) {
        snprintf(name, sizeof name, "imei:8665970712345%02d", (int)id);
        items[id] = campaign_order_item(campaign, id, name, tags_of(id));
    }
    campaign_order_sort(items, DEVICES, order);
}

static unsigned in_place(const struct order_item a[DEVICES], const struct order_item b[DEVICES])
{
    unsigned count = 0;
    for (int i = 0; i < DEVICES; i++)
        count += a[i].device_id == b[i].device_id;
    return count;
}

static void test_given(void **state)
{
    struct order_item items[DEVICES];
    (void)state;
    make(1, items, ORDER_GIVEN);
    for (int i = 0; i < DEVICES; i++)
        assert_int_equal(items[i].device_id, i);
    campaign_order_sort(items, 0, ORDER_HASH);
}

/* Stable, each device once, and another order in another campaign. */
static void test_hash(void **state)
{
    struct order_item given[DEVICES], first[DEVICES], again[DEVICES], other[DEVICES];
    int64_t sum = 0;
    (void)state;
    make(1, given, ORDER_NONE);
    make(1, first, ORDER_HASH);
    make(1, again, ORDER_HASH);
    make(2, other, ORDER_HASH);
    campaign_order_sort(again, DEVICES, ORDER_HASH);
    assert_int_equal(in_place(first, again), DEVICES);
    assert_in_range(in_place(first, other), 0, 10);
    assert_in_range(in_place(first, given), 0, 10);
    for (int i = 0; i < DEVICES; i++)
        sum += first[i].device_id;
    assert_int_equal(sum, DEVICES * (DEVICES - 1) / 2);
}

/* The first four have all kinds of tags, the next three those that have a second device. */
static void test_spread(void **state)
{
    struct order_item items[DEVICES];
    unsigned seen[4] = {0};
    (void)state;
    make(3, items, ORDER_SPREAD);
    for (int i = 0; i < DEVICES; i++) {
        const char *tags = tags_of(items[i].device_id);
        unsigned kind = !tags[0]                         ? 3
                        : strcmp(tags, "lab north") == 0 ? 2
                        : strcmp(tags, "south") == 0     ? 1
                                                         : 0;
        seen[kind]++;
        if (i == 3)
            assert_true(seen[0] == 1 && seen[1] == 1 && seen[2] == 1 && seen[3] == 1);
        if (i == 6)
            assert_true(seen[0] == 2 && seen[1] == 2 && seen[2] == 2 && seen[3] == 1);
    }
    assert_int_equal(seen[0], 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_spread),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
