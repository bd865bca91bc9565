/* The `.par` archive: what is written is the known sample's shape, and what is read is checked. */
#include "tests/unit/test-containers.h"

#include "delta/par.h"

static const struct bytes none = {NULL, 0};

static struct buffer make(const struct par_source *source, size_t count, const char *overrides)
{
    struct buffer made = {0};
    struct error err;
    struct par_overrides read;
    assert_true(par_overrides_read(slice_of(overrides), &read, &err));
    assert_true(par_make(source, count, &read, &made, &err));
    return made;
}

static struct par_source ap_source(struct bytes old, struct bytes new)
{
    return (struct par_source){PAR_AP, 0x24000, old, new, text_bytes("BPHD and so on")};
}

static void what_is_written_is_what_the_table_says(void **state)
{
    (void)state;
    struct random r = {1};
    struct buffer old = random_bytes(&r, 70000, 256), new = random_bytes(&r, 65537, 256);
    struct par_source source = ap_source(buffer_bytes(&old), buffer_bytes(&new));
    struct buffer made = make(&source, 1, ""), sample = sample_par(source.old, source.new, source.payload);
    assert_int_equal(made.len, sample.len);
    assert_memory_equal(made.ptr, sample.ptr, sample.len);
    assert_int_equal(made.ptr[0x57], 3); /* segments: 65,537 bytes begin a third one */
    buffer_free(&old);
    buffer_free(&new);
    buffer_free(&made);
    buffer_free(&sample);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct par_source source[] = {ap_source(text_bytes("old ap"), text_bytes("new ap, longer")),
                                  {PAR_CP, 0, text_bytes("old cp"), text_bytes("cp"), text_bytes("payload")}};
    struct buffer made = make(source, 2, "");
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
        assert_int_equal(part->load_address, source[i].load_address);
        assert_int_equal(part->base_bytes, source[i].old.len);
        assert_int_equal(part->new_bytes, source[i].new.len);
        assert_true(sha256_equal(&part->base_hash, &base));
        assert_true(sha256_equal(&part->new_hash, &new));
        assert_true(bytes_equal(part->payload, source[i].payload));
    }
    assert_string_equal(par.part[0].name, "EC618_AP.par");
    assert_string_equal(par.part[1].name, "EC618_CP.par");
    buffer_free(&made);
}

static void any_changed_or_missing_byte_is_found(void **state)
{
    (void)state;
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    struct buffer made = make(&source, 1, "");
    struct par par;
    struct error err;
    for (size_t i = 0; i < made.len; i++) {
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
    assert_non_null(strstr(err.text, "1 bytes stand behind"));
    buffer_free(&made);
    assert_false(par_read(none, &par, &err));
}

/* A hash made right again must not hide a package whose lengths do not fit. */
static void lengths_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {
        {84, 2 << 5 | 0x6F << 8},   /* a head that is too short for its fields */
        {84, 2 << 5 | 0x3FFU << 8}, /* one longer than the package */
        {88, 0x6F},                 /* a package shorter than its head */
        {88, 0x70 + 13},            /* a byte of payload left over */
        {88, 0x70 + 15},
        {88, 0x80000000},
        {88, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
        struct buffer made = make(&source, 1, "");
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
    struct buffer made = make(&source, 1, "");
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
    struct buffer made = make(&source, 1, "");
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

static void bytes_that_nobody_knows_can_be_others(void **state)
{
    (void)state;
    struct par_source source = ap_source(text_bytes("old"), text_bytes("new"));
    struct buffer plain = make(&source, 1, ""),
                  other = make(&source, 1, "head-2=21,part-56=DEADbeef,part-16=00000001");
    assert_int_equal(other.ptr[2], 0x21);
    assert_int_equal(big_u32(other.ptr + 84 + 56), 0xDEADBEEF);
    assert_int_equal(big_u32(other.ptr + 84 + 16), 1);
    other.ptr[2] = 0x20;
    memcpy(other.ptr + 84 + 56, plain.ptr + 84 + 56, 4);
    memcpy(other.ptr + 84 + 16, plain.ptr + 84 + 16, 4);
    memcpy(other.ptr + 12, plain.ptr + 12, 32);
    assert_memory_equal(other.ptr, plain.ptr, plain.len); /* and nothing else */
    buffer_free(&plain);
    buffer_free(&other);
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        const struct par_unknown_row *row = &par_unknown_table[i];
        assert_non_null(row->name);
        assert_true(row->size > 0 && row->size <= PAR_UNKNOWN_MAX);
        assert_true(row->offset + row->size <= (row->place == PAR_IN_HEAD ? PAR_HEAD_BYTES : PAR_PART_BYTES));
    }
}

static void a_bad_override_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "head-2",    "head-2=", "head-2=2",   "head-2=200", "head-2=zz",
        "head-9=00", "=00",     "head-2=20,", ",",          "head-2=20,,head-3=40"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct par_overrides read;
        struct error err;
        assert_false(par_overrides_read(slice_of(bad[i]), &read, &err));
        assert_int_equal(err.code, ERROR_BAD_REQUEST);
    }
}

static void more_segments_than_the_field_holds_are_refused(void **state)
{
    (void)state;
    struct buffer image = {0}, made = {0};
    must_fill(&image, 1, (size_t)PAR_SEGMENTS_MAX * PAR_SEGMENT + 1);
    struct par_source source = ap_source(text_bytes("old"), buffer_bytes(&image));
    struct error err;
    assert_false(par_make(&source, 1, NULL, &made, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(made.ptr);
    source.new.len--;
    assert_true(par_make(&source, 1, NULL, &made, &err));
    assert_int_equal(made.ptr[0x57], 255);
    buffer_free(&made);
    buffer_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_what_the_table_says),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(any_changed_or_missing_byte_is_found),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(a_head_longer_than_its_package_is_no_package),
        cmocka_unit_test(a_cut_off_archive_is_read_as_far_as_it_goes),
        cmocka_unit_test(bytes_that_nobody_knows_can_be_others),
        cmocka_unit_test(a_bad_override_is_refused),
        cmocka_unit_test(more_segments_than_the_field_holds_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
