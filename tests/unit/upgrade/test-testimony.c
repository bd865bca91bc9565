/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which reports count: versions that were seen after the confirmed one, whenever the report arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/testimony.h"

#define NOW (1000 * HOUR_MS)

static struct version version(const char *text)
{
    struct version ret = {.count = 0};
    if (text)
        assert_true(version_parse(slice_of(text), &ret));
    return ret;
}

static const struct {
    const char *name;
    const char *said, *confirmed;
    int64_t seen_ms, confirmed_ms;
    bool by_network, live, has_outcome, counts;
    int64_t at_ms;
} testimonies[] = {
    {"nothing is confirmed", "1147", NULL, 0, 0, false, false, false, true, NOW},
    {"nothing is confirmed, dated", "1147", NULL, NOW - 9, 0, true, false, false, true, NOW - 9},
    {"no version", NULL, NULL, NOW - 9, 0, true, true, true, false, 0},
    {"in the future", "1147", NULL, NOW + 1, 0, false, true, false, false, 0},
    {"the network's clock is a little ahead", "1147", "1138", NOW + 9, NOW, true, true, false, true, NOW},
    {"the network's clock is wrong", "1147", "1138", NOW + 15 * HOUR_MS, NOW - 9, true, true, false, false,
     0},

    {"newer and later", "1147", "1138", NOW - 5, NOW - 9, true, true, true, true, NOW - 5},
    {"newer, by a clock that may be a zone early", "1147", "1138", NOW - 9 * HOUR_MS, NOW - HOUR_MS, true,
     true, true, true, NOW - HOUR_MS},
    {"newer, by a clock, but days before", "1147", "1138", NOW - 99 * HOUR_MS, NOW - HOUR_MS, true, true,
     true, false, 0},
    {"newer, and the admin says it was before", "1147", "1138", NOW - 2 * HOUR_MS, NOW - HOUR_MS, false,
     false, true, false, 0},
    {"newer, the host sends it now", "1147", "1138", 0, NOW - HOUR_MS, false, true, false, true, NOW},
    {"newer, somebody sends it at some time", "1147", "1138", 0, NOW - HOUR_MS, false, false, true, false, 0},

    {"older version, seen before", "1138", "1147", NOW - 5 * HOUR_MS, NOW - HOUR_MS, true, true, true, false,
     0},
    {"older version, just before", "1138", "1147", NOW - HOUR_MS - 1, NOW - HOUR_MS, true, true, true, false,
     0},
    {"older version, seen later", "1138", "1147", NOW - 5, NOW - HOUR_MS, true, true, true, true, NOW - 5},
    {"older version, undated", "1138", "1147", 0, NOW - HOUR_MS, false, true, false, false, 0},
    {"older version, undated, an outcome", "1138", "1147", 0, NOW - HOUR_MS, false, true, true, true, NOW},
    {"older version, undated, from anybody", "1138", "1147", 0, NOW - HOUR_MS, false, false, true, false, 0},

    {"same version, later", "1147", "1147", NOW - 5, NOW - 9, true, true, false, true, NOW - 5},
    {"same version, before", "1147", "1147", NOW - 9, NOW - 5, true, true, false, false, 0},
    {"confirmed later than it arrived", "1147", "1138", 0, NOW + 5, false, true, true, false, 0},
};

/* Since when a version can be the result of a package that was sent at NOW - HOUR_MS. */
static const struct {
    const char *name;
    int64_t seen_ms, delivered_ms;
    bool upward, tells;
} results[] = {
    {"newer, while bytes are sent", NOW - HOUR_MS + 5, 0, true, true},
    {"newer, before", NOW - HOUR_MS - 5, 0, true, false},
    {"newer, in the second of the first byte", NOW - HOUR_MS - SECOND_MS, 0, true, false},
    {"newer, undated", 0, NOW - 9, true, false},
    {"newer, after the delivery", NOW - 5, NOW - 9, true, true},
    {"newer, in the second of the delivery", NOW - SECOND_MS, NOW - 9, true, true},
    {"newer, a minute before the delivery", NOW - 9 - MINUTE_MS, NOW - 9, true, true},
    {"newer, longer before the delivery", NOW - 12 - MINUTE_MS, NOW - 9, true, false},
    {"older, after the delivery", NOW - 5, NOW - 9, false, true},
    {"older, in the second of the delivery", NOW - SECOND_MS, NOW - 9, false, false},
};

static void test_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        const struct testimony testimony = {.seen_ms = results[i].seen_ms, .arrived_ms = NOW};
        if (testimony_tells_result(&testimony, NOW - HOUR_MS, results[i].delivered_ms, results[i].upward) !=
            results[i].tells)
            fail_msg("%s", results[i].name);
    }
}

static void test_proof_needs_no_time(void **state)
{
    const struct version said = version("1147"), confirmed = version("1138");
    const int64_t seen[] = {0, NOW - 2 * HOUR_MS};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct testimony testimony = {
            .version = said, .seen_ms = seen[i], .arrived_ms = NOW, .proven_ms = NOW - 9};
        struct verdict verdict = testimony_weigh(&testimony, &confirmed, NOW - HOUR_MS);
        assert_true(verdict.counts);
        assert_int_equal(verdict.at_ms, i ? NOW - 9 : NOW);
    }
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof testimonies / sizeof *testimonies; i++) {
        const struct testimony testimony = {.version = version(testimonies[i].said),
                                            .seen_ms = testimonies[i].seen_ms,
                                            .by_network = testimonies[i].by_network,
                                            .arrived_ms = NOW,
                                            .same_firmware = true,
                                            .live = testimonies[i].live,
                                            .has_outcome = testimonies[i].has_outcome};
        const struct version confirmed = version(testimonies[i].confirmed);
        struct verdict verdict = testimony_weigh(&testimony, &confirmed, testimonies[i].confirmed_ms);
        if (verdict.counts != testimonies[i].counts || verdict.at_ms != testimonies[i].at_ms ||
            !verdict.why != verdict.counts)
            fail_msg("%s: %d at %lld, %s", testimonies[i].name, verdict.counts, (long long)verdict.at_ms,
                     verdict.why ? verdict.why : "-");
    }
}

/* In any order of arrival, an older observation never replaces the confirmed version. */
static void test_order_of_arrival_does_not_matter(void **state)
{
    uint32_t random = 5;
    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        struct version confirmed = {.count = 0};
        int64_t confirmed_ms = 0, newest_ms = 0;
        unsigned newest = 0;
        for (unsigned i = 0; i < 6; i++) {
            random = random * 1664525u + 1013904223u;
            unsigned part = 1100 + (random >> 10) % 4;
            int64_t seen_ms = NOW - (int64_t)((random >> 16) % 1000) * 8 - i;
            struct testimony testimony = {
                .version = {{part}, 1}, .seen_ms = seen_ms, .arrived_ms = NOW, .same_firmware = true};
            struct verdict verdict = testimony_weigh(&testimony, &confirmed, confirmed_ms);
            if (seen_ms > newest_ms) {
                newest_ms = seen_ms;
                newest = part;
            }
            if (!verdict.counts)
                continue;
            assert_true(verdict.at_ms >= confirmed_ms);
            confirmed = testimony.version;
            confirmed_ms = verdict.at_ms;
        }
        assert_int_equal(confirmed.part[0], newest);
        assert_int_equal(confirmed_ms, newest_ms);
    }
}

static void test_only_what_was_seen_after_the_bytes_tells_of_them(void **state)
{
    struct testimony testimony = {.version = {{1138}, 1},
                                  .seen_ms = NOW - HOUR_MS,
                                  .by_network = true,
                                  .arrived_ms = NOW,
                                  .same_firmware = true,
                                  .live = true,
                                  .has_outcome = true};
    (void)state;
    assert_true(testimony_is_after(&testimony, NOW - HOUR_MS, false));
    assert_false(testimony_is_after(&testimony, NOW - HOUR_MS + 1, false));
    assert_true(testimony_is_after(&testimony, NOW - 1, true)); /* the clock may be a zone early */
    assert_false(testimony_is_after(&testimony, NOW + 1, true));
    testimony.by_network = false;
    assert_false(testimony_is_after(&testimony, NOW - 1, true));
    testimony.seen_ms = 0;
    assert_true(testimony_is_after(&testimony, NOW - 1, false));
    testimony.has_outcome = false;
    assert_false(testimony_is_after(&testimony, NOW - 1, false));
}

static void test_versions_of_two_firmwares_do_not_compare(void **state)
{
    struct testimony testimony = {.version = {{1147}, 1},
                                  .seen_ms = NOW - HOUR_MS,
                                  .by_network = true,
                                  .arrived_ms = NOW,
                                  .live = true};
    const struct version confirmed = {{1}, 1};
    (void)state;
    assert_false(testimony_weigh(&testimony, &confirmed, NOW - HOUR_MS + 1).counts);
    assert_true(testimony_weigh(&testimony, &confirmed, NOW - HOUR_MS).counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_proof_needs_no_time),
        cmocka_unit_test(test_order_of_arrival_does_not_matter),
        cmocka_unit_test(test_versions_of_two_firmwares_do_not_compare),
        cmocka_unit_test(test_only_what_was_seen_after_the_bytes_tells_of_them),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("testimony", tests, NULL, NULL);
}
