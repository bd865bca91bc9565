/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Making packages of the format bsdiff: each one gives the new image, and is written as the format says. */
#include "tests/unit/delta/bsdiff/test-records.h"

#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"
#include "delta/bzip2/bzip.h"

static void round_trip(struct bytes old, struct bytes new)
{
    struct buffer package = {0}, again = {0};
    struct error err;
    size_t before = SIZE_MAX;
    for (enum bsdiff_effort effort = BSDIFF_EFFORT_QUICK; effort <= BSDIFF_EFFORT_GOOD; effort++) {
        assert_true(bsdiff_make(old, new, NULL, effort, &package, NULL, &err));
        assert_true(bsdiff_owns(buffer_bytes(&package)));
        assert_true(bsdiff_apply(old, buffer_bytes(&package), new.len, &again, &err));
        assert_true(bytes_equal(buffer_bytes(&again), new));
        assert_true(package.len <= before);
        before = package.len;
        buffer_free(&package);
        buffer_free(&again);
    }
}

static void every_package_made_can_be_applied(void **state)
{
    (void)state;
    struct random r = {20};
    for (int round = 0; round < 300; round++) {
        unsigned int letters = (const unsigned int[]){1, 2, 4, 256}[round % 4];
        struct buffer old = random_bytes(&r, random_below(&r, 5000), letters);
        struct buffer new = random_revision(&r, buffer_bytes(&old), letters);
        round_trip(buffer_bytes(&old), buffer_bytes(&new));
        buffer_free(&old);
        buffer_free(&new);
    }
}

static void empty_equal_and_smaller_images_work(void **state)
{
    (void)state;
    struct bytes one = {old_text, 1}, two = {old_text, 2};
    round_trip(nothing, nothing);
    round_trip(nothing, one);
    round_trip(one, nothing);
    round_trip(nothing, old_image);
    round_trip(old_image, nothing);
    round_trip(old_image, old_image);
    round_trip(old_image, two);
    round_trip(one, two);
    round_trip(one, one);
}

static struct buffer must_unpack(struct bytes packed, size_t len)
{
    struct bzip_reader *reader;
    struct buffer plain = {0};
    struct error err;
    must_fill(&plain, 0, len);
    assert_true(bzip_open(packed, "test", &reader, &err));
    assert_true(bzip_read(reader, plain.ptr, len, &err));
    assert_true(bzip_read_end(reader, &err));
    bzip_close(reader);
    return plain;
}

/* The layout that stock bspatch reads: header, then control, diff and extra; negative numbers by sign bit. */
static void a_script_is_written_as_the_format_says(void **state)
{
    (void)state;
    const uint8_t new_text[] = "jumps!!The quick";
    struct bytes new = {new_text, sizeof new_text - 1};
    struct match_record record[] = {{0, 0, 20}, {5, 2, -25}, {9, 0, 0}};
    struct match_script script = {record, 3, 3, 0};
    struct buffer package = {0};
    struct error err;
    assert_true(bsdiff_encode(old_image, new, &script, BSDIFF_STOCK, &package, &err));

    assert_memory_equal(package.ptr, "BSDIFF40", 8);
    uint64_t control_len = package.ptr[8] | (uint64_t)package.ptr[9] << 8;
    uint64_t diff_len = package.ptr[16] | (uint64_t)package.ptr[17] << 8;
    uint8_t header[32] = "BSDIFF40";
    put_le64(header + 8, control_len);
    put_le64(header + 16, diff_len);
    put_le64(header + 24, new.len);
    assert_memory_equal(package.ptr, header, 32);

    const struct numbers written[] = {{0, 0, 20}, {5, 2, MINUS | 25}, {9, 0, 0}};
    struct buffer expected = pack_records(written, 3);
    struct buffer control = must_unpack((struct bytes){package.ptr + 32, control_len}, expected.len);
    assert_memory_equal(control.ptr, expected.ptr, expected.len);
    struct buffer diff = must_unpack((struct bytes){package.ptr + 32 + control_len, diff_len}, 14);
    assert_memory_equal(diff.ptr, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
    size_t extra_at = 32 + control_len + diff_len;
    struct buffer extra = must_unpack((struct bytes){package.ptr + extra_at, package.len - extra_at}, 2);
    assert_memory_equal(extra.ptr, "!!", 2);
    buffer_free(&expected);
    buffer_free(&control);
    buffer_free(&diff);
    buffer_free(&extra);
    buffer_free(&package);
}

static void images_of_2_gib_are_refused(void **state)
{
    (void)state;
    struct bytes huge = {old_text, SUFFIX_MAX_TEXT + 1}; /* the length decides; nothing is read */
    struct buffer package = {0};
    struct error err;
    assert_false(bsdiff_make(huge, old_image, NULL, BSDIFF_EFFORT_QUICK, &package, NULL, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_false(bsdiff_make(old_image, huge, NULL, BSDIFF_EFFORT_QUICK, &package, NULL, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(package.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_package_made_can_be_applied),
        cmocka_unit_test(empty_equal_and_smaller_images_work),
        cmocka_unit_test(a_script_is_written_as_the_format_says),
        cmocka_unit_test(images_of_2_gib_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
