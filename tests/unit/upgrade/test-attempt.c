/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts: the table of states, and the acknowledged ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "upgrade/attempt.h"

#define NO ATTEMPT_STATE_COUNT /* the event does not fit */

/* The whole table, as in doc/decisions.md. */
static const enum attempt_state expected[ATTEMPT_STATE_COUNT][ATTEMPT_EVENT_COUNT] = {
    /* SEND, CUT, ALL_ACKED, HANDED_OVER, SAW_TARGET, SAW_OLD, SAW_OTHER, OVERDUE, SUPERSEDE */
    [ATTEMPT_WAITING] = {ATTEMPT_SENDING, NO, NO, NO, ATTEMPT_NOT_BY_US, ATTEMPT_WAITING, ATTEMPT_ABANDONED,
                         NO, ATTEMPT_ABANDONED},
    [ATTEMPT_SENDING] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED, ATTEMPT_DELIVERED, ATTEMPT_HANDED_OVER,
                         ATTEMPT_NOT_BY_US, ATTEMPT_SENDING, ATTEMPT_DIVERGED, NO, ATTEMPT_ABANDONED},
    [ATTEMPT_INTERRUPTED] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED, ATTEMPT_DELIVERED, ATTEMPT_HANDED_OVER,
                             ATTEMPT_NOT_BY_US, ATTEMPT_INTERRUPTED, ATTEMPT_DIVERGED, NO, ATTEMPT_ABANDONED},
    [ATTEMPT_DELIVERED] = {NO, ATTEMPT_DELIVERED, ATTEMPT_DELIVERED, NO, ATTEMPT_CONFIRMED,
                           ATTEMPT_NOT_APPLIED, ATTEMPT_DIVERGED, ATTEMPT_SILENT, ATTEMPT_SILENT},
    [ATTEMPT_HANDED_OVER] = {ATTEMPT_SENDING, ATTEMPT_HANDED_OVER, NO, ATTEMPT_HANDED_OVER, ATTEMPT_CONFIRMED,
                             ATTEMPT_NOT_APPLIED, ATTEMPT_DIVERGED, ATTEMPT_SILENT, ATTEMPT_SILENT},
    [ATTEMPT_CONFIRMED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [ATTEMPT_NOT_BY_US] = {NO, NO, ATTEMPT_CONFIRMED, ATTEMPT_CONFIRMED, NO, NO, NO, NO, NO},
    [ATTEMPT_NOT_APPLIED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [ATTEMPT_DIVERGED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO},
    [ATTEMPT_SILENT] = {NO, NO, NO, NO, ATTEMPT_CONFIRMED, ATTEMPT_NOT_APPLIED, ATTEMPT_DIVERGED, NO, NO},
    [ATTEMPT_ABANDONED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO},
};

static void test_whole_table(void **state)
{
    (void)state;
    for (unsigned from = 0; from < ATTEMPT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < ATTEMPT_EVENT_COUNT; event++) {
            enum attempt_state now = (enum attempt_state)from, to = expected[from][event];
            bool fits = attempt_apply(&now, (enum attempt_event)event);
            if (fits != (to != NO) || now != (fits ? to : from))
                fail_msg("%s with event %u gives %s", attempt_state_name((enum attempt_state)from), event,
                         attempt_state_name(now));
        }
    }
}

static void test_only_a_report_of_the_target_and_all_bytes_confirm(void **state)
{
    (void)state;
    for (unsigned from = 0; from < ATTEMPT_STATE_COUNT; from++) {
        for (unsigned event = 0; event < ATTEMPT_EVENT_COUNT; event++) {
            enum attempt_state now = (enum attempt_state)from;
            if (attempt_apply(&now, (enum attempt_event)event) && now == ATTEMPT_CONFIRMED) {
                if (from == ATTEMPT_NOT_BY_US) { /* the report was there before the last acknowledgement */
                    assert_true(event == EVENT_ALL_ACKED || event == EVENT_HANDED_OVER);
                    continue;
                }
                assert_int_equal(event, EVENT_SAW_TARGET);
                assert_true(from == ATTEMPT_DELIVERED || from == ATTEMPT_HANDED_OVER ||
                            from == ATTEMPT_SILENT);
            }
        }
    }
}

static void test_open_states_and_names(void **state)
{
    static const char *const names[] = {"waiting",
                                        "sending",
                                        "interrupted",
                                        "delivered",
                                        "handed_over",
                                        "confirmed",
                                        "confirmed_not_by_us",
                                        "not_applied",
                                        "diverged",
                                        "silent",
                                        "abandoned"};
    (void)state;
    assert_int_equal(sizeof names / sizeof *names, ATTEMPT_STATE_COUNT);
    for (unsigned i = 0; i < ATTEMPT_STATE_COUNT; i++) {
        enum attempt_state parsed = ATTEMPT_STATE_COUNT;
        assert_string_equal(attempt_state_name((enum attempt_state)i), names[i]);
        assert_true(attempt_state_parse(slice_of(names[i]), &parsed));
        assert_int_equal(parsed, i);
        assert_int_equal(attempt_is_open((enum attempt_state)i), i <= ATTEMPT_HANDED_OVER);
    }
    enum attempt_state parsed;
    assert_false(attempt_state_parse(slice_of("Waiting"), &parsed));
    assert_false(attempt_state_parse(slice_of(""), &parsed));
}

static void assert_acked(const struct acked_ranges *ranges, const char *text)
{
    char out[ATTEMPT_RANGES_TEXT];
    acked_format(ranges, out);
    assert_string_equal(out, text);
}

static void test_ranges_melt(void **state)
{
    struct acked_ranges ranges = {.count = 0};
    (void)state;
    assert_acked(&ranges, "");
    acked_add(&ranges, 10, 20);
    acked_add(&ranges, 10, 10);
    acked_add(&ranges, 20, 10);
    assert_acked(&ranges, "10-20");
    acked_add(&ranges, 30, 40);
    acked_add(&ranges, 0, 5);
    assert_acked(&ranges, "0-5,10-20,30-40");
    acked_add(&ranges, 12, 15);
    assert_acked(&ranges, "0-5,10-20,30-40");
    acked_add(&ranges, 20, 30); /* touches both */
    assert_acked(&ranges, "0-5,10-40");
    acked_add(&ranges, 4, 11);
    assert_acked(&ranges, "0-40");
    acked_add(&ranges, 50, 60);
    acked_add(&ranges, 70, 80);
    acked_add(&ranges, 45, 90); /* swallows both */
    assert_acked(&ranges, "0-40,45-90");
    assert_int_equal(acked_total(&ranges), 85);
}

static void test_covers(void **state)
{
    struct acked_ranges ranges = {.count = 0};
    (void)state;
    assert_false(acked_covers(&ranges, 0));
    assert_false(acked_covers(&ranges, 1));
    acked_add(&ranges, 1, 100);
    assert_false(acked_covers(&ranges, 100));
    acked_add(&ranges, 0, 1);
    assert_true(acked_covers(&ranges, 100));
    assert_false(acked_covers(&ranges, 101));
    assert_false(acked_covers(&ranges, 0));
    acked_add(&ranges, 101, 200);
    assert_false(acked_covers(&ranges, 200)); /* one byte is missing */

    ranges.count = 0;
    acked_add(&ranges, 0, 1);
    assert_true(acked_covers(&ranges, 1));
}

static void test_full_forgets_the_smallest(void **state)
{
    (void)state;
    for (uint64_t small = 0; small < ATTEMPT_RANGES_MAX; small++) { /* wherever it stands */
        struct acked_ranges ranges = {.count = 0};
        for (uint64_t i = 0; i < ATTEMPT_RANGES_MAX; i++)
            acked_add(&ranges, i * 100, i * 100 + (i == small ? 5 : 10));
        assert_int_equal(ranges.count, ATTEMPT_RANGES_MAX);
        uint64_t total = acked_total(&ranges);

        acked_add(&ranges, 50, 54); /* smaller than all others: dropped */
        assert_int_equal(acked_total(&ranges), total);
        acked_add(&ranges, 9000, 9050); /* the range of 5 bytes is dropped */
        assert_int_equal(ranges.count, ATTEMPT_RANGES_MAX);
        assert_int_equal(acked_total(&ranges), total - 5 + 50);
        for (unsigned i = 0; i < ranges.count; i++)
            assert_int_not_equal(ranges.range[i].first, small * 100);
        acked_add(&ranges, 2010, 2100); /* merges two even when full */
        assert_int_equal(ranges.count, ATTEMPT_RANGES_MAX - (small == 20 || small == 21 ? 0 : 1));
    }
}

/* Against an array of bytes: never more than was added, and everything as long as there is room. */
static void test_ranges_against_bytes(void **state)
{
    uint32_t random = 12345;
    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct acked_ranges ranges = {.count = 0};
        bool byte[400] = {false};
        bool was_full = false;
        for (unsigned step = 0; step < 120; step++) {
            random = random * 1664525u + 1013904223u;
            uint64_t first = (random >> 8) % 390, end = first + (random >> 24) % (round % 2 ? 4 : 10);
            acked_add(&ranges, first, end);
            for (uint64_t i = first; i < end; i++)
                byte[i] = true;
            was_full = was_full || ranges.count == ATTEMPT_RANGES_MAX;
            uint64_t added = 0;
            for (unsigned i = 0; i < 400; i++)
                added += byte[i];
            assert_true(was_full ? acked_total(&ranges) <= added : acked_total(&ranges) == added);
            for (unsigned i = 0; i < ranges.count; i++) {
                assert_true(ranges.range[i].first < ranges.range[i].end);
                assert_true(i == 0 || ranges.range[i - 1].end < ranges.range[i].first);
                for (uint64_t k = ranges.range[i].first; k < ranges.range[i].end; k++)
                    assert_true(byte[k]);
            }
            char text[ATTEMPT_RANGES_TEXT];
            struct acked_ranges again;
            acked_format(&ranges, text);
            assert_true(acked_parse(slice_of(text), &again));
            assert_acked(&again, text);
        }
    }
}

static void test_longest_text_fits(void **state)
{
    struct acked_ranges ranges = {.count = 0}, again;
    char text[ATTEMPT_RANGES_TEXT];
    (void)state;
    for (uint64_t i = 0; i < ATTEMPT_RANGES_MAX; i++)
        acked_add(&ranges, UINT64_MAX - 200 + i * 4, UINT64_MAX - 200 + i * 4 + 2);
    acked_format(&ranges, text);
    assert_int_equal(strlen(text), ATTEMPT_RANGES_TEXT - 1);
    assert_true(acked_parse(slice_of(text), &again));
    assert_int_equal(again.count, ATTEMPT_RANGES_MAX);
}

static void test_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "-",        "0",       "0-",      "-5",      "5-5",  "5-4",      "0-5,",
        ",0-5",     "0-5,5-9", "0-5,3-9", "7-9,0-5", "00-5", "0-05",     "0-5 ",
        "0-5, 7-9", "0-5;7-9", "a-b",     "0-5-9",   "+0-5", "0-5,,7-9", "0-18446744073709551616"};
    struct acked_ranges ranges = {.count = 9};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (acked_parse(slice_of(cases[i]), &ranges))
            fail_msg("'%s' is not what acked_format writes", cases[i]);
    assert_int_equal(ranges.count, 9);
    assert_true(acked_parse(slice_of(""), &ranges));
    assert_int_equal(ranges.count, 0);

    char many[ATTEMPT_RANGES_TEXT] = "";
    size_t used = 0;
    for (unsigned i = 0; i <= ATTEMPT_RANGES_MAX; i++)
        used +=
            (size_t)snprintf(many + used, sizeof many - used, "%s%u-%u", i ? "," : "", i * 10, i * 10 + 1);
    assert_false(acked_parse(slice_of(many), &ranges));
}

/* ---- The states against a record of all events ---- */

struct history { /* of one attempt, from all events */
    bool sent, all_acked, saw_target, saw_old, saw_other, superseded, overdue;
};

static void note(struct history *history, enum attempt_event event)
{
    history->sent |= event == EVENT_SEND;
    history->all_acked |= event == EVENT_ALL_ACKED || event == EVENT_HANDED_OVER;
    history->saw_target |= event == EVENT_SAW_TARGET;
    history->saw_old |= event == EVENT_SAW_OLD;
    history->saw_other |= event == EVENT_SAW_OTHER;
    history->superseded |= event == EVENT_SUPERSEDE;
    history->overdue |= event == EVENT_OVERDUE;
}

/* Each state needs the events that it stands for. */
static void assert_claims_hold(enum attempt_state state, const struct history *seen)
{
    switch (state) {
    case ATTEMPT_SENDING:
    case ATTEMPT_INTERRUPTED:
        assert_true(seen->sent);
        break;
    case ATTEMPT_DELIVERED:
    case ATTEMPT_HANDED_OVER:
        assert_true(seen->sent && seen->all_acked);
        break;
    case ATTEMPT_CONFIRMED:
        assert_true(seen->sent && seen->saw_target);
        break;
    case ATTEMPT_NOT_APPLIED:
        assert_true(seen->sent && seen->all_acked && seen->saw_old);
        break;
    case ATTEMPT_DIVERGED:
        assert_true(seen->sent && seen->saw_other);
        break;
    case ATTEMPT_SILENT:
        assert_true(seen->sent && seen->all_acked && (seen->superseded || seen->overdue));
        break;
    default:
        break;
    }
}

/* A restart cuts all transfers; everything else comes from storage. */
static enum attempt_state restart(enum attempt_state state, struct acked_ranges *acked)
{
    char text[ATTEMPT_RANGES_TEXT];
    enum attempt_state again = ATTEMPT_STATE_COUNT;
    acked_format(acked, text);
    assert_true(acked_parse(slice_of(text), acked));
    assert_true(attempt_state_parse(slice_of(attempt_state_name(state)), &again));
    assert_int_equal(again, state);
    if (again == ATTEMPT_SENDING)
        attempt_apply(&again, EVENT_CUT);
    return again;
}

/* Bytes are acknowledged; once they cover the package, and only then, that is an event. */
static bool acknowledge(struct acked_ranges *acked, uint64_t first, uint64_t end, uint64_t size)
{
    uint64_t before = acked_total(acked);
    acked_add(acked, first, end);
    assert_true(acked_total(acked) >= before);
    return acked_covers(acked, size);
}

static void test_no_sequence_of_events_claims_too_much(void **state)
{
    (void)state;
    const uint64_t size = 1000;
    uint64_t random = 4711;
    for (int run = 0; run < 20000; run++) {
        enum attempt_state now = ATTEMPT_WAITING;
        struct history seen = {0};
        struct acked_ranges acked = {.count = 0};
        for (int step = 0; step < 40; step++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            unsigned pick = (unsigned)(random >> 33);
            if (pick % 7 == 0) {
                uint64_t total = acked_total(&acked);
                now = restart(now, &acked);
                assert_int_equal(acked_total(&acked), total);
                continue;
            }
            enum attempt_event event = (enum attempt_event)(pick / 7 % ATTEMPT_EVENT_COUNT);
            if (event == EVENT_ALL_ACKED || event == EVENT_HANDED_OVER) {
                uint64_t first = pick / 128 % size;
                if (!seen.sent || !acknowledge(&acked, first, first + pick / 4096 % size, size))
                    continue;
            }
            enum attempt_state before = now;
            note(&seen, event);
            if (!attempt_apply(&now, event))
                assert_int_equal(now, before);
            assert_claims_hold(now, &seen);
            if (!attempt_is_open(before) && before != ATTEMPT_SILENT && before != ATTEMPT_NOT_BY_US)
                assert_int_equal(now, before); /* only a late report or a late acknowledgement */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_table),
        cmocka_unit_test(test_only_a_report_of_the_target_and_all_bytes_confirm),
        cmocka_unit_test(test_open_states_and_names),
        cmocka_unit_test(test_ranges_melt),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_full_forgets_the_smallest),
        cmocka_unit_test(test_ranges_against_bytes),
        cmocka_unit_test(test_longest_text_fits),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_no_sequence_of_events_claims_too_much),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
