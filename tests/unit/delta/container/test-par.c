/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The `.par` archive: it is written like the known sample, and reading checks it. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/container/par.h"

static const struct bytes none = {NULL, 0};

static struct buffer make(const struct par_source *source, size_t count)
{
    struct buffer made = {0};
    struct error err;
    assert_true(par_make(source, count, &made, &err));
    return made;
}

static struct par_source ap_source(struct bytes old, struct bytes new)
{
    return (struct par_source){PAR_AP, false, 0x24000, old, new, text_bytes("BPHD and so on")};
}

static void an_archive_is_written_as_the_table_says(void **state)
{
    (void)state;
    struct random r = {1};
    struct buffer old = random_bytes(&r, 70000, 256), new = random_bytes(&r, 65537, 256);
    struct par_source source = ap_source(buffer_bytes(&old), buffer_bytes(&new));
    struct buffer made = make(&source, 1), sample = sample_par(source.old, source.new, source.payload);
    assert_int_equal(made.len, sample.len);
    assert_memory_equal(made.ptr, sample.ptr, sample.len);
    assert_int_equal(made.ptr[0x57], 3); /* segments: 65,537 bytes begin a third one */
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&made);
    buffer_free(&sample);
}

static void a_written_archive_can_be_read(void **state)
{
    (void)state;
    struct par_source source[] = {
        ap_source(text_bytes("old ap"), text_bytes("new ap, longer")),
        {PAR_CP, true, 0, text_bytes("old cp"), text_bytes("cp"), text_bytes("payload")}};
    struct buffer made = make(source, 2);
    struct par par;
    struct error err;
    assert_true(par_owns(buffer_bytes(&made)));
    assert_true(par_read(buffer_bytes(&made), &par, &err));
    assert_true(par_check(&par, &err));
    assert_int_equal(par.parts, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct par_part *part = &par.part[i];
        struct sha256 base, new;
        sha256_of(source[i].old.ptr, source[i].old.len, &base);
        sha256_of(source[i].new.ptr, source[i].new.len, &new);
        assert_int_equal(part->attribute, source[i].attribute);
        assert_int_equal(part->segments, 1);
        assert_int_equal(part->index, i);
        assert_int_equal(part->reverse, source[i].reverse);
        assert_int_equal(part->load_address, source[i].load_address);
        assert_int_equal(part->base_bytes, source[i].old.len);
        assert_int_equal(part->new_bytes, source[i].new.len);
        assert_true(sha256_equal(&part->base_hash, &base));
        assert_true(sha256_equal(&part->new_hash, &new));
        assert_true(bytes_equal(part->payload, source[i].payload));
    }
    assert_int_equal(made.ptr[3], 0x41); /* the device applies this number of packages */
    assert_int_equal(made.ptr[par.part[1].head.ptr - made.ptr], 0x71); /* index 1, `RvsO`, CP */
    assert_string_equal(par.part[0].name, "EC618_AP.par");
    assert_string_equal(par.part[1].name, "EC618_CP.par");
    buffer_free(&made);
}

static void any_changed_or_missing_byte_is_found(void **state)
{
    (void)state;
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    struct buffer made = make(&source, 1);
    struct par par;
    struct error err;
    for (size_t i = 0; i < made.len; i++) {
        if (i == 44)
            i = 84; /* the progress counts as FF whatever it is; ec618/rules.h has the rules for it */
        made.ptr[i] ^= 1;
        assert_false(par_read(buffer_bytes(&made), &par, &err) && par_check(&par, &err));
        assert_int_equal(err.code, ERROR_CORRUPT);
        made.ptr[i] ^= 1;
        assert_false(par_read((struct bytes){made.ptr, i}, &par, &err) && par_check(&par, &err));
        assert_int_equal(err.code, ERROR_CORRUPT);
    }
    must_add(&made, "x", 1);
    assert_true(par_read(buffer_bytes(&made), &par, &err));
    assert_false(par_check(&par, &err));
    assert_non_null(strstr(err.text, "1 bytes follow after"));
    buffer_free(&made);
    assert_false(par_read(none, &par, &err));
}

/* Packages whose lengths do not fit are refused even with a correct hash. */
static void lengths_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {
        {84, 2 << 5 | 0x6F << 8},   /* a head that is too short */
        {84, 2 << 5 | 0x3FFU << 8}, /* a head longer than the package */
        {88, 0x6F},                 /* a package shorter than its head */
        {88, 0x70 + 13},            /* one byte of payload is left over */
        {88, 0x70 + 15},
        {88, 0x80000000},
        {88, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
        struct buffer made = make(&source, 1);
        struct par par;
        struct error err;
        struct sha256 hash;
        little_put_u32(made.ptr + bad[i].at, bad[i].value);
        par_hash(buffer_bytes(&made), &hash);
        memcpy(made.ptr + 12, hash.byte, 32);
        assert_true(par_read(buffer_bytes(&made), &par, &err));
        assert_false(par_check(&par, &err));
        assert_int_equal(err.code, ERROR_CORRUPT);
        buffer_free(&made);
    }
}

static void a_head_longer_than_its_package_is_no_package(void **state)
{
    (void)state;
    struct buffer payload = {0};
    must_fill(&payload, 0, 2000);
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    source.payload = buffer_bytes(&payload);
    struct buffer made = make(&source, 1);
    struct par par;
    struct error err;
    little_put_u32(made.ptr + 84, 2 << 5 | 0x3FFU << 8);
    little_put_u32(made.ptr + 88, 500);
    assert_true(par_read(buffer_bytes(&made), &par, &err));
    assert_int_equal(par.parts, 0);
    buffer_free(&made);
    buffer_free(&payload);
}

static void a_cut_off_archive_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    struct buffer made = make(&source, 1);
    struct par par;
    struct error err;
    assert_true(par_read((struct bytes){made.ptr, made.len - 5}, &par, &err));
    assert_int_equal(par.parts, 1);
    assert_int_equal(par.part[0].payload.len, source.payload.len - 5);
    assert_true(par_read((struct bytes){made.ptr, 100}, &par, &err));
    assert_int_equal(par.parts, 0);
    assert_int_equal(par.rest.len, 16);
    buffer_free(&made);
}

/* The hash of the device does not depend on its own progress record. */
static void the_hash_counts_the_progress_as_ff(void **state)
{
    (void)state;
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    struct buffer made = make(&source, 1);
    struct sha256 before, after;
    par_hash(buffer_bytes(&made), &before);
    memset(made.ptr + 44, 0, 40);
    par_hash(buffer_bytes(&made), &after);
    assert_true(sha256_equal(&before, &after));
    made.ptr[84] ^= 1;
    par_hash(buffer_bytes(&made), &after);
    assert_false(sha256_equal(&before, &after));
    buffer_free(&made);
}

static void a_wrong_count_of_packages_is_refused(void **state)
{
    (void)state;
    struct par_source source[] = {
        ap_source(text_bytes("old"), text_bytes("new")),
        {PAR_CP, false, 0, text_bytes("old"), text_bytes("new"), text_bytes("pay")}};
    for (size_t packages = 1; packages <= 2; packages++)
        for (unsigned int stated = 0; stated < 16; stated++) {
            struct buffer made = make(source, packages);
            struct par par;
            struct error err;
            made.ptr[3] = (uint8_t)(0x40 | stated);
            seal_par(buffer_bytes(&made), made.ptr);
            assert_true(par_read(buffer_bytes(&made), &par, &err));
            assert_int_equal(par_check(&par, &err), stated + 1 == packages);
            buffer_free(&made);
        }
}

static void refuse_making(const struct par_source *source, size_t count, const char *text)
{
    struct buffer made = {0};
    struct error err;
    assert_false(par_make(source, count, &made, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
    assert_null(made.ptr);
}

static void images_beyond_their_zones_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum par_attribute attribute;
        size_t zone;
    } zones[] = {{PAR_AP, 3014656}, {PAR_CP, 524288}, {PAR_BL, 0}};
    struct buffer image = {0};
    must_fill(&image, 1, 3014656 + 1);
    for (size_t i = 0; i < 3; i++) {
        struct bytes full = {image.ptr, zones[i].zone}, beyond = {image.ptr, zones[i].zone + 1};
        struct par_source source = {zones[i].attribute, false, 0, full, beyond, text_bytes("payload")};
        refuse_making(&source, 1, "the new ");
        source.new = full;
        source.old = beyond;
        refuse_making(&source, 1, "the old ");
        source.old = full;
        struct buffer made = make(&source, 1);
        assert_int_equal(made.ptr[0x57], zones[i].zone / 32768);
        buffer_free(&made);
    }
    buffer_free(&image);
}

static void more_segments_than_a_module_records_are_refused(void **state)
{
    (void)state;
    struct buffer image = {0};
    must_fill(&image, 1, (size_t)64 * PAR_SEGMENT);
    struct bytes most = {image.ptr, (size_t)63 * PAR_SEGMENT};
    struct par_source source[] = {ap_source(text_bytes("old"), buffer_bytes(&image)),
                                  ap_source(text_bytes("old"), most)};
    struct buffer made = make(source, 2); /* 64 and 63 segments */
    buffer_free(&made);
    source[1].new.len++;
    refuse_making(source, 2, "128 segments");
    buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_is_written_as_the_table_says),
        cmocka_unit_test(a_written_archive_can_be_read),
        cmocka_unit_test(any_changed_or_missing_byte_is_found),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(a_head_longer_than_its_package_is_no_package),
        cmocka_unit_test(a_cut_off_archive_is_read_as_far_as_it_goes),
        cmocka_unit_test(the_hash_counts_the_progress_as_ff),
        cmocka_unit_test(a_wrong_count_of_packages_is_refused),
        cmocka_unit_test(images_beyond_their_zones_are_refused),
        cmocka_unit_test(more_segments_than_a_module_records_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
