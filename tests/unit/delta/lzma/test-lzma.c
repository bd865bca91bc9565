/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packed sections of EC7xx images: liblzma reads what our encoder writes, and the bytes never change. Whether
   they are those of a module, only real images can show: tests/ec7xx/sections.py. */
#include "tests/unit/delta/test-delta.h"

#include <lzma.h>
#include <malloc.h>
#include "base/little.h"
#include "base/sha256.h"
#include "delta/lzma/lzma.h"

#define SIZES (sizeof sizes / sizeof sizes[0])

/* Around the limits of a match, of a search and of the dictionary. */
static const size_t sizes[] = {0,    1,    2,    3,    4,     5,     10,    127,   128,   129,
                               130,  272,  273,  274,  447,   448,   449,   511,   512,   513,
                               1025, 4095, 4096, 4097, 20000, 65535, 65536, 65537, 150000};

/* ---- Data ---- */

typedef uint8_t next_byte(struct random *r, const uint8_t *data, size_t at);

static uint8_t next_zero(struct random *r, const uint8_t *data, size_t at)
{
    (void)r, (void)data, (void)at;
    return 0;
}

static uint8_t next_random(struct random *r, const uint8_t *data, size_t at)
{
    (void)data, (void)at;
    return (uint8_t)random_next(r);
}

static uint8_t next_of_three(struct random *r, const uint8_t *data, size_t at)
{
    (void)data, (void)at;
    return (uint8_t)random_below(r, 3);
}

/* Long runs; most are longer than the longest match. */
static uint8_t next_of_run(struct random *r, const uint8_t *data, size_t at)
{
    return at == 0 || random_below(r, 400) == 0 ? (uint8_t)random_below(r, 5) : data[at - 1];
}

/* Words of a few letters: after the same two letters, often the same one comes. */
static uint8_t next_of_text(struct random *r, const uint8_t *data, size_t at)
{
    static const char letters[] = "etaoinshrdlu ";
    if (at < 2 || random_below(r, 4) == 0)
        return (uint8_t)letters[random_below(r, sizeof letters - 1)];
    return (uint8_t)letters[(data[at - 1] * 7U + data[at - 2] * 3U) % (sizeof letters - 1)];
}

/* Like the code and the tables of a processor: words with few upper bytes, and repeats of nearby words. */
static uint8_t next_of_code(struct random *r, const uint8_t *data, size_t at)
{
    static const uint8_t upper[] = {0x46, 0x68, 0xF0, 0xB5, 0xBD, 0x20, 0xD0, 0x00};
    if (at >= 4096 && random_below(r, 12) != 0)
        return data[at - 4 * (1 + data[at / 64] % 100U)];
    return at % 2 ? upper[random_below(r, sizeof upper)] : (uint8_t)random_below(r, 90);
}

/* The same 3000 bytes over and over. One byte in 60 to 139 changes each time: many steps are a match, a literal
   and the same distance, and searches use all their nodes. */
static uint8_t next_of_copies(struct random *r, const uint8_t *data, size_t at)
{
    return at < 3000 || at % (60 + at / 3000 * 7 % 80) == 0 ? (uint8_t)random_next(r) : data[at - 3000];
}

/* One copy at each border of the dictionary, between random bytes. */
static uint8_t next_of_far_copies(struct random *r, const uint8_t *data, size_t at)
{
    size_t distance = 65535 + at / 1000 % 3;
    return at < distance || at % 1000 > 300 ? (uint8_t)random_next(r) : data[at - distance];
}

/* `sha256` is that of all sizes packed one behind the other. */
struct kind {
    const char *name;
    next_byte *next;
    const char *sha256;
};

static const struct kind kinds[] = {
    {"zero", next_zero, "6abbf2b091ebc4f968cd341c4cd603824284085ec8c44110456695075c8b2ede"},
    {"random", next_random, "653db80d2315d6c4f46f440a600ee3ccd41229fa72958b010233699e71c20e35"},
    {"three letters", next_of_three, "3de78689544a3e3defdad9c151a9de8425dd575f083466a2151339eba26dc786"},
    {"runs", next_of_run, "1aad29a59d8fd0068de6b70be1b93b143e25a1ab53870e186d6b097a94a78b90"},
    {"text", next_of_text, "db84348a12eb4dc18405b67ad4243c1cda1af1f44191675e217f0733f15e2fb1"},
    {"code", next_of_code, "44b77532387e6272e79ee54d82946c9224b1df0f879993ee981eeb6d1f1b1678"},
    {"copies", next_of_copies, "3ccb4704687d7014f085035e0ba119bd669817cec50ae784934d9110cb950f84"},
    {"far copies", next_of_far_copies, "14270802e335302cc3eb65cdb78a584c6e67275ce4a5bee507fc074ffc494031"},
};

static struct buffer make(const struct kind *kind, size_t size)
{
    struct random r = {size + 1};
    struct buffer made = {0};
    must_fill(&made, 0, size);
    for (size_t i = 0; i < size; i++)
        made.ptr[i] = kind->next(&r, made.ptr, i);
    return made;
}

static struct buffer must_pack(struct bytes plain)
{
    struct buffer packed = {0};
    struct error err;
    if (!lzma_device_pack(&packed, plain, &err))
        fail_msg("%s", err.text);
    return packed;
}

/* ---- Round trips ---- */

/* Unpacks with liblzma, which reads the head itself. */
static void check_liblzma_reads(struct bytes packed, struct bytes plain)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    struct buffer made = {0};
    must_fill(&made, 0xAA, plain.len + 1);
    assert_int_equal(lzma_alone_decoder(&stream, UINT64_MAX), LZMA_OK);
    stream.next_in = packed.ptr;
    stream.avail_in = packed.len;
    stream.next_out = made.ptr;
    stream.avail_out = made.len;
    assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, plain.len);
    made.len = plain.len;
    assert_true(bytes_equal(buffer_bytes(&made), plain));
    lzma_end(&stream);
    buffer_free(&made);
}

static void check_round_trip(struct bytes plain, struct bytes packed)
{
    struct buffer again = {0};
    struct error err;
    assert_int_equal(packed.ptr[0], 0x5D);
    assert_int_equal(little_u32(packed.ptr + 1), 0x10000);
    assert_int_equal(little_u32(packed.ptr + 5), plain.len);
    assert_int_equal(little_u32(packed.ptr + 9), 0);
    check_liblzma_reads(packed, plain);
    if (!lzma_device_unpack(&again, packed, plain.len, &err))
        fail_msg("%s", err.text);
    assert_true(bytes_equal(buffer_bytes(&again), plain));
    buffer_free(&again);
}

/* Packs with memory of other content, from another address. */
static void check_same_again(struct bytes plain, struct bytes packed)
{
    struct buffer moved = {0};
    must_fill(&moved, 0x55, 3);
    must_add(&moved, plain.ptr, plain.len);
    must_fill(&moved, 0x77, 5);
    mallopt(M_PERTURB, 0xC3);
    struct buffer again = must_pack((struct bytes){moved.ptr + 3, plain.len});
    mallopt(M_PERTURB, 0);
    assert_true(bytes_equal(buffer_bytes(&again), packed));
    buffer_free(&again);
    buffer_free(&moved);
}

static void all_data_is_packed_and_unpacked(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        struct buffer all = {0};
        struct sha256 digest;
        char hex[SHA256_HEX_SIZE];
        for (size_t i = 0; i < SIZES; i++) {
            struct buffer plain = make(&kinds[kind], sizes[i]), packed = must_pack(buffer_bytes(&plain));
            check_round_trip(buffer_bytes(&plain), buffer_bytes(&packed));
            if (sizes[i] <= 20000)
                check_same_again(buffer_bytes(&plain), buffer_bytes(&packed));
            must_add(&all, packed.ptr, packed.len);
            buffer_free(&plain);
            buffer_free(&packed);
        }
        sha256_of(all.ptr, all.len, &digest);
        sha256_hex(&digest, hex);
        if (strcmp(hex, kinds[kind].sha256) != 0)
            fail_msg("%s: the packed bytes changed: %s", kinds[kind].name, hex);
        buffer_free(&all);
    }
}

/* By hand: an empty section is the end of the range coder alone, and the first byte is a literal. */
static void short_sections_have_known_bytes(void **state)
{
    (void)state;
    static const uint8_t none[LZMA_HEAD_BYTES + 5] = {0x5D, 0, 0, 1};
    struct buffer packed = must_pack((struct bytes){NULL, 0});
    assert_int_equal(packed.len, sizeof none);
    assert_memory_equal(packed.ptr, none, sizeof none);
    buffer_free(&packed);
    packed = must_pack((struct bytes){(const uint8_t[]){0xFF}, 1});
    /* The bit 0 leaves the lower half of the range. Each of eight bits 1 then takes an upper half. */
    assert_int_equal(little_u32(packed.ptr + 5), 1);
    assert_int_equal(packed.ptr[LZMA_HEAD_BYTES], 0);
    assert_int_equal(packed.ptr[LZMA_HEAD_BYTES + 1], 0x7F);
    buffer_free(&packed);
}

/* ---- The contract of the functions ---- */

static void a_section_is_appended(void **state)
{
    (void)state;
    struct buffer plain = make(&kinds[0], 100), packed = {0}, alone = must_pack(buffer_bytes(&plain)),
                  out = {0};
    struct error err;
    must_add(&packed, "ab", 2);
    assert_true(lzma_device_pack(&packed, buffer_bytes(&plain), &err));
    assert_memory_equal(packed.ptr, "ab", 2);
    assert_true(bytes_equal((struct bytes){packed.ptr + 2, packed.len - 2}, buffer_bytes(&alone)));
    must_add(&out, "cd", 2);
    assert_true(lzma_device_unpack(&out, buffer_bytes(&alone), 100, &err));
    assert_int_equal(out.len, 102);
    assert_memory_equal(out.ptr, "cd", 2);
    assert_memory_equal(out.ptr + 2, plain.ptr, 100);
    buffer_free(&plain);
    buffer_free(&packed);
    buffer_free(&alone);
    buffer_free(&out);
}

static void too_much_data_is_refused(void **state)
{
    (void)state;
    static uint8_t large[LZMA_PLAIN_MAX + 1];
    struct buffer out = {0};
    struct error err;
    assert_false(lzma_device_pack(&out, (struct bytes){large, sizeof large}, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    struct buffer packed = must_pack((struct bytes){large, sizeof large - 1});
    assert_true(lzma_device_unpack(&out, buffer_bytes(&packed), LZMA_PLAIN_MAX, &err));
    assert_int_equal(out.len, LZMA_PLAIN_MAX);
    buffer_free(&packed);
    buffer_free(&out);
}

static void check_refused(struct bytes packed, size_t limit, const char *why)
{
    struct buffer out = {0};
    struct error err = {0};
    must_add(&out, "old", 3);
    assert_false(lzma_device_unpack(&out, packed, limit, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    if (!strstr(err.text, why))
        fail_msg("refused as \"%s\", not for \"%s\"", err.text, why);
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.ptr, "old", 3);
    buffer_free(&out);
}

static void other_heads_are_refused(void **state)
{
    (void)state;
    struct buffer plain = make(&kinds[5], 5000), packed = must_pack(buffer_bytes(&plain));
    struct bytes all = buffer_bytes(&packed);
    check_refused(all, 4999, "states 5000 unpacked bytes; the limit is 4999");
    for (unsigned int at = 0; at < 5; at++) {
        packed.ptr[at] ^= 1;
        check_refused(all, 5000, "other LZMA settings");
        packed.ptr[at] ^= 1;
    }
    memset(packed.ptr + 5, 0xFF, 8); /* "unknown size" */
    check_refused(all, 5000, "the limit is 5000");
    check_refused(all, LZMA_PLAIN_MAX, "the limit is 16777216");
    buffer_free(&plain);
    buffer_free(&packed);
}

static void only_whole_sections_are_unpacked(void **state)
{
    (void)state;
    struct buffer plain = make(&kinds[5], 2000), packed = must_pack(buffer_bytes(&plain));
    for (size_t len = 0; len < packed.len; len++)
        check_refused((struct bytes){packed.ptr, len}, 2000,
                      len < LZMA_HEAD_BYTES ? "is cut off" : "exactly 2000 bytes");
    little_put_u32(packed.ptr + 5, 1999);
    check_refused(buffer_bytes(&packed), 3000, "exactly 1999 bytes");
    little_put_u32(packed.ptr + 5, 2001);
    check_refused(buffer_bytes(&packed), 3000, "exactly 2001 bytes");
    little_put_u32(packed.ptr + 5, 2000);
    must_fill(&packed, 0, 1);
    check_refused(buffer_bytes(&packed), 2000, "exactly 2000 bytes");
    buffer_free(&plain);
    buffer_free(&packed);
}

/* liblzma writes the same form, with an end marker. A module writes none. */
static void an_end_marker_is_refused(void **state)
{
    (void)state;
    struct buffer plain = make(&kinds[5], 2000), packed = {0};
    lzma_options_lzma options;
    lzma_stream stream = LZMA_STREAM_INIT;
    assert_false(lzma_lzma_preset(&options, 6));
    options.dict_size = 0x10000;
    assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
    must_fill(&packed, 0, 4000);
    stream.next_in = plain.ptr;
    stream.avail_in = plain.len;
    stream.next_out = packed.ptr;
    stream.avail_out = packed.len;
    assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    packed.len = stream.total_out;
    lzma_end(&stream);
    memset(packed.ptr + 5, 0, 8);
    little_put_u32(packed.ptr + 5, 2000);
    check_refused(buffer_bytes(&packed), 2000, "exactly 2000 bytes");
    buffer_free(&plain);
    buffer_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_data_is_packed_and_unpacked), cmocka_unit_test(short_sections_have_known_bytes),
        cmocka_unit_test(a_section_is_appended),           cmocka_unit_test(too_much_data_is_refused),
        cmocka_unit_test(other_heads_are_refused),         cmocka_unit_test(only_whole_sections_are_unpacked),
        cmocka_unit_test(an_end_marker_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
