/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Applying packages of the format bsdiff: sound ones give the new image, and any other bytes are refused. */
#include "tests/unit/delta/bsdiff/test-records.h"

#include "delta/bsdiff/bsdiff.h"
#include "delta/bzip2/bzip.h"

#define MAX_BYTES 100000

struct parts { /* not compressed; pack_parts() compresses them */
    struct bytes control, diff, extra;
    uint64_t new_size;
};

static struct buffer pack_parts(const struct parts *parts)
{
    struct buffer package = {0};
    struct error err;
    must_fill(&package, 0, 32);
    assert_true(bzip_add_stream(&package, parts->control, &err));
    size_t control_end = package.len;
    assert_true(bzip_add_stream(&package, parts->diff, &err));
    size_t diff_end = package.len;
    assert_true(bzip_add_stream(&package, parts->extra, &err));
    memcpy(package.ptr, "BSDIFF40", 8);
    put_le64(package.ptr + 8, control_end - 32);
    put_le64(package.ptr + 16, diff_end - control_end);
    put_le64(package.ptr + 24, parts->new_size);
    return package;
}

/* A sound package of two records: 5 bytes of old plus 1 each, "+-*", then 4 bytes of old at 10. */
static struct buffer sound_package(void)
{
    const struct numbers record[] = {{5, 3, 5}, {4, 0, 0}};
    struct buffer control = pack_records(record, 2);
    struct parts parts = {
        buffer_bytes(&control), {(const uint8_t *)"\1\1\1\1\1\0\0\0\0", 9}, {(const uint8_t *)"+-*", 3}, 12};
    struct buffer package = pack_parts(&parts);
    buffer_free(&control);
    return package;
}

static void expect_refusal(struct bytes package, enum error_code code, const char *text)
{
    struct buffer new = {0};
    struct error err = {ERROR_CODES, ""};
    if (bsdiff_apply(old_image, package, MAX_BYTES, &new, &err))
        fail_msg("applied, but should be refused: %s", text);
    if (err.code != code || !strstr(err.text, text))
        fail_msg("refused with code %d \"%s\", expected code %d \"%s\"", err.code, err.text, code, text);
    assert_null(new.ptr);
}

static void expect_corrupt(struct buffer package, const char *text)
{
    expect_refusal(buffer_bytes(&package), ERROR_CORRUPT, text);
    buffer_free(&package);
}

static void a_sound_package_is_applied_under_its_exact_limit(void **state)
{
    (void)state;
    struct buffer package = sound_package(), new = {0};
    struct error err;
    assert_true(bsdiff_apply(old_image, buffer_bytes(&package), 12, &new, &err));
    assert_int_equal(new.len, 12);
    assert_memory_equal(new.ptr, "Uif!r+-*brow", 12);
    buffer_free(&new);
    assert_false(bsdiff_apply(old_image, buffer_bytes(&package), 11, &new, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(new.ptr);
    buffer_free(&package);
}

/* Like stock bspatch: a diff byte is used unchanged where it is before the beginning or after the end of
   old. */
static void diff_bytes_outside_of_old_pass_unchanged(void **state)
{
    (void)state;
    const struct numbers record[] = {{0, 0, MINUS | 2}, {4, 0, 39}, {4, 0, 0}};
    struct buffer control = pack_records(record, 3), new = {0};
    struct parts parts = {buffer_bytes(&control), {(const uint8_t *)"ab\0\0\0\0\0z", 8}, nothing, 8};
    struct buffer package = pack_parts(&parts);
    struct bytes old = {old_text, old_image.len - 1}; /* its full stop is after the end */
    struct error err;
    assert_true(bsdiff_apply(old, buffer_bytes(&package), 8, &new, &err));
    assert_int_equal(new.len, 8);
    assert_memory_equal(new.ptr, "abThog\0z", 8);
    buffer_free(&control);
    buffer_free(&package);
    buffer_free(&new);
}

static void an_empty_stream_may_have_no_bytes(void **state)
{
    (void)state;
    uint8_t package[32] = "BSDIFF40"; /* three lengths of 0 */
    struct buffer new = {0};
    struct error err;
    assert_true(bsdiff_apply(old_image, (struct bytes){package, 32}, MAX_BYTES, &new, &err));
    assert_int_equal(new.len, 0);
    buffer_free(&new);
}

static void a_broken_header_is_refused(void **state)
{
    (void)state;
    const char *no_package = "not a BSDIFF40 package", *cut = "cut off", *negative = "negative";
    const struct {
        size_t at;
        uint64_t value;
        enum error_code code;
        const char *text;
    } lies[] = {
        {0, 0x3134464649445342, ERROR_CORRUPT, no_package}, /* BSDIFF41 */
        {8, MINUS | 1, ERROR_CORRUPT, negative},
        {16, MINUS | 1, ERROR_CORRUPT, negative},
        {24, MINUS | 12, ERROR_CORRUPT, negative},
        {8, 1000, ERROR_CORRUPT, cut},
        {16, 1000, ERROR_CORRUPT, cut},
        {8, INT64_MAX, ERROR_CORRUPT, cut},
        {16, INT64_MAX, ERROR_CORRUPT, cut},
        {24, MAX_BYTES + 1, ERROR_TOO_LARGE, "the limit is 100000"},
        {24, INT64_MAX, ERROR_TOO_LARGE, "the limit is 100000"},
        {24, 13, ERROR_CORRUPT, "shorter than"},
        {24, 11, ERROR_CORRUPT, "past the end"},
        {24, 0, ERROR_CORRUPT, "continues after"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct buffer package = sound_package();
        put_le64(package.ptr + lies[i].at, lies[i].value);
        expect_refusal(buffer_bytes(&package), lies[i].code, lies[i].text);
        buffer_free(&package);
    }
    struct buffer package = sound_package(); /* each length alone would fit, both together do not */
    put_le64(package.ptr + 8, package.len - 32);
    expect_corrupt(package, cut);
    expect_refusal(nothing, ERROR_CORRUPT, no_package);
}

static void a_package_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    struct buffer package = sound_package();
    for (size_t len = 0; len < package.len; len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer reports a read of one byte too many */
        assert_non_null(exact);
        memcpy(exact + 1, package.ptr, len);
        expect_refusal((struct bytes){exact + 1, len}, ERROR_CORRUPT, "");
        free(exact);
    }
    buffer_free(&package);
}

/* A changed bit in a stream is found by a checksum. One in the header or between the streams may be
   accepted only if the result is the same. */
static void no_flipped_bit_gives_another_image(void **state)
{
    (void)state;
    struct buffer package = sound_package();
    for (size_t bit = 0; bit < package.len * 8; bit++) {
        struct buffer new = {0};
        struct error err;
        package.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (bsdiff_apply(old_image, buffer_bytes(&package), MAX_BYTES, &new, &err)) {
            assert_int_equal(new.len, 12);
            assert_memory_equal(new.ptr, "Uif!r+-*brow", 12);
        }
        buffer_free(&new);
        package.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_free(&package);
}

/* A package with these records, whose diff and extra streams are long enough. */
static struct buffer package_of(const struct numbers *record, size_t count, uint64_t new_size)
{
    struct buffer control = pack_records(record, count), zeros = {0};
    must_fill(&zeros, 0, 64);
    struct parts parts = {buffer_bytes(&control), buffer_bytes(&zeros), buffer_bytes(&zeros), new_size};
    struct buffer package = pack_parts(&parts);
    buffer_free(&control);
    buffer_free(&zeros);
    return package;
}

static void impossible_records_are_refused(void **state)
{
    (void)state;
    const char *past_end = "past the end", *far = "too far";
    const struct {
        struct numbers record[2];
        const char *text;
    } lies[] = {
        {{{17, 0, 0}}, past_end},
        {{{0, 17, 0}}, past_end},
        {{{9, 8, 0}}, past_end},
        {{{8, 0, 0}, {8, 1, 0}}, past_end},
        {{{INT64_MAX, INT64_MAX, 0}}, past_end},
        {{{1, INT64_MAX, 0}}, past_end},
        {{{MINUS | 1, 0, 0}}, past_end},
        {{{0, MINUS | 1, 0}}, past_end},
        {{{MINUS | 1, 17, 0}}, past_end},
        {{{17, MINUS | 1, 0}}, past_end},
        {{{MINUS | INT64_MAX, MINUS | INT64_MAX, 0}}, past_end},
        {{{1, 0, INT64_MAX}, {15, 0, 0}}, far},
        {{{0, 0, INT64_MAX}, {1, 0, INT64_MAX}}, far},
        {{{0, 0, MINUS | INT64_MAX}, {1, 0, 0}}, far},
        {{{0, 0, INT64_MAX / 2}, {16, 0, 1}}, far},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        expect_corrupt(package_of(lies[i].record, 2, 16), lies[i].text);
}

static void streams_must_end_with_the_image(void **state)
{
    (void)state;
    const struct numbers exact = {64, 64, 0};
    const struct {
        struct numbers record[2];
        size_t count;
        uint64_t new_size;
        const char *text;
    } cases[] = {
        {{exact}, 0, 128, "the control stream is shorter"},
        {{{65, 0, 0}}, 1, 65, "the diff stream is shorter"},
        {{{64, 65, 0}}, 1, 129, "the extra stream is shorter"},
        {{exact, exact}, 2, 128, "the control stream continues"},
        {{{63, 64, 0}}, 1, 127, "the diff stream continues"},
        {{{64, 63, 0}}, 1, 127, "the extra stream continues"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_corrupt(package_of(cases[i].record, cases[i].count, cases[i].new_size), cases[i].text);

    struct buffer package = package_of(&exact, 1, 128), new = {0};
    struct error err;
    assert_true(bsdiff_apply(old_image, buffer_bytes(&package), MAX_BYTES, &new, &err));
    buffer_free(&new);
    must_add(&package, "garbage", 7);
    expect_corrupt(package, "7 bytes of garbage follow after the extra stream");
}

/* Empty records cost the reader time and the sender nearly nothing: 3 MB of them are 50 bytes compressed. */
static void many_empty_records_are_refused(void **state)
{
    (void)state;
    enum { MANY = 125000 };
    struct numbers *record = calloc(MANY, sizeof *record);
    assert_non_null(record);
    record[1000] = (struct numbers){64, 64, 0};
    struct buffer package = package_of(record, 1001, 128), new = {0};
    struct error err;
    assert_true(bsdiff_apply(old_image, buffer_bytes(&package), MAX_BYTES, &new, &err));
    buffer_free(&new);
    buffer_free(&package);
    record[1000] = (struct numbers){0, 0, 0};
    record[MANY - 1] = (struct numbers){64, 64, 0};
    expect_corrupt(package_of(record, MANY, 128), "are empty");
    free(record);
}

/* The size in the header is only a claim. Memory grows with the real content of the streams. */
static void a_large_claim_takes_no_memory(void **state)
{
    (void)state;
    const struct numbers record = {0, INT64_MAX / 4, 0};
    struct buffer package = package_of(&record, 1, INT64_MAX / 4), new = {0};
    struct error err;
    assert_false(bsdiff_apply(old_image, buffer_bytes(&package), SIZE_MAX, &new, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_non_null(strstr(err.text, "the extra stream is shorter"));
    buffer_free(&package);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_package_is_applied_under_its_exact_limit),
        cmocka_unit_test(diff_bytes_outside_of_old_pass_unchanged),
        cmocka_unit_test(an_empty_stream_may_have_no_bytes),
        cmocka_unit_test(a_broken_header_is_refused),
        cmocka_unit_test(a_package_cut_off_anywhere_is_refused),
        cmocka_unit_test(no_flipped_bit_gives_another_image),
        cmocka_unit_test(impossible_records_are_refused),
        cmocka_unit_test(streams_must_end_with_the_image),
        cmocka_unit_test(many_empty_records_are_refused),
        cmocka_unit_test(a_large_claim_takes_no_memory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
