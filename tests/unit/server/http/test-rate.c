/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rate of all transfers together: fair, not exceeded, never below the lowest rate of one transfer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "server/http/rate.h"

#define LEAST   16384
#define PEERS   40
#define SECOND  1000000
#define ROUND_S 20

struct peer {
    int64_t ready_us; /* it asks for more from then on */
    uint64_t sent;
};

/* Simulates transfers for 20 seconds. The first `slow` peers take 1000 bytes per second. */
static uint64_t simulate(uint64_t bytes_per_second, unsigned count, unsigned slow, struct peer *peer)
{
    struct rate rate;
    uint64_t all = 0;
    rate_init(&rate, bytes_per_second, LEAST);
    for (unsigned i = 0; i < count; i++)
        peer[i] = (struct peer){0, 0};
    for (;;) {
        unsigned next = 0;
        for (unsigned i = 1; i < count; i++)
            if (peer[i].ready_us < peer[next].ready_us)
                next = i;
        int64_t now_us = peer[next].ready_us, wait_us;
        if (now_us >= ROUND_S * SECOND)
            break;
        uint64_t piece = rate_take(&rate, now_us, count, UINT64_MAX, &wait_us);
        assert_true(piece > 0 && wait_us >= 0);
        peer[next].ready_us += wait_us + (next < slow ? (int64_t)(piece * SECOND / 1000) : 1);
        peer[next].sent += piece;
        all += piece;
    }
    rate_destroy(&rate);
    return all;
}

static void test_fair(void **state)
{
    static const struct {
        uint64_t bytes_per_second;
        unsigned count;
    } rows[] = {{16384, 1}, {32768, 2}, {65536, 2}, {655360, 40}, {1000000, 7}, {100000000, 30}, {20000, 1}};
    struct peer peer[PEERS];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t most = rows[i].bytes_per_second * ROUND_S, share = most / rows[i].count;
        uint64_t all = simulate(rows[i].bytes_per_second, rows[i].count, 0, peer);
        uint64_t slack = most / 50 + 65536 * rows[i].count;
        if (all > most + slack || all + slack < most)
            fail_msg("row %zu: %llu bytes instead of %llu", i, (unsigned long long)all,
                     (unsigned long long)most);
        for (unsigned j = 0; j < rows[i].count; j++)
            if (peer[j].sent * 10 < share * 9 || peer[j].sent * 10 > share * 11 + 655360)
                fail_msg("row %zu: peer %u got %llu bytes of %llu", i, j, (unsigned long long)peer[j].sent,
                         (unsigned long long)share);
    }
}

/* What slow peers do not take goes to the others. */
static void test_slow_peers(void **state)
{
    struct peer peer[PEERS];
    (void)state;
    uint64_t all = simulate(655360, PEERS, PEERS - 1, peer);
    assert_true(all > 655360 * ROUND_S / 2);
    assert_true(peer[PEERS - 1].sent > 655360 * ROUND_S / 2);
}

/* Continued downloads can make the transfers too many for the rate. */
static void test_too_many(void **state)
{
    struct peer peer[PEERS];
    (void)state;
    simulate(32768, PEERS, 0, peer);
    for (unsigned i = 0; i < PEERS; i++)
        assert_true(peer[i].sent > (uint64_t)LEAST * ROUND_S * 9 / 10);
}

/* A pause is not made up for. */
static void test_idle(void **state)
{
    struct rate rate;
    int64_t wait_us;
    (void)state;
    rate_init(&rate, 100000, LEAST);
    assert_int_equal(rate_take(&rate, 0, 1, UINT64_MAX, &wait_us), 10000);
    assert_int_equal(wait_us, 0);
    assert_int_equal(rate_take(&rate, 0, 1, UINT64_MAX, &wait_us), 10000);
    assert_int_equal(wait_us, 100000);
    assert_int_equal(rate_take(&rate, 60 * SECOND, 1, UINT64_MAX, &wait_us), 10000);
    assert_int_equal(wait_us, 0);
    assert_int_equal(rate_take(&rate, 60 * SECOND, 1, UINT64_MAX, &wait_us), 10000);
    assert_int_equal(wait_us, 100000);
    assert_int_equal(rate_take(&rate, 60 * SECOND, 1, 7, &wait_us), 7); /* the rest of a package */
    assert_int_equal(wait_us, 200000);
    rate_destroy(&rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_slow_peers),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_idle),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
