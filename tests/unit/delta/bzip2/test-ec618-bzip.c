/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The bzip2 stage of EC618 payloads: every bzip2 decoder reads our output, and our decoder refuses what a
   module would refuse. libbz2 is the reference for both. */
#include "tests/unit/delta/test-delta.h"

#include <bzlib.h>
#include "delta/bzip2/block.h"
#include "delta/bzip2/decode.h"
#include "delta/bzip2/lengths.h"
#include "delta/bzip2/selectors.h"

#define BLOCK_LIMIT 8192

static const struct bzip_limits module_limits = {BLOCK_LIMIT, 1 << 22};

static struct buffer must_encode(struct bytes plain, enum bzip_effort effort)
{
    struct buffer packed = {0};
    struct error err;
    assert_true(bzip_block_add_stream(&packed, plain, BZIP_SMALL_BLOCK, effort, &err));
    return packed;
}

static void check_refused(struct bytes packed, struct bzip_limits limits, const char *why)
{
    struct buffer plain = {0};
    struct error err = {0};
    assert_false(bzip_decode(packed, limits, &plain, NULL, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    if (why && !strstr(err.text, why))
        fail_msg("refused as \"%s\", not for \"%s\"", err.text, why);
    buffer_free(&plain);
}

/* Checks that both decoders give `plain`, and that no block is too large. */
static void check_stream(struct bytes packed, struct bytes plain)
{
    struct buffer ours = {0}, theirs = {0};
    struct bzip_shape shape;
    struct error err;
    unsigned int len = (unsigned int)plain.len;
    must_fill(&theirs, 0, plain.len);
    assert_int_equal(BZ2_bzBuffToBuffDecompress((char *)theirs.ptr, &len, (char *)(uintptr_t)packed.ptr,
                                                (unsigned int)packed.len, 0, 0),
                     BZ_OK);
    theirs.len = len;
    assert_true(bytes_equal(buffer_bytes(&theirs), plain));
    if (!bzip_decode(packed, module_limits, &ours, &shape, &err))
        fail_msg("%s", err.text);
    assert_true(bytes_equal(buffer_bytes(&ours), plain));
    assert_true(shape.blocks > 0 && shape.largest_block <= BLOCK_LIMIT);
    assert_true(shape.fewest_tables >= 2 && shape.most_tables <= 6);
    buffer_free(&ours);
    buffer_free(&theirs);
}

static void check_round_trip(struct bytes plain, enum bzip_effort effort)
{
    struct buffer packed = must_encode(plain, effort);
    check_stream(buffer_bytes(&packed), plain);
    buffer_free(&packed);
}

static struct buffer must_stock(struct bytes plain, int level)
{
    struct buffer packed = {0};
    unsigned int len = (unsigned int)(plain.len + plain.len / 50 + 700);
    must_fill(&packed, 0, len);
    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)packed.ptr, &len, (char *)(uintptr_t)plain.ptr,
                                              (unsigned int)plain.len, level, 0, 0),
                     BZ_OK);
    packed.len = len;
    return packed;
}

static void any_bytes_are_packed_for_both_readers(void **state)
{
    (void)state;
    struct random r = {21};
    for (int round = 0; round < 120; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 3, 17, 256}[round % 5];
        struct buffer plain = random_bytes(&r, 1 + random_below(&r, round < 100 ? 900 : 40000), letters);
        check_round_trip(buffer_bytes(&plain), (enum bzip_effort)(round % 3));
        buffer_free(&plain);
    }
}

static void every_effort_packs_a_busy_part(void **state)
{
    (void)state;
    struct random r = {22};
    struct buffer plain = random_bytes(&r, 20000, 40);
    for (size_t i = 0; i + 40 < plain.len; i += 40 + random_below(&r, 200)) /* with runs of all lengths */
        memset(plain.ptr + i, 0, random_below(&r, 40));
    for (int effort = BZIP_ROUGH; effort <= BZIP_BEST; effort++)
        check_round_trip(buffer_bytes(&plain), (enum bzip_effort)effort);
    buffer_free(&plain);
}

/* Rotations of a periodic text are equal, so their order must not matter. */
static void periodic_texts_survive(void **state)
{
    (void)state;
    struct random r = {23};
    for (size_t period = 1; period <= 9; period++)
        for (size_t times = 1; times <= 700; times += 233) {
            struct buffer piece = random_bytes(&r, period, 256), plain = {0};
            for (size_t i = 0; i < times; i++)
                must_add(&plain, piece.ptr, period);
            check_round_trip(buffer_bytes(&plain), BZIP_QUICK);
            buffer_free(&piece);
            buffer_free(&plain);
        }
}

static void runs_of_every_length_survive(void **state)
{
    (void)state;
    struct buffer plain = {0};
    for (size_t run = 1; run <= 600; run += run < 12 || (run > 250 && run < 262) ? 1 : 29) {
        must_fill(&plain, (uint8_t)run, run);
        check_round_trip(buffer_bytes(&plain), BZIP_ROUGH);
    }
    buffer_free(&plain);
}

static void one_byte_and_a_full_block_survive(void **state)
{
    (void)state;
    struct random r = {24};
    for (size_t len = BLOCK_LIMIT - 2; len <= BLOCK_LIMIT + 2; len++) {
        struct buffer plain = random_bytes(&r, len, 256);
        check_round_trip(buffer_bytes(&plain), BZIP_GOOD);
        buffer_free(&plain);
    }
    check_round_trip((struct bytes){(const uint8_t *)"x", 1}, BZIP_BEST);
}

/* Bytes that never repeat in a row, so that the run-length stage does not change their number. */
static struct buffer runless(size_t len)
{
    struct buffer plain = {0};
    must_fill(&plain, 0, len);
    for (size_t i = 0; i < len; i++)
        plain.ptr[i] = (uint8_t)(i * 7 + i / 256);
    return plain;
}

static void a_block_of_8193_bytes_is_refused_and_of_8192_is_not(void **state)
{
    (void)state;
    struct buffer plain = runless(BLOCK_LIMIT + 1);
    struct buffer fits = must_stock((struct bytes){plain.ptr, BLOCK_LIMIT}, 1);
    struct buffer exceeds = must_stock(buffer_bytes(&plain), 1);
    check_stream(buffer_bytes(&fits), (struct bytes){plain.ptr, BLOCK_LIMIT});
    check_refused(buffer_bytes(&exceeds), module_limits, "more than 8192 bytes");
    buffer_free(&plain);
    buffer_free(&fits);
    buffer_free(&exceeds);
}

static void a_long_run_of_zeros_cannot_hide_a_large_block(void **state)
{
    (void)state;
    struct buffer plain = {0};
    must_fill(&plain, 'a', 1);
    for (int i = 0; i < 9000; i++) /* pairs: not a run for the first stage, but one long run for the
                                      second */
        must_add(&plain, "ab", 2);
    struct buffer packed = must_stock(buffer_bytes(&plain), 1);
    check_refused(buffer_bytes(&packed), module_limits, "more than 8192 bytes");
    buffer_free(&plain);
    buffer_free(&packed);
}

static void only_level_one_is_read(void **state)
{
    (void)state;
    struct buffer packed = must_stock((struct bytes){(const uint8_t *)"firmware", 8}, 4);
    check_refused(buffer_bytes(&packed), module_limits, "BZh1");
    buffer_free(&packed);
}

static void a_stream_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    struct random r = {25};
    struct buffer plain = random_bytes(&r, 300, 20);
    struct buffer packed = must_encode(buffer_bytes(&plain), BZIP_QUICK);
    for (size_t len = 0; len < packed.len; len++)
        check_refused((struct bytes){packed.ptr, len}, module_limits, NULL);
    buffer_free(&plain);
    buffer_free(&packed);
}

static void no_flipped_bit_passes(void **state)
{
    (void)state;
    struct random r = {26};
    struct buffer plain = random_bytes(&r, 200, 20);
    struct buffer packed = must_encode(buffer_bytes(&plain), BZIP_QUICK);
    for (size_t bit = 0; bit < packed.len * 8; bit++) {
        struct buffer got = {0};
        struct error err;
        packed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        /* The padding of the last byte has no meaning. A length or a selector that is never used may
           change too. */
        if (bzip_decode(buffer_bytes(&packed), module_limits, &got, NULL, &err))
            assert_true(bytes_equal(buffer_bytes(&got), buffer_bytes(&plain)));
        packed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        buffer_free(&got);
    }
    buffer_free(&plain);
    buffer_free(&packed);
}

/* The checksum is in the last 32 bits before the padding. */
static void the_checksum_of_the_stream_is_checked(void **state)
{
    (void)state;
    struct buffer packed = must_encode((struct bytes){(const uint8_t *)"firmware", 8}, BZIP_QUICK);
    for (size_t bit = (packed.len - 3) * 8; bit < (packed.len - 1) * 8; bit++) {
        packed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        check_refused(buffer_bytes(&packed), module_limits, "the stream's checksum");
        packed.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buffer_free(&packed);
}

static void bytes_after_a_stream_are_refused(void **state)
{
    (void)state;
    struct bytes text = {(const uint8_t *)"firmware", 8};
    struct buffer packed = must_encode(text, BZIP_QUICK), twice = {0};
    must_add(&twice, packed.ptr, packed.len);
    must_add(&twice, packed.ptr, packed.len);
    check_refused(buffer_bytes(&twice), module_limits, "after the stream");
    check_refused((struct bytes){twice.ptr, packed.len + 1}, module_limits, "after the stream");
    buffer_free(&packed);
    buffer_free(&twice);
}

/* In a block whose byte values are all in one group of 16, the number of tables is at a known bit. */
static void a_single_table_and_a_randomised_block_are_refused(void **state)
{
    (void)state;
    const size_t randomised = 32 + 48 + 32, tables = randomised + 1 + 24 + 16 + 16;
    struct buffer packed = must_encode((struct bytes){(const uint8_t *)"abcabcabc", 9}, BZIP_QUICK);
    packed.ptr[randomised / 8] ^= (uint8_t)(0x80U >> randomised % 8);
    check_refused(buffer_bytes(&packed), module_limits, "randomised");
    packed.ptr[randomised / 8] ^= (uint8_t)(0x80U >> randomised % 8);
    for (size_t i = 0; i < 3; i++) { /* 2 (010) becomes 1 (001) */
        packed.ptr[(tables + i) / 8] &= (uint8_t) ~(0x80U >> (tables + i) % 8);
        if (i == 2)
            packed.ptr[(tables + i) / 8] |= (uint8_t)(0x80U >> (tables + i) % 8);
    }
    check_refused(buffer_bytes(&packed), module_limits, "1 Huffman tables");
    buffer_free(&packed);
}

static void the_limit_of_unpacked_bytes_is_kept(void **state)
{
    (void)state;
    struct buffer plain = {0};
    must_fill(&plain, 0, 100000);
    struct buffer packed = must_encode(buffer_bytes(&plain), BZIP_QUICK);
    check_refused(buffer_bytes(&packed), (struct bzip_limits){BLOCK_LIMIT, 99999}, "more than 99999 bytes");
    buffer_free(&plain);
    buffer_free(&packed);
}

static void code_lengths_are_a_prefix_code_whatever_the_counts(void **state)
{
    (void)state;
    struct random r = {27};
    for (int round = 0; round < 60; round++) {
        uint32_t count[BZIP_ALPHABET_MAX] = {0};
        uint8_t length[BZIP_ALPHABET_MAX];
        unsigned int alphabet = 3 + (unsigned int)random_below(&r, BZIP_ALPHABET_MAX - 2),
                     scale = 1U << round % 14;
        for (unsigned int i = 0; i < alphabet; i++)
            count[i] = round % 4 == 0 ? 0 : (uint32_t)random_below(&r, scale) * (round % 3 == 0 ? i % 2 : 1);
        bzip_lengths_choose(count, alphabet, 8, length);
        uint32_t space = 0;
        for (unsigned int i = 0; i < alphabet; i++) {
            assert_true(length[i] >= 1 && length[i] <= BZIP_CODE_MAX);
            space += 1U << (BZIP_CODE_MAX - length[i]);
        }
        assert_true(space <= 1U << BZIP_CODE_MAX);
    }
}

/* When the table costs nearly nothing, the lengths of Huffman's algorithm are best: here 1, 2, 3, 3. */
static void code_lengths_follow_the_counts(void **state)
{
    (void)state;
    const uint32_t count[] = {8000, 4000, 2000, 2000};
    uint8_t length[4];
    bzip_lengths_choose(count, 4, 14, length);
    assert_memory_equal(length, ((const uint8_t[]){1, 2, 3, 3}), 4);
    assert_int_equal(bzip_lengths_table_bits(length, 4), 5 + 4 + 4);
}

static uint64_t cheapest(uint16_t (*cost)[BZIP_LANES], size_t groups, unsigned int tables, uint8_t *selector,
                         size_t group)
{
    if (group == groups) {
        uint64_t sum = bzip_selectors_bits(selector, groups) * BZIP_BIT;
        for (size_t i = 0; i < groups; i++)
            sum += cost[i][selector[i]];
        return sum;
    }
    uint64_t best = UINT64_MAX;
    for (unsigned int t = 0; t < tables; t++) {
        selector[group] = (uint8_t)t;
        uint64_t sum = cheapest(cost, groups, tables, selector, group + 1);
        best = sum < best ? sum : best;
    }
    return best;
}

static void selectors_are_the_cheapest_of_all(void **state)
{
    (void)state;
    struct random r = {28};
    for (int round = 0; round < 60; round++) {
        unsigned int tables = 2 + (unsigned int)random_below(&r, 5);
        size_t groups = 1 + random_below(&r, 5);
        uint16_t cost[5][BZIP_LANES];
        uint8_t selector[5], tried[5];
        for (size_t i = 0; i < groups; i++)
            for (unsigned int t = 0; t < tables; t++)
                cost[i][t] = (uint16_t)random_below(&r, 5 * BZIP_BIT);
        uint64_t chosen = bzip_selectors_choose(cost, groups, tables, selector);
        assert_int_equal(chosen, cheapest(cost, groups, tables, tried, 0));
        uint64_t sum = bzip_selectors_bits(selector, groups) * BZIP_BIT;
        for (size_t i = 0; i < groups; i++)
            sum += cost[i][selector[i]];
        assert_int_equal(chosen, sum);
    }
}

/* The effort makes streams much smaller than stock bzip2 on data as in payloads. */
static void more_effort_makes_it_smaller(void **state)
{
    (void)state;
    struct random r = {29};
    struct buffer plain = {0};
    must_fill(&plain, 0, 30000);
    for (size_t i = 0; i < plain.len; i += 1 + random_below(&r, 30))
        plain.ptr[i] = (uint8_t)(random_below(&r, 8) * random_below(&r, 8));
    struct buffer stock = must_stock(buffer_bytes(&plain), 1);
    struct buffer quick = must_encode(buffer_bytes(&plain), BZIP_QUICK);
    struct buffer best = must_encode(buffer_bytes(&plain), BZIP_BEST);
    assert_true(quick.len < stock.len && best.len <= quick.len);
    buffer_free(&plain);
    buffer_free(&stock);
    buffer_free(&quick);
    buffer_free(&best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_are_packed_for_both_readers),
        cmocka_unit_test(every_effort_packs_a_busy_part),
        cmocka_unit_test(periodic_texts_survive),
        cmocka_unit_test(runs_of_every_length_survive),
        cmocka_unit_test(one_byte_and_a_full_block_survive),
        cmocka_unit_test(a_block_of_8193_bytes_is_refused_and_of_8192_is_not),
        cmocka_unit_test(a_long_run_of_zeros_cannot_hide_a_large_block),
        cmocka_unit_test(only_level_one_is_read),
        cmocka_unit_test(a_stream_cut_off_anywhere_is_refused),
        cmocka_unit_test(no_flipped_bit_passes),
        cmocka_unit_test(the_checksum_of_the_stream_is_checked),
        cmocka_unit_test(bytes_after_a_stream_are_refused),
        cmocka_unit_test(a_single_table_and_a_randomised_block_are_refused),
        cmocka_unit_test(the_limit_of_unpacked_bytes_is_kept),
        cmocka_unit_test(code_lengths_are_a_prefix_code_whatever_the_counts),
        cmocka_unit_test(code_lengths_follow_the_counts),
        cmocka_unit_test(selectors_are_the_cheapest_of_all),
        cmocka_unit_test(more_effort_makes_it_smaller),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
