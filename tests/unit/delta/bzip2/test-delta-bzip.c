/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Measuring bzip2 streams and pieces of streams without making them. */
#include "tests/unit/delta/test-delta.h"

#include "delta/bzip2/block.h"
#include "delta/bzip2/cuts.h"
#include "delta/bzip2/pieces.h"

#define LEN 60000

/* Bytes with runs of many lengths, some of which are longer than a run of bzip2. */
static struct buffer random_runs(struct random *r, size_t len)
{
    struct buffer made = {0};
    must_fill(&made, 0, len);
    for (size_t at = 0; at < len;) {
        size_t run = random_below(r, 20) == 0 ? random_below(r, 700) : 1 + random_below(r, 6);
        uint8_t byte = (uint8_t)(random_below(r, 9) * random_below(r, 9));
        for (; run > 0 && at < len; run--)
            made.ptr[at++] = byte;
    }
    return made;
}

static void the_measured_length_is_that_of_the_stream(void **state)
{
    (void)state;
    struct random r = {41};
    for (size_t len = 0; len <= LEN; len = len * 3 + 1) {
        struct buffer plain = random_runs(&r, len), packed = {0};
        struct error err;
        size_t measured;
        assert_true(bzip_block_measure(buffer_bytes(&plain), BZIP_LARGE_BLOCK, &measured, &err));
        assert_true(bzip_block_add_stream(&packed, buffer_bytes(&plain), BZIP_LARGE_BLOCK, BZIP_ROUGH, &err));
        assert_int_equal(measured, packed.len);
        buffer_free(&plain);
        buffer_free(&packed);
    }
}

/* The piece from one end of the stream to the other has the same symbols as the block. */
static void a_whole_stream_has_its_own_symbols(void **state)
{
    (void)state;
    struct random r = {42};
    struct buffer plain = random_runs(&r, LEN);
    struct bzip_pieces pieces = {0};
    struct bzip_symbols exact = {0}, piece = {0};
    struct error err;
    assert_true(bzip_pieces_sort(buffer_bytes(&plain), &pieces, &err));
    assert_true(bzip_symbols_make(buffer_bytes(&plain), &exact, &err));
    assert_true(bzip_pieces_symbols(&pieces, 0, LEN, &piece, &err));
    assert_int_equal(piece.count, exact.count);
    assert_int_equal(piece.alphabet, exact.alphabet);
    assert_memory_equal(piece.symbol, exact.symbol, exact.count * sizeof *exact.symbol);
    assert_memory_equal(piece.used, exact.used, sizeof exact.used);
    bzip_symbols_free(&exact);
    bzip_symbols_free(&piece);
    bzip_pieces_free(&pieces);
    buffer_free(&plain);
}

/* A piece may begin and end in a run. Its real block has at most 16 bytes more, and about as many symbols. */
static void a_piece_has_nearly_the_symbols_of_its_block(void **state)
{
    (void)state;
    struct random r = {43};
    struct buffer plain = random_runs(&r, LEN);
    struct bzip_pieces pieces = {0};
    struct bzip_symbols exact = {0}, piece = {0};
    struct error err;
    assert_true(bzip_pieces_sort(buffer_bytes(&plain), &pieces, &err));
    for (int round = 0; round < 50; round++) {
        size_t from = random_below(&r, LEN - 5000), to = from + 1000 + random_below(&r, 4000);
        struct bytes block = {plain.ptr + from, to - from};
        size_t size = bzip_pieces_size(&pieces, from, to), real = bzip_symbols_size(block);
        assert_true(real <= size + 16 && size <= real + 16);
        assert_true(bzip_symbols_make(block, &exact, &err));
        assert_true(bzip_pieces_symbols(&pieces, from, to, &piece, &err));
        assert_true(piece.count < exact.count + exact.count / 20 + 20);
        assert_true(exact.count < piece.count + piece.count / 20 + 20);
    }
    bzip_symbols_free(&exact);
    bzip_symbols_free(&piece);
    bzip_pieces_free(&pieces);
    buffer_free(&plain);
}

/* Bytes 0 to 3, then bytes 128 to 191. */
static struct buffer two_kinds(void)
{
    struct random r = {44};
    struct buffer plain = random_bytes(&r, LEN, 4), second = random_bytes(&r, LEN, 64);
    struct error err;
    for (size_t i = 0; i < LEN; i++)
        second.ptr[i] = (uint8_t)(second.ptr[i] + 128);
    assert_true(buffer_add(&plain, second.ptr, second.len, &err));
    buffer_free(&second);
    return plain;
}

static void a_piece_has_only_its_own_bytes(void **state)
{
    (void)state;
    struct buffer plain = two_kinds();
    struct bzip_pieces pieces = {0};
    struct bzip_symbols piece = {0};
    struct error err;
    assert_true(bzip_pieces_sort(buffer_bytes(&plain), &pieces, &err));
    assert_true(bzip_pieces_symbols(&pieces, 100, LEN - 100, &piece, &err));
    assert_true(piece.used[3] && !piece.used[128]);
    assert_true(bzip_pieces_symbols(&pieces, LEN + 100, 2 * LEN - 100, &piece, &err));
    assert_true(!piece.used[3] && piece.used[128]);
    bzip_symbols_free(&piece);
    bzip_pieces_free(&pieces);
    buffer_free(&plain);
}

static void a_stream_of_two_kinds_is_cut(void **state)
{
    (void)state;
    struct buffer plain = two_kinds();
    struct bzip_cuts cuts = {0};
    struct error err;
    assert_true(bzip_cuts_choose(buffer_bytes(&plain), BZIP_LARGE_BLOCK, BZIP_GOOD, &cuts, &err));
    assert_true(cuts.blocks > 1);
    assert_int_equal(cuts.at[0], 0);
    assert_int_equal(cuts.at[cuts.blocks], plain.len);
    for (size_t i = 0; i < cuts.blocks; i++)
        assert_true(cuts.at[i] < cuts.at[i + 1]);
    bzip_cuts_free(&cuts);
    buffer_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_measured_length_is_that_of_the_stream),
        cmocka_unit_test(a_whole_stream_has_its_own_symbols),
        cmocka_unit_test(a_piece_has_nearly_the_symbols_of_its_block),
        cmocka_unit_test(a_piece_has_only_its_own_bytes),
        cmocka_unit_test(a_stream_of_two_kinds_is_cut),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
