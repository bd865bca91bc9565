/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Making packages of the format bsdiff: each one gives the new image, and is written as the format says. */
#include "tests/unit/delta/bsdiff/test-records.h"

#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"
#include "delta/bsdiff/window.h"
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
    for (int round = 0; round < 60; round++) {
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

static void make_small(struct bytes old, struct bytes new, size_t most)
{
    struct buffer package = {0}, again = {0};
    struct error err;
    for (enum bsdiff_effort effort = BSDIFF_EFFORT_QUICK; effort <= BSDIFF_EFFORT_BEST; effort++) {
        assert_true(bsdiff_make(old, new, NULL, effort, &package, NULL, &err));
        print_message("# effort %d: %zu bytes\n", effort, package.len);
        assert_true(package.len <= most);
        assert_true(bsdiff_apply(old, buffer_bytes(&package), new.len, &again, &err));
        assert_true(bytes_equal(buffer_bytes(&again), new));
        buffer_free(&package);
        buffer_free(&again);
    }
}

/* An empty stream has 14 bytes, and an extra stream of few bytes 40. */
static void a_small_change_makes_a_small_package(void **state)
{
    (void)state;
    struct random r = {21};
    struct buffer old = random_bytes(&r, 4096, 256), new = {0};
    const char before[] = "dfota 1.2.3 2026-10-17 09:12:47 +00",
               after[] = "dfota 1.2.4 2026-11-29 18:32:11 +00";
    memcpy(old.ptr + 1000, before, sizeof before - 1);
    must_add(&new, old.ptr, old.len);
    make_small(buffer_bytes(&old), buffer_bytes(&new), 129);
    memcpy(new.ptr + 1000, after, sizeof after - 1);
    make_small(buffer_bytes(&old), buffer_bytes(&new), 144);
    memcpy(new.ptr + 1000, before, sizeof before - 1);
    must_add(&new, "hello", 5);
    make_small(buffer_bytes(&old), buffer_bytes(&new), 137);
    buffer_free(&old);
    buffer_free(&new);
}

/* Some readers open each stream before they need it. */
static void an_empty_stream_is_a_bzip2_stream(void **state)
{
    (void)state;
    struct buffer package = {0};
    struct error err;
    assert_true(bsdiff_make(old_image, old_image, NULL, BSDIFF_EFFORT_QUICK, &package, NULL, &err));
    size_t extra = 32 + (size_t)package.ptr[8] + package.ptr[16];
    assert_int_equal(package.len, extra + 14);
    assert_memory_equal(package.ptr + extra, "BZh", 3);
    buffer_free(&package);
}

static struct buffer make_of_script(struct bytes old, struct bytes new, const struct match_script *script)
{
    struct buffer package = {0}, made = {0};
    struct error err;
    assert_true(bsdiff_encode(old, new, script, BSDIFF_STOCK, &package, &err));
    assert_true(bsdiff_apply(old, buffer_bytes(&package), new.len, &made, &err));
    buffer_free(&package);
    return made;
}

/* Each window's script makes its window, and the joined script makes all of new. */
static void a_script_that_is_cut_and_joined_gives_the_same_image(void **state)
{
    (void)state;
    struct random r = {22};
    struct error err;
    for (int round = 0; round < 100; round++) {
        struct buffer old = random_bytes(&r, 2000, 256);
        struct buffer new = random_revision(&r, buffer_bytes(&old), 256);
        struct match_script script = {0}, piece = {0}, joined = {0};
        struct suffix *index;
        int64_t old_at = 0;
        assert_true(suffix_build(buffer_bytes(&old), &index, &err));
        assert_true(match_make_script(index, buffer_bytes(&old), buffer_bytes(&new), &script, &err));
        struct bsdiff_cut place = {.script = &script};
        for (size_t at = 0, len; at < new.len; at += len) {
            len = 1 + random_below(&r, 600);
            len = len < new.len - at ? len : new.len - at;
            struct bytes window = {new.ptr + at, len};
            assert_true(bsdiff_window_cut(&place, len, &piece, &err));
            struct buffer made = make_of_script(buffer_bytes(&old), window, &piece);
            assert_true(bytes_equal(buffer_bytes(&made), window));
            buffer_free(&made);
            assert_true(bsdiff_window_join(&joined, &old_at, &piece, &err));
        }
        struct buffer made = make_of_script(buffer_bytes(&old), buffer_bytes(&new), &joined);
        assert_true(bytes_equal(buffer_bytes(&made), buffer_bytes(&new)));
        buffer_free(&made);
        match_script_free(&script);
        match_script_free(&piece);
        match_script_free(&joined);
        suffix_free(index);
        buffer_free(&old);
        buffer_free(&new);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_package_made_can_be_applied),
        cmocka_unit_test(empty_equal_and_smaller_images_work),
        cmocka_unit_test(a_script_is_written_as_the_format_says),
        cmocka_unit_test(images_of_2_gib_are_refused),
        cmocka_unit_test(a_small_change_makes_a_small_package),
        cmocka_unit_test(an_empty_stream_is_a_bzip2_stream),
        cmocka_unit_test(a_script_that_is_cut_and_joined_gives_the_same_image),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
