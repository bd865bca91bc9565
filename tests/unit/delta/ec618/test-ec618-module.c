/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The simulated module: what it makes from payloads that the tests write themselves, what it refuses, and
   that a power cut never changes the result. */
#include "tests/unit/delta/test-delta.h"

#include "delta/bzip2/block.h"
#include "delta/ec618/module.h"

#define BLOCK ((size_t)EC618_BLOCK_BYTES)

static void put_number(struct buffer *plain, int64_t value)
{
    uint32_t bits = (uint32_t)(value < 0 ? -value : value) | (value < 0 ? 0x80000000U : 0);
    const uint8_t bytes[] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                             (uint8_t)(bits >> 24)};
    must_add(plain, bytes, 4);
}

static void put_record(struct buffer *plain, int64_t diff, int64_t extra, int64_t seek)
{
    put_number(plain, diff);
    put_number(plain, extra);
    put_number(plain, seek);
}

/* A record of `len` unchanged bytes of old. */
static void put_copy(struct buffer *plain, size_t len, int64_t seek)
{
    put_record(plain, (int64_t)len, 0, seek);
    must_fill(plain, 0, len);
}

static struct buffer pack(struct buffer *plain)
{
    struct buffer stream = {0};
    struct error err;
    assert_true(bzip_block_add_stream(&stream, buffer_bytes(plain), BZIP_SMALL_BLOCK, BZIP_QUICK, &err));
    buffer_free(plain);
    return stream;
}

static struct buffer assemble(enum ec618_order order, size_t old_len, size_t new_len, struct buffer *stream)
{
    struct buffer payload;
    struct error err;
    assert_true(ec618_payload_write(order, old_len, new_len, stream, &payload, &err));
    for (size_t i = 0; i * BLOCK < new_len; i++)
        buffer_free(&stream[i]);
    return payload;
}

/* A payload of one part with these plain contents. Frees the contents. */
static struct buffer single(enum ec618_order order, size_t old_len, size_t new_len, struct buffer *plain)
{
    struct buffer stream[] = {pack(plain)};
    return assemble(order, old_len, new_len, stream);
}

static struct buffer must_apply(struct bytes old, struct buffer *payload)
{
    struct buffer image;
    struct error err;
    if (!ec618_module_apply(old, buffer_bytes(payload), 1 << 24, &image, &err))
        fail_msg("%s", err.text);
    return image;
}

static void check_refused(struct bytes old, struct bytes payload, const char *why)
{
    struct buffer image;
    struct error err = {0};
    assert_false(ec618_module_apply(old, payload, 1 << 24, &image, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("refused as \"%s\", not for \"%s\"", err.text, why);
}

static struct buffer three_blocks(void)
{
    struct random r = {31};
    return random_bytes(&r, 3 * BLOCK - 100, 256);
}

/* Block 1 of three, a copy of old from `at`, between unchanged blocks. */
static struct buffer middle_from(enum ec618_order order, struct bytes old, size_t at)
{
    struct buffer plain = {0}, stream[3] = {{0}};
    put_record(&plain, 0, 0, (int64_t)at - ec618_payload_start(order, 1));
    put_copy(&plain, BLOCK, 0);
    stream[1] = pack(&plain);
    return assemble(order, old.len, old.len, stream);
}

static void parts_read_their_own_block_and_all_blocks_on_their_side(void **state)
{
    (void)state;
    struct buffer old = three_blocks();
    const size_t at[2][3] = {{BLOCK, BLOCK + 1, 2 * BLOCK - 100}, {0, 1, BLOCK}};
    for (int order = 0; order < 2; order++)
        for (int i = 0; i < 3; i++) {
            struct buffer payload = middle_from((enum ec618_order)order, buffer_bytes(&old), at[order][i]);
            struct buffer image = must_apply(buffer_bytes(&old), &payload);
            assert_int_equal(image.len, old.len);
            assert_memory_equal(image.ptr, old.ptr, BLOCK);
            assert_memory_equal(image.ptr + BLOCK, old.ptr + at[order][i], BLOCK);
            assert_memory_equal(image.ptr + 2 * BLOCK, old.ptr + 2 * BLOCK, BLOCK - 100);
            buffer_free(&payload);
            buffer_free(&image);
        }
    buffer_free(&old);
}

static void bytes_outside_of_the_window_are_used_unchanged(void **state)
{
    (void)state;
    struct buffer old = three_blocks();
    struct buffer forward = middle_from(EC618_FORWARD, buffer_bytes(&old), BLOCK - 10);
    struct buffer reverse = middle_from(EC618_REVERSE, buffer_bytes(&old), BLOCK + 10);
    struct buffer beyond = middle_from(EC618_FORWARD, buffer_bytes(&old), old.len - 10);
    static const uint8_t zero[BLOCK];
    struct buffer image = must_apply(buffer_bytes(&old), &forward);
    assert_memory_equal(image.ptr + BLOCK, zero, 10);
    assert_memory_equal(image.ptr + BLOCK + 10, old.ptr + BLOCK, BLOCK - 10);
    buffer_free(&image);
    image = must_apply(buffer_bytes(&old), &reverse);
    assert_memory_equal(image.ptr + BLOCK, old.ptr + BLOCK + 10, BLOCK - 10);
    assert_memory_equal(image.ptr + 2 * BLOCK - 10, zero, 10);
    buffer_free(&image);
    image = must_apply(buffer_bytes(&old), &beyond);
    assert_memory_equal(image.ptr + BLOCK, old.ptr + old.len - 10, 10);
    assert_memory_equal(image.ptr + BLOCK + 10, zero, BLOCK - 10);
    buffer_free(&image);
    buffer_free(&forward);
    buffer_free(&reverse);
    buffer_free(&beyond);
    buffer_free(&old);
}

static void differences_are_added_and_the_last_seek_is_ignored(void **state)
{
    (void)state;
    const uint8_t old[] = {250, 1, 2, 3}, diff[] = {10, 0, 255}, extra[] = {7, 8};
    struct buffer plain = {0};
    put_record(&plain, 3, 0, -3);
    must_add(&plain, diff, 3);
    put_record(&plain, 0, 2, INT32_MAX);
    must_add(&plain, extra, 2);
    struct buffer payload = single(EC618_FORWARD, sizeof old, 5, &plain);
    struct buffer image = must_apply((struct bytes){old, sizeof old}, &payload);
    assert_int_equal(image.len, 5);
    assert_memory_equal(image.ptr, ((const uint8_t[]){4, 1, 1, 7, 8}), 5);
    buffer_free(&payload);
    buffer_free(&image);
}

static void seeks_anywhere_are_harmless(void **state)
{
    (void)state;
    const uint8_t old[] = {1, 2, 3, 4};
    struct buffer plain = {0};
    for (int i = 0; i < 1000; i++)
        put_record(&plain, 0, 0, i % 2 ? -INT32_MAX : INT32_MAX);
    for (int i = 0; i < 1000; i++)
        put_record(&plain, 0, 0, -INT32_MAX);
    put_record(&plain, 4, 0, 0);
    must_add(&plain, "abcd", 4);
    struct buffer payload = single(EC618_REVERSE, sizeof old, 4, &plain);
    struct buffer image = must_apply((struct bytes){old, sizeof old}, &payload);
    assert_memory_equal(image.ptr, "abcd", 4);
    buffer_free(&payload);
    buffer_free(&image);
}

static void an_unchanged_part_is_not_opened(void **state)
{
    (void)state;
    struct buffer old = three_blocks(), stream[3] = {{0}};
    struct buffer payload = assemble(EC618_FORWARD, old.len, old.len - 50, stream);
    struct buffer image = must_apply(buffer_bytes(&old), &payload);
    assert_true(bytes_equal(buffer_bytes(&image), (struct bytes){old.ptr, old.len - 50}));
    buffer_free(&image);
    /* Any bytes may be in place of its stream: here bytes that are not bzip2. */
    must_add(&payload, "no stream", 9);
    payload.ptr[16 + 8] = (uint8_t)(payload.ptr[16 + 8] + 9);
    image = must_apply(buffer_bytes(&old), &payload);
    assert_true(bytes_equal(buffer_bytes(&image), (struct bytes){old.ptr, old.len - 50}));
    buffer_free(&image);
    buffer_free(&payload);
    payload = assemble(EC618_FORWARD, BLOCK - 1, BLOCK, stream);
    check_refused((struct bytes){old.ptr, BLOCK - 1}, buffer_bytes(&payload), "outside of the old image");
    buffer_free(&payload);
    buffer_free(&old);
}

static void the_length_and_flag_in_a_part_are_ignored(void **state)
{
    (void)state;
    struct buffer plain = {0};
    put_record(&plain, 0, 3, 0);
    must_add(&plain, "new", 3);
    struct buffer payload = single(EC618_FORWARD, 0, 3, &plain);
    memcpy(payload.ptr + 28, "\x12\x34\x56\x78\xFF\xFF\xFF\x7F", 8);
    struct buffer image = must_apply((struct bytes){NULL, 0}, &payload);
    assert_memory_equal(image.ptr, "new", 3);
    for (size_t at = 31; at <= 35; at += 4) { /* but none of them may be negative */
        payload.ptr[at] ^= 0x80;
        check_refused((struct bytes){NULL, 0}, buffer_bytes(&payload), "negative");
        payload.ptr[at] ^= 0x80;
    }
    buffer_free(&payload);
    buffer_free(&image);
}

static void unsound_records_are_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t diff, extra;
        size_t bytes;
        const char *why;
    } cases[] = {
        {-1, 4, 8, "negative"},
        {4, -1, 8, "negative"},
        {4, 1, 5, "past the end"},
        {0, 5, 5, "past the end"},
        {INT32_MAX, INT32_MAX, 8, "past the end"},
        {2, 2, 3, "ends inside a record"},
        {4, 0, 3, "ends inside a record"},
        {2, 1, 3, "before the block is complete"},
        {2, 2, 5, "continues after"},
    };
    struct bytes old = {(const uint8_t *)"old!", 4};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer plain = {0};
        put_record(&plain, cases[i].diff, cases[i].extra, 0);
        must_fill(&plain, 0, cases[i].bytes);
        struct buffer payload = single(EC618_FORWARD, 4, 4, &plain);
        check_refused(old, buffer_bytes(&payload), cases[i].why);
        buffer_free(&payload);
    }
}

static void unsound_payloads_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *bytes;
        const char *why;
    } cases[] = {
        {0, "BPHX", "BPHD"},
        {4, "\0\0\0\0", "0 parts"},
        {4, "\0\1\0\0", "256 parts"},
        {8, "\5\0\0\0", "old image of 5 bytes"},
        {12, "OrOr", "neither"},
        {16, "\0\0\0\0", "BSDIFF40"},
        {16, "\377\377\377\377", "goes past its end"},
        {20, "BSDX", "BSDIFF40"},
        {36, "\0\0\0\0", "makes 0 bytes"},
        {36, "\1\200\0\0", "makes 32769 bytes"},
        {40, "BZh4", "BZh1"},
    };
    struct bytes old = {(const uint8_t *)"old!", 4};
    struct buffer plain = {0};
    put_copy(&plain, 4, 0);
    struct buffer payload = single(EC618_FORWARD, 4, 4, &plain);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t kept[4];
        memcpy(kept, payload.ptr + cases[i].at, 4);
        memcpy(payload.ptr + cases[i].at, cases[i].bytes, 4);
        check_refused(old, buffer_bytes(&payload), cases[i].why);
        memcpy(payload.ptr + cases[i].at, kept, 4);
    }
    for (size_t len = 0; len < payload.len; len++)
        check_refused(old, (struct bytes){payload.ptr, len}, "");
    must_add(&payload, "", 1);
    check_refused(old, buffer_bytes(&payload), "after the last part");
    buffer_free(&payload);
}

static void only_the_last_part_may_be_short(void **state)
{
    (void)state;
    struct buffer old = three_blocks(), stream[3] = {{0}};
    struct buffer payload = assemble(EC618_FORWARD, old.len, old.len, stream);
    payload.ptr[28 + 16] = 1; /* the first part would make 32769 bytes, not 32768 */
    check_refused(buffer_bytes(&old), buffer_bytes(&payload), "makes 32769 bytes");
    payload.ptr[28 + 16] = 0;
    payload.ptr[28 + 17] = 0x7F;
    check_refused(buffer_bytes(&old), buffer_bytes(&payload), "makes 32512 bytes");
    buffer_free(&payload);
    buffer_free(&old);
}

static void an_image_over_the_limit_is_too_large(void **state)
{
    (void)state;
    struct buffer old = three_blocks(), stream[3] = {{0}}, image;
    struct buffer payload = assemble(EC618_REVERSE, old.len, old.len, stream);
    struct error err;
    assert_false(ec618_module_apply(buffer_bytes(&old), buffer_bytes(&payload), old.len - 1, &image, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_true(ec618_module_apply(buffer_bytes(&old), buffer_bytes(&payload), old.len, &image, &err));
    buffer_free(&image);
    buffer_free(&payload);
    buffer_free(&old);
}

struct outage { /* the power fails at the operations with the numbers in `at`, counted over all runs */
    unsigned int operations;
    unsigned int at[2];
    enum ec618_power how;
};

static enum ec618_power ask(void *context, enum ec618_flash operation, unsigned int place)
{
    struct outage *outage = context;
    (void)operation;
    (void)place;
    unsigned int now = outage->operations++;
    return now == outage->at[0] || now == outage->at[1] ? outage->how : EC618_POWER_STAYS;
}

/* Runs to the end; after each power cut the module is switched on again. Returns the number of flash
   operations. */
static unsigned int run_through(struct bytes old, struct bytes new, struct bytes payload,
                                struct outage outage)
{
    struct ec618_module *module;
    struct error err;
    bool done = false;
    assert_true(ec618_module_new(old, payload, 1 << 24, &module, &err));
    for (int runs = 0; !done; runs++) {
        assert_true(runs <= 2);
        if (!ec618_module_run(module, (struct ec618_supply){ask, &outage}, &done, &err))
            fail_msg("%s", err.text);
    }
    assert_true(bytes_equal(ec618_module_image(module), new));
    ec618_module_free(module);
    return outage.operations;
}

static void a_power_cut_never_changes_the_result(void **state)
{
    (void)state;
    const unsigned int never = UINT32_MAX;
    struct random r = {32};
    struct buffer old = random_bytes(&r, 3 * BLOCK + 500, 30);
    struct buffer new = {0};
    must_add(&new, old.ptr + 1000, BLOCK);
    must_add(&new, old.ptr + BLOCK, BLOCK); /* unchanged */
    must_add(&new, old.ptr + BLOCK / 2, old.len - BLOCK / 2);
    for (int order = 0; order < 2; order++) {
        struct ec618_options options = {.only_order = true, .order = (enum ec618_order)order};
        struct buffer payload;
        struct error err;
        assert_true(ec618_payload_make(buffer_bytes(&old), buffer_bytes(&new), options, &payload, &err));
        struct bytes was = buffer_bytes(&old), is = buffer_bytes(&new), bytes = buffer_bytes(&payload);
        unsigned int operations =
            run_through(was, is, bytes, (struct outage){0, {never, never}, EC618_POWER_STAYS});
        assert_int_equal(operations,
                         4 * 4 + 1); /* backup, note, write and advance for each part; the unchanged part
                                        only advances */
        for (unsigned int first = 0; first < operations; first++)
            for (unsigned int second = first + 1; second < first + 6; second++)
                for (int how = EC618_POWER_FAILS_IN; how <= EC618_POWER_FAILS_AFTER; how++)
                    run_through(was, is, bytes, (struct outage){0, {first, second}, (enum ec618_power)how});
        buffer_free(&payload);
    }
    buffer_free(&old);
    buffer_free(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_read_their_own_block_and_all_blocks_on_their_side),
        cmocka_unit_test(bytes_outside_of_the_window_are_used_unchanged),
        cmocka_unit_test(differences_are_added_and_the_last_seek_is_ignored),
        cmocka_unit_test(seeks_anywhere_are_harmless),
        cmocka_unit_test(an_unchanged_part_is_not_opened),
        cmocka_unit_test(the_length_and_flag_in_a_part_are_ignored),
        cmocka_unit_test(unsound_records_are_refused),
        cmocka_unit_test(unsound_payloads_are_refused),
        cmocka_unit_test(only_the_last_part_may_be_short),
        cmocka_unit_test(an_image_over_the_limit_is_too_large),
        cmocka_unit_test(a_power_cut_never_changes_the_result),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
