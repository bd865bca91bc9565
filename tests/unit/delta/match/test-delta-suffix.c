/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The index of an old image: its results, compared with a plain scan, and its number of steps. */
#include "tests/unit/delta/test-delta.h"

#include "base/sha256.h"
#include "delta/match/suffix.h"

static struct suffix *must_build(struct bytes text)
{
    struct suffix *index;
    struct error err;
    assert_true(suffix_build(text, &index, &err));
    return index;
}

static size_t longest_by_scan(struct bytes text, struct bytes wanted)
{
    size_t best = 0;
    for (size_t at = 0; at < text.len; at++) {
        size_t len = 0;
        while (len < wanted.len && at + len < text.len && text.ptr[at + len] == wanted.ptr[len])
            len++;
        best = len > best ? len : best;
    }
    return best;
}

static void compare_with_scan(struct suffix *index, struct bytes text, struct bytes wanted)
{
    uint64_t steps = 0;
    struct suffix_match found = suffix_find_longest(index, wanted, &steps);
    size_t longest = longest_by_scan(text, wanted);
    if (longest >= 2)
        assert_int_equal(found.len, longest);
    else
        assert_true(found.len <= longest);
    assert_true(found.at + found.len <= text.len);
    if (found.len > 0)
        assert_memory_equal(text.ptr + found.at, wanted.ptr, found.len);
}

static void finds_what_a_plain_scan_finds(void **state)
{
    (void)state;
    struct random r = {1};
    for (int round = 0; round < 3000; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 3, 256}[round % 4];
        struct buffer text = random_bytes(&r, random_below(&r, 70), letters);
        struct suffix *index = must_build(buffer_bytes(&text));
        for (int i = 0; i < 8; i++) {
            struct buffer wanted = random_bytes(&r, random_below(&r, 20), letters);
            size_t from = random_below(&r, text.len);
            must_add(&wanted, text.ptr + from, random_below(&r, text.len - from));
            compare_with_scan(index, buffer_bytes(&text), buffer_bytes(&wanted));
            struct bytes part = {text.ptr + from, text.len - from};
            compare_with_scan(index, buffer_bytes(&text), part);
            buffer_free(&wanted);
        }
        suffix_free(index);
        buffer_free(&text);
    }
}

/* The last suffix is a single byte and sorts before all longer suffixes with that byte. It must not hide
   any of them. */
static void finds_pairs_whatever_byte_ends_the_text(void **state)
{
    (void)state;
    for (unsigned int last = 0; last < 256; last++) {
        uint8_t text[] = {0, 1, (uint8_t)last, 0, 255, (uint8_t)last, 255, 7, 0, (uint8_t)last};
        struct bytes all = {text, sizeof text};
        struct suffix *index = must_build(all);
        for (size_t at = 0; at + 2 <= sizeof text; at++)
            for (size_t len = 2; at + len <= sizeof text; len++)
                compare_with_scan(index, all, (struct bytes){text + at, len});
        suffix_free(index);
    }
}

static void finds_nothing_in_a_text_of_one_byte(void **state)
{
    (void)state;
    const uint8_t text[] = "abc";
    for (size_t text_len = 0; text_len <= 1; text_len++) {
        struct suffix *index = must_build((struct bytes){text_len ? text : NULL, text_len});
        for (size_t len = 0; len <= 3; len++) {
            uint64_t steps = 0;
            assert_true(suffix_find_longest(index, (struct bytes){text, len}, &steps).len <= text_len);
        }
        suffix_free(index);
    }
    suffix_free(NULL);
}

static unsigned int log2_up(size_t value)
{
    unsigned int log = 0;
    while (value >> log)
        log++;
    return log;
}

/* Every suffix has much in common with every other one, which makes a naive search slow. */
static void a_search_costs_its_result_times_a_logarithm(void **state)
{
    (void)state;
    enum { SIZE = 1 << 18 };
    struct random r = {2};
    for (size_t period = 1; period <= 4096; period *= 4) {
        struct buffer text = random_bytes(&r, SIZE, 256);
        for (size_t i = period; i < SIZE; i++)
            text.ptr[i] = text.ptr[i - period];
        struct suffix *index = must_build(buffer_bytes(&text));
        for (size_t from = 0; from < SIZE; from += SIZE / 16 + 1) {
            uint64_t steps = 0;
            struct bytes wanted = {text.ptr + from, SIZE - from};
            struct suffix_match found = suffix_find_longest(index, wanted, &steps);
            assert_int_equal(found.len, wanted.len);
            assert_true(steps <= (found.len + 2) * log2_up(SIZE));
        }
        suffix_free(index);
        buffer_free(&text);
    }
}

static void refuses_text_whose_positions_need_more_than_32_bits(void **state)
{
    (void)state;
    uint8_t byte = 0; /* the length decides; nothing is read */
    struct suffix *index = NULL;
    struct error err;
    assert_false(suffix_build((struct bytes){&byte, SUFFIX_MAX_TEXT + 1}, &index, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(index);
}

/* ---- The index as a file ---- */

/* In bytes. The last field of the head is the hash of the bytes after the head. */
enum { HEAD = 80, ORDER_HASH = 48 };

static struct buffer must_seal(struct bytes text)
{
    struct suffix *index = must_build(text);
    struct bytes sealed = suffix_seal(index);
    struct buffer file = {0};
    must_add(&file, sealed.ptr, sealed.len);
    assert_int_equal(file.len, suffix_file_size(text.len));
    assert_int_equal(file.len, HEAD + 4 * text.len);
    suffix_free(index);
    return file;
}

/* A refused file keeps its bytes. */
static void check_refused(struct bytes text, struct bytes content)
{
    struct buffer file = {0};
    struct suffix *index = NULL;
    struct error err;
    must_add(&file, content.ptr, content.len);
    const uint8_t *before = file.ptr;
    assert_false(suffix_open(text, &file, &index, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_null(index);
    assert_ptr_equal(file.ptr, before);
    buffer_free(&file);
}

static void an_index_from_a_file_finds_the_same(void **state)
{
    (void)state;
    struct random r = {11};
    for (int round = 0; round < 300; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 3, 256}[round % 4];
        struct buffer text = random_bytes(&r, random_below(&r, 70), letters);
        struct buffer file = must_seal(buffer_bytes(&text));
        struct suffix *index;
        struct error err;
        assert_true(suffix_open(buffer_bytes(&text), &file, &index, &err));
        assert_null(file.ptr);
        for (size_t from = 0; from < text.len; from += 7)
            compare_with_scan(index, buffer_bytes(&text), (struct bytes){text.ptr + from, text.len - from});
        suffix_free(index);
        buffer_free(&text);
    }
}

static void a_damaged_file_or_one_of_another_text_is_refused(void **state)
{
    (void)state;
    struct random r = {12};
    struct buffer text = random_bytes(&r, 200, 256), other = random_bytes(&r, 200, 256);
    struct buffer file = must_seal(buffer_bytes(&text));
    check_refused(buffer_bytes(&other), buffer_bytes(&file));
    check_refused((struct bytes){text.ptr, text.len - 1}, buffer_bytes(&file));
    for (size_t len = 0; len < file.len; len += 1 + len / 16)
        check_refused(buffer_bytes(&text), (struct bytes){file.ptr, len});
    for (size_t at = 0; at < file.len; at++) {
        file.ptr[at] ^= 0x10;
        check_refused(buffer_bytes(&text), buffer_bytes(&file));
        file.ptr[at] ^= 0x10;
    }
    must_add(&file, "x", 1);
    check_refused(buffer_bytes(&text), buffer_bytes(&file));
    buffer_free(&text);
    buffer_free(&other);
    buffer_free(&file);
}

/* Writes the hash of the entries, as a forger would. */
static void reseal(struct buffer *file)
{
    struct sha256 hash;
    sha256_of(file->ptr + HEAD, file->len - HEAD, &hash);
    memcpy(file->ptr + ORDER_HASH, &hash, sizeof hash);
}

static void a_forged_place_outside_of_the_text_is_refused(void **state)
{
    (void)state;
    struct random r = {13};
    struct buffer text = random_bytes(&r, 100, 256);
    const int32_t places[] = {100, 101, INT32_MAX, -1, INT32_MIN};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct buffer file = must_seal(buffer_bytes(&text));
        memcpy(file.ptr + HEAD + 4 * random_below(&r, 100), &places[i], 4);
        reseal(&file);
        check_refused(buffer_bytes(&text), buffer_bytes(&file));
        buffer_free(&file);
    }
    buffer_free(&text);
}

/* With a forged order the search may find nothing, but it stays within the text. A sanitizer would report
   it otherwise. */
static void searches_in_a_forged_order_stay_within_the_text(void **state)
{
    (void)state;
    struct random r = {14};
    for (int round = 0; round < 400; round++) {
        struct buffer text = random_bytes(&r, 1 + random_below(&r, 60), 1 + (unsigned int)round % 3);
        struct buffer file = must_seal(buffer_bytes(&text));
        for (size_t i = 0; i < text.len; i++) {
            int32_t place = (int32_t)random_below(&r, text.len);
            memcpy(file.ptr + HEAD + 4 * i, &place, 4);
        }
        reseal(&file);
        struct suffix *index;
        struct error err;
        assert_true(suffix_open(buffer_bytes(&text), &file, &index, &err));
        for (size_t from = 0; from < text.len; from++) {
            uint64_t steps = 0;
            struct bytes wanted = {text.ptr + from, text.len - from};
            struct suffix_match found[3] = {suffix_find_longest(index, wanted, &steps)};
            suffix_find_neighbours(index, wanted, found + 1, &steps);
            for (size_t i = 0; i < 3; i++)
                assert_true(found[i].len <= wanted.len && found[i].at + found[i].len <= text.len);
        }
        suffix_free(index);
        buffer_free(&text);
    }
}

/* One of the neighbours has as much in common as anything has, and both have what they say. */
static void neighbours_are_the_longest(void **state)
{
    (void)state;
    struct random r = {15};
    for (int round = 0; round < 1000; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 3, 256}[round % 4];
        struct buffer text = random_bytes(&r, random_below(&r, 70), letters);
        struct buffer wanted = random_bytes(&r, random_below(&r, 20), letters);
        struct suffix *index = must_build(buffer_bytes(&text));
        struct suffix_match found[2];
        uint64_t steps = 0;
        suffix_find_neighbours(index, buffer_bytes(&wanted), found, &steps);
        size_t longest = longest_by_scan(buffer_bytes(&text), buffer_bytes(&wanted));
        size_t longer = found[0].len > found[1].len ? found[0].len : found[1].len;
        assert_true(longer == longest || longest < 2);
        for (size_t i = 0; i < 2; i++)
            if (found[i].len > 0)
                assert_memory_equal(text.ptr + found[i].at, wanted.ptr, found[i].len);
        suffix_free(index);
        buffer_free(&text);
        buffer_free(&wanted);
    }
}

static void no_word_of_the_text_is_denied(void **state)
{
    (void)state;
    struct random r = {16};
    struct buffer text = random_bytes(&r, 5000, 256), other = random_bytes(&r, 5000, 256);
    struct suffix *index = must_build(buffer_bytes(&text));
    size_t mistaken = 0;
    for (size_t i = 0; i + SUFFIX_WORD <= text.len; i++) {
        assert_true(suffix_may_have(index, (struct bytes){text.ptr + i, SUFFIX_WORD}));
        mistaken += suffix_may_have(index, (struct bytes){other.ptr + i, text.len - i});
    }
    assert_true(mistaken < text.len / 5); /* or it would save nothing */
    assert_false(suffix_may_have(index, (struct bytes){text.ptr, SUFFIX_WORD - 1}));
    suffix_free(index);
    buffer_free(&text);
    buffer_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_plain_scan_finds),
        cmocka_unit_test(finds_pairs_whatever_byte_ends_the_text),
        cmocka_unit_test(finds_nothing_in_a_text_of_one_byte),
        cmocka_unit_test(a_search_costs_its_result_times_a_logarithm),
        cmocka_unit_test(an_index_from_a_file_finds_the_same),
        cmocka_unit_test(a_damaged_file_or_one_of_another_text_is_refused),
        cmocka_unit_test(a_forged_place_outside_of_the_text_is_refused),
        cmocka_unit_test(searches_in_a_forged_order_stay_within_the_text),
        cmocka_unit_test(neighbours_are_the_longest),
        cmocka_unit_test(no_word_of_the_text_is_denied),
        cmocka_unit_test(refuses_text_whose_positions_need_more_than_32_bits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
