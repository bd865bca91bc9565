/* The index of an old image: what it finds, against a plain scan, and how many steps it takes for that. */
#include "tests/unit/test-delta.h"

#include "delta/suffix.h"

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

/* The last suffix is a single byte and sorts before all longer ones of that byte: wherever it stands, none of
   them may get lost. */
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

static void finds_nothing_in_little(void **state)
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

/* Every suffix of these has very much in common with every other: where a careless search degenerates. */
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
    uint8_t byte = 0; /* the length alone decides: nothing is read */
    struct suffix *index = NULL;
    struct error err;
    assert_false(suffix_build((struct bytes){&byte, SUFFIX_MAX_TEXT + 1}, &index, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_plain_scan_finds),
        cmocka_unit_test(finds_pairs_whatever_byte_ends_the_text),
        cmocka_unit_test(finds_nothing_in_little),
        cmocka_unit_test(a_search_costs_its_result_times_a_logarithm),
        cmocka_unit_test(refuses_text_whose_positions_need_more_than_32_bits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
