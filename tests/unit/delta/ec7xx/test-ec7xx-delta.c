/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Deltas of an EC7xx that the tests write themselves, byte by byte: what they make, and what is refused. */
#include "tests/unit/delta/ec7xx/test-ec7xx.h"

#include "delta/bzip2/block.h"
#include "delta/ec7xx/delta.h"
#include "delta/ec7xx/stream.h"

struct parts { /* of a delta, unpacked */
    uint32_t new_bytes;
    struct bytes records, extra, difference;
    bool is_packed; /* control and extra with LZMA */
    size_t bzip_block;
};

#define TEXT(text)                                                                                           \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

static struct buffer framed(const char *magic, bool has_size, uint32_t new_bytes, struct bytes content,
                            bool is_packed)
{
    struct buffer made = {0}, packed = {0};
    struct error err;
    must_add(&made, magic, 8);
    if (has_size)
        must_add_u32(&made, new_bytes);
    must_add_u32(&made, (uint32_t)content.len);
    must_add(&made, content.ptr, content.len);
    if (!is_packed)
        return made;
    assert_true(lzma_device_pack(&packed, buffer_bytes(&made), &err));
    buffer_free(&made);
    return packed;
}

static struct buffer assemble(const struct parts *parts)
{
    struct buffer control = framed("CTLBK_1", true, parts->new_bytes, parts->records, parts->is_packed);
    struct buffer extra = framed("EXTBK_1", false, 0, parts->extra, parts->is_packed);
    struct buffer plain = {0}, stream = {0}, made = {0};
    const uint8_t mark = parts->is_packed;
    struct error err;
    must_add_u32(&plain, (uint32_t)parts->difference.len);
    must_add(&plain, parts->difference.ptr, parts->difference.len);
    assert_true(bzip_block_add_stream(&stream, buffer_bytes(&plain),
                                      parts->bzip_block ? parts->bzip_block : BZIP_SMALL_BLOCK, BZIP_QUICK,
                                      &err));
    must_add(&made, "ECHEADER", 8);
    must_add_u32(&made, (uint32_t)control.len);
    must_add(&made, &mark, 1);
    must_add_u32(&made, (uint32_t)extra.len);
    must_add(&made, &mark, 1);
    must_add_u32(&made, (uint32_t)stream.len);
    must_add(&made, control.ptr, control.len);
    must_add(&made, extra.ptr, extra.len);
    must_add(&made, stream.ptr, stream.len);
    buffer_free(&control);
    buffer_free(&extra);
    buffer_free(&plain);
    buffer_free(&stream);
    return made;
}

/* Whether the delta makes `wanted` from `old`. Otherwise *err is set. */
static bool makes(struct bytes delta, struct bytes old, struct bytes wanted, struct error *err)
{
    struct ec7xx_delta opened;
    uint8_t *out = malloc(wanted.len + 1);
    assert_non_null(out);
    bool ok = ec7xx_delta_open(delta, (uint32_t)wanted.len, &opened, err) &&
              ec7xx_delta_apply(&opened, old, out, err);
    if (ok && wanted.len > 0)
        assert_memory_equal(out, wanted.ptr, wanted.len);
    ec7xx_delta_free(&opened);
    free(out);
    return ok;
}

static void records_add_copy_and_move(void **state)
{
    (void)state;
    static const struct bytes old = TEXT("abcdefgh"), wanted = TEXT("aceXYab");
    struct parts parts = {
        .new_bytes = 7,
        .records = TEXT("\3\2\xFD\xFF\xFF\xFF\x0F\2\0\5"), /* back by 3; the last seek is not used */
        .extra = TEXT("XY"),
        .difference = TEXT("\0\1\2\0\0"),
    };
    struct error err;
    for (int packed = 0; packed < 2; packed++) {
        parts.is_packed = packed;
        struct buffer delta = assemble(&parts);
        if (!makes(buffer_bytes(&delta), old, wanted, &err))
            fail_msg("%s", err.text);
        must_add(&delta, "", 1); /* as the vendor's packer */
        assert_true(makes(buffer_bytes(&delta), old, wanted, &err));
        must_add(&delta, "", 1);
        assert_false(makes(buffer_bytes(&delta), old, wanted, &err));
        assert_string_equal(err.text, "2 bytes follow after its last block");
        buffer_free(&delta);
    }
}

/* The vendor's packer counts a zero behind the stream as a part of the difference block. */
static void a_zero_behind_the_stream_is_accepted(void **state)
{
    (void)state;
    static const struct bytes old = TEXT("old"), wanted = TEXT("old");
    struct parts parts = {.new_bytes = 3, .records = TEXT("\3\0\0"), .difference = TEXT("\0\0\0")};
    struct error err;
    struct buffer delta = assemble(&parts);
    must_add(&delta, "", 1);
    little_put_u32(delta.ptr + 18, little_u32(delta.ptr + 18) + 1);
    assert_true(makes(buffer_bytes(&delta), old, wanted, &err));
    delta.ptr[delta.len - 1] = 1;
    assert_false(makes(buffer_bytes(&delta), old, wanted, &err));
    delta.ptr[delta.len - 1] = 0;
    must_add(&delta, "", 1);
    little_put_u32(delta.ptr + 18, little_u32(delta.ptr + 18) + 1);
    assert_false(makes(buffer_bytes(&delta), old, wanted, &err));
    assert_string_equal(err.text, "its difference block: bzip2: bytes follow after the stream");
    buffer_free(&delta);
}

static const struct bad {
    const char *sentence;
    struct parts parts; /* of a delta that makes three bytes from "old" */
} bad[] = {
    {"a record reads outside of the old bytes that its segment may read",
     {3, TEXT("\0\0\1\3\0\0"), TEXT(""), TEXT("123"), false, 0}},
    {"a record reads outside of the old bytes that its segment may read",
     {3, TEXT("\0\0\xFF\xFF\xFF\xFF\x0F\3\0\0"), TEXT(""), TEXT("123"), false, 0}},
    {"a record goes past the end of the segment", {3, TEXT("\3\1\0"), TEXT("x"), TEXT("123"), false, 0}},
    {"a record goes past the end of the segment",
     {3, TEXT("\xFF\xFF\xFF\xFF\x0F\xFF\xFF\xFF\xFF\x0F\0"), TEXT("x"), TEXT("123"), false, 0}},
    {"a record needs more bytes than its delta has", {3, TEXT("\3\0\0"), TEXT(""), TEXT("12"), false, 0}},
    {"a record needs more bytes than its delta has", {3, TEXT("\1\2\0"), TEXT("x"), TEXT("1"), false, 0}},
    {"its records make 1 bytes too few", {3, TEXT("\2\0\0"), TEXT(""), TEXT("12"), false, 0}},
    {"its records make 3 bytes too few", {3, TEXT(""), TEXT(""), TEXT("\0"), false, 0}},
    {"its delta has bytes that no record takes", {3, TEXT("\2\1\0"), TEXT("xy"), TEXT("12"), false, 0}},
    {"its delta has bytes that no record takes", {3, TEXT("\2\1\0"), TEXT("x"), TEXT("12\0"), false, 0}},
    {"its delta has bytes that no record takes", {3, TEXT("\0\3\0"), TEXT("xyz"), TEXT("1"), false, 0}},
    {"its control block ends inside a record", {3, TEXT("\3\0"), TEXT(""), TEXT("123"), false, 0}},
    {"its control block ends inside a record", {3, TEXT("\3\0\0\x80"), TEXT(""), TEXT("123"), false, 0}},
    {"its control block ends inside a record",
     {3, TEXT("\x83\x80\x80\x80\x10\0\0"), TEXT(""), TEXT("123"), false, 0}}, /* more than 32 bits */
    {"its delta makes 4 bytes, not 3", {4, TEXT("\3\1\0"), TEXT("x"), TEXT("123"), false, 0}},
    {"its block EXTBK_ is longer than 15 bytes", {3, TEXT("\3\0\0"), TEXT("1234"), TEXT("123"), false, 0}},
};

static void each_fault_has_its_sentence(void **state)
{
    (void)state;
    static const struct bytes old = TEXT("old"), wanted = TEXT("new");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer delta = assemble(&bad[i].parts);
        struct error err = {ERROR_CODES, ""};
        if (makes(buffer_bytes(&delta), old, wanted, &err) || err.code != ERROR_CORRUPT ||
            strcmp(err.text, bad[i].sentence) != 0)
            fail_msg("row %zu: %s", i, err.text);
        buffer_free(&delta);
    }
}

static void bzip2_blocks_are_limited(void **state)
{
    (void)state;
    struct random r = {8};
    uint32_t len = EC7XX_BZIP_BLOCK - 4; /* the length counts too */
    struct buffer new = random_bytes(&r, len + 1, 200);
    struct buffer old = {0}, records = {0};
    must_fill(&old, 0, len + 1);
    for (uint32_t more = 0; more < 2; more++) {
        uint32_t size = len + more;
        const uint8_t number[] = {(uint8_t)(size | 0x80), (uint8_t)(size >> 7 | 0x80), (uint8_t)(size >> 14),
                                  0, 0};
        struct error err;
        records.len = 0;
        must_add(&records, number, sizeof number);
        struct parts parts = {.new_bytes = size,
                              .records = buffer_bytes(&records),
                              .difference = {new.ptr, size},
                              .bzip_block = 99000};
        struct buffer delta = assemble(&parts);
        bool ok = makes(buffer_bytes(&delta), buffer_bytes(&old), (struct bytes){new.ptr, size}, &err);
        if (ok != (more == 0))
            fail_msg("%u: %s", size, err.text);
        buffer_free(&delta);
    }
    buffer_free(&new);
    buffer_free(&old);
    buffer_free(&records);
}

/* What the encoder makes of nothing, of the same bytes and of other bytes. */
static void the_encoder_agrees(void **state)
{
    (void)state;
    struct random r = {4};
    struct buffer old = random_bytes(&r, 9000, 30), other = random_bytes(&r, 5000, 200);
    struct buffer new = random_revision(&r, buffer_bytes(&old), 30);
    const struct bytes none = {(const uint8_t *)"", 0};
    const struct bytes pairs[][2] = {
        {buffer_bytes(&old), buffer_bytes(&new)},
        {buffer_bytes(&old), buffer_bytes(&old)},
        {none, buffer_bytes(&new)},
        {buffer_bytes(&old), buffer_bytes(&other)},
        {buffer_bytes(&old), {old.ptr, 1}},
        {none, {old.ptr, 1}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        for (int effort = EC7XX_QUICK; effort <= EC7XX_BEST; effort++) {
            struct buffer delta = {0};
            struct error err;
            assert_true(ec7xx_stream_make(pairs[i][0], pairs[i][1], (enum ec7xx_effort)effort, &delta, &err));
            if (!makes(buffer_bytes(&delta), pairs[i][0], pairs[i][1], &err))
                fail_msg("pair %zu: %s", i, err.text);
            buffer_free(&delta);
        }
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_add_copy_and_move),   cmocka_unit_test(a_zero_behind_the_stream_is_accepted),
        cmocka_unit_test(each_fault_has_its_sentence), cmocka_unit_test(bzip2_blocks_are_limited),
        cmocka_unit_test(the_encoder_agrees),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
