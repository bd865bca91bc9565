/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The parse of a new image: correct for any pair, small for small changes, and fast for any input. */
#include "tests/unit/delta/test-delta.h"

#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"
#include "delta/match/match.h"

static struct match_script must_parse(struct bytes old, struct bytes new)
{
    struct suffix *index;
    struct match_script script = {0};
    struct error err;
    assert_true(suffix_build(old, &index, &err));
    assert_true(match_make_script(index, old, new, &script, &err));
    suffix_free(index);
    return script;
}

/* Checks what match.h promises. Returns how many bytes of new the script predicts correctly. */
static size_t check_script(const struct match_script *script, struct bytes old, struct bytes new)
{
    size_t new_at = 0, hits = 0;
    int64_t old_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        assert_true(new.len - new_at >= record->diff_len);
        assert_true(old_at >= 0 && old_at <= (int64_t)old.len);
        assert_true(old.len - (size_t)old_at >= record->diff_len);
        for (size_t k = 0; k < record->diff_len; k++)
            hits += old.ptr[old_at++] == new.ptr[new_at++];
        assert_true(new.len - new_at >= record->extra_len);
        new_at += record->extra_len;
        old_at += record->seek;
    }
    assert_int_equal(new_at, new.len);
    return hits;
}

static void scripts_are_correct_for_any_pair(void **state)
{
    (void)state;
    struct random r = {3};
    for (int round = 0; round < 4000; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 4, 256}[round % 4];
        struct buffer old = random_bytes(&r, random_below(&r, 700), letters);
        struct buffer new = random_revision(&r, buffer_bytes(&old), letters);
        struct match_script script = must_parse(buffer_bytes(&old), buffer_bytes(&new));
        check_script(&script, buffer_bytes(&old), buffer_bytes(&new));
        match_script_free(&script);
        buffer_free(&old);
        buffer_free(&new);
    }
}

static void an_equal_image_is_one_record(void **state)
{
    (void)state;
    struct random r = {4};
    struct buffer old = random_bytes(&r, 50000, 256);
    struct match_script script = must_parse(buffer_bytes(&old), buffer_bytes(&old));
    assert_int_equal(script.count, 1);
    assert_int_equal(script.record[0].diff_len, old.len);
    assert_int_equal(script.record[0].extra_len, 0);
    match_script_free(&script);
    buffer_free(&old);
}

static void empty_images_make_no_record_or_one_of_new_bytes(void **state)
{
    (void)state;
    const uint8_t text[] = "firmware";
    struct bytes empty = {NULL, 0}, some = {text, sizeof text};
    struct match_script script = must_parse(some, empty);
    assert_int_equal(script.count, 0);
    match_script_free(&script);
    script = must_parse(empty, empty);
    assert_int_equal(script.count, 0);
    match_script_free(&script);
    script = must_parse(empty, some);
    assert_int_equal(script.count, 1);
    assert_int_equal(script.record[0].extra_len, some.len);
    match_script_free(&script);
}

/* Inserted, removed, moved or changed bytes in a large image cost about their number, not more. */
static void edits_cost_what_they_change(void **state)
{
    (void)state;
    enum { SIZE = 100000, PIECE = 500 };
    struct random r = {5};
    struct buffer old = random_bytes(&r, SIZE, 256);
    struct buffer fresh = random_bytes(&r, PIECE, 256);
    struct buffer new = {0};
    must_add(&new, old.ptr, 30000);
    must_add(&new, fresh.ptr, PIECE); /* inserted */
    must_add(&new, old.ptr + 30000, 20000);
    must_add(&new, old.ptr + 51000, 20000); /* the 1,000 bytes before were removed */
    must_add(&new, old.ptr + 80000, 20000); /* these two pieces changed places */
    must_add(&new, old.ptr + 71000, 9000);
    for (size_t i = 100; i < 20000; i += 100) /* one byte in a hundred changed */
        new.ptr[i] ^= 0x55;
    struct match_script script = must_parse(buffer_bytes(&old), buffer_bytes(&new));
    size_t hits = check_script(&script, buffer_bytes(&old), buffer_bytes(&new));
    assert_true(hits + PIECE + 199 + 20 >= new.len);
    assert_in_range(script.count, 5, 7);
    match_script_free(&script);
    buffer_free(&old);
    buffer_free(&fresh);
    buffer_free(&new);
}

/* ---- Degenerate input: the steps are counted, because the time depends on the machine ---- */

static size_t large = 1 << 20;

struct pair {
    struct buffer old, new;
};

static void periodic(struct pair *p, size_t period, size_t shift)
{
    struct random r = {6};
    struct buffer motif = random_bytes(&r, period, 256);
    for (size_t i = 0; i < large; i++)
        p->old.ptr[i] = motif.ptr[i % period];
    for (size_t i = 0; i < large; i++)
        p->new.ptr[i] = motif.ptr[(i + shift) % period];
    buffer_free(&motif);
}

static void make_erased(struct pair *p)
{
    memset(p->old.ptr, 0xFF, large);
    memset(p->new.ptr, 0xFF, large);
}

static void make_one_byte_in_zeros(struct pair *p)
{
    memset(p->old.ptr, 0, large);
    memset(p->new.ptr, 0, large);
    p->new.ptr[large / 2] = 1;
}

static void make_one_byte_in_each(struct pair *p)
{
    make_one_byte_in_zeros(p);
    p->old.ptr[large / 3] = 1;
}

static void make_zeros_against_erased(struct pair *p)
{
    memset(p->old.ptr, 0xFF, large);
    memset(p->new.ptr, 0, large);
}

static void make_period_2(struct pair *p)
{
    periodic(p, 2, 1);
}

static void make_period_7(struct pair *p)
{
    periodic(p, 7, 3);
}

static void make_period_256(struct pair *p)
{
    periodic(p, 256, 100);
}

static void make_period_4096(struct pair *p)
{
    periodic(p, 4096, 1);
}

/* Runs slightly longer than FOLLOW, so that nearly each byte is searched for. */
static void make_short_runs(struct pair *p)
{
    memset(p->old.ptr, 0, large);
    memset(p->new.ptr, 0, large);
    for (size_t i = 0; i < large; i += 34)
        p->new.ptr[i] = 1;
}

static void make_runs_of_each_length(struct pair *p)
{
    memset(p->old.ptr, 0, large);
    memset(p->new.ptr, 0, large);
    for (size_t i = 0, run = 1; i < large; i += run++)
        p->old.ptr[i] = 1;
    for (size_t i = large, run = 1; i > run; i -= run++)
        p->new.ptr[i - 1] = 1;
}

/* A word without a period in which nearly everything repeats. */
static void make_fibonacci_word(struct pair *p)
{
    size_t before = 1, len = 2;
    p->old.ptr[0] = 'a';
    p->old.ptr[1] = 'b';
    while (len < large) {
        size_t more = before < large - len ? before : large - len;
        memcpy(p->old.ptr + len, p->old.ptr, more);
        before = len;
        len += more;
    }
    for (size_t i = 0; i < large; i++)
        p->new.ptr[i] = p->old.ptr[large - 1 - i];
}

static void make_thue_morse_word(struct pair *p)
{
    for (unsigned int i = 0; i < (unsigned int)large; i++) {
        p->old.ptr[i] = (uint8_t)__builtin_parity(i);
        p->new.ptr[i] = (uint8_t)__builtin_parity(i + 12345);
    }
}

/* Pieces that are just large enough for a record, from all places: as many records as possible. */
static void make_shuffled_pieces(struct pair *p)
{
    struct random r = {7};
    for (size_t i = 0; i < large; i++)
        p->old.ptr[i] = (uint8_t)random_next(&r);
    for (size_t i = 0; i + 12 <= large; i += 12)
        memcpy(p->new.ptr + i, p->old.ptr + random_below(&r, large - 12), 12);
}

static void make_unrelated(struct pair *p)
{
    struct random r = {8};
    for (size_t i = 0; i < large; i++) {
        p->old.ptr[i] = (uint8_t)random_next(&r);
        p->new.ptr[i] = (uint8_t)random_next(&r);
    }
}

/* At every place there is a match of about twenty bytes, and many near matches. */
static void make_two_letters(struct pair *p)
{
    struct random r = {10};
    for (size_t i = 0; i < large; i++) {
        p->old.ptr[i] = (uint8_t)random_below(&r, 2);
        p->new.ptr[i] = (uint8_t)random_below(&r, 2);
    }
}

/* The old image repeats at a distance, so the backward extension of each match could be very long. */
static void make_noisy_copies(struct pair *p)
{
    struct random r = {9};
    for (size_t i = 0; i < large; i++) {
        p->old.ptr[i] = i < 65536 ? (uint8_t)random_next(&r) : p->old.ptr[i - 65536];
        p->new.ptr[i] = p->old.ptr[i];
    }
    for (size_t i = 0; i < large; i += 24)
        p->old.ptr[i] = (uint8_t)random_next(&r);
    for (size_t i = 12; i < large; i += 24)
        p->new.ptr[i] = (uint8_t)random_next(&r);
}

static const struct {
    const char *name;
    void (*make)(struct pair *p);
} degenerate[] = {
    {"all erased", make_erased},
    {"zeros with one byte changed", make_one_byte_in_zeros},
    {"zeros with one byte in each", make_one_byte_in_each},
    {"zeros against erased", make_zeros_against_erased},
    {"period 2", make_period_2},
    {"period 7", make_period_7},
    {"period 256", make_period_256},
    {"period 4096", make_period_4096},
    {"short runs", make_short_runs},
    {"runs of each length", make_runs_of_each_length},
    {"Fibonacci word against its reverse", make_fibonacci_word},
    {"Thue-Morse word against itself shifted", make_thue_morse_word},
    {"shuffled pieces", make_shuffled_pieces},
    {"unrelated", make_unrelated},
    {"two letters at random", make_two_letters},
    {"noisy copies", make_noisy_copies},
};

/* The worst of these takes 26. A parse that searches at every place takes 629,158 for one of them. */
#define MAX_STEPS_PER_BYTE 100

static void every_input_stays_under_the_step_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof degenerate / sizeof degenerate[0]; i++) {
        struct pair p = {0};
        must_fill(&p.old, 0, large);
        must_fill(&p.new, 0, large);
        degenerate[i].make(&p);
        struct match_script script = must_parse(buffer_bytes(&p.old), buffer_bytes(&p.new));
        check_script(&script, buffer_bytes(&p.old), buffer_bytes(&p.new));
        print_message("# %s: %.1f steps a byte, %zu records\n", degenerate[i].name,
                      (double)script.steps / (double)large, script.count);
        if (script.steps > (uint64_t)MAX_STEPS_PER_BYTE * large)
            fail_msg("%s takes %.1f steps a byte", degenerate[i].name, (double)script.steps / (double)large);
        match_script_free(&script);
        buffer_free(&p.old);
        buffer_free(&p.new);
    }
}

/* With more effort the parse by cost adds its own steps: spans are found, extended and priced, in several
   passes. */
#define MAX_STEPS_AT_GOOD 600

static void more_effort_stays_under_its_step_limit(void **state)
{
    (void)state;
    large = 1 << 16;
    for (size_t i = 0; i < sizeof degenerate / sizeof degenerate[0]; i++) {
        struct pair p = {0};
        struct buffer package = {0}, again = {0};
        struct error err;
        uint64_t steps = 0;
        must_fill(&p.old, 0, large);
        must_fill(&p.new, 0, large);
        degenerate[i].make(&p);
        struct bytes old = buffer_bytes(&p.old), new = buffer_bytes(&p.new);
        assert_true(bsdiff_make(old, new, NULL, BSDIFF_EFFORT_GOOD, &package, &steps, &err));
        assert_true(bsdiff_apply(old, buffer_bytes(&package), new.len, &again, &err));
        assert_true(bytes_equal(buffer_bytes(&again), new));
        print_message("# %s: %.1f steps a byte\n", degenerate[i].name, (double)steps / (double)large);
        if (steps > MAX_STEPS_AT_GOOD * large)
            fail_msg("%s takes %.1f steps a byte", degenerate[i].name, (double)steps / (double)large);
        buffer_free(&package);
        buffer_free(&again);
        buffer_free(&p.old);
        buffer_free(&p.new);
    }
}

static void a_new_image_of_2_gib_is_refused(void **state)
{
    (void)state;
    uint8_t byte = 0; /* the length decides; nothing is read */
    struct bytes old = {&byte, 1}, new = {&byte, SUFFIX_MAX_TEXT + 1};
    struct suffix *index;
    struct match_script script = {0};
    struct error err;
    assert_true(suffix_build(old, &index, &err));
    assert_false(match_make_script(index, old, new, &script, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(script.record);
    suffix_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_are_correct_for_any_pair),
        cmocka_unit_test(an_equal_image_is_one_record),
        cmocka_unit_test(empty_images_make_no_record_or_one_of_new_bytes),
        cmocka_unit_test(edits_cost_what_they_change),
        cmocka_unit_test(every_input_stays_under_the_step_limit),
        cmocka_unit_test(more_effort_stays_under_its_step_limit),
        cmocka_unit_test(a_new_image_of_2_gib_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
