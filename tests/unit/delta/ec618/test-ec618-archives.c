/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* EC618 archives with packages for AP and CP, and the limits of images and archives. */
#include "tests/unit/delta/ec618/test-archives.h"

#include "delta/container/par.h"
#include "delta/ec618/payload.h"
#include "delta/ec618/rules.h"

struct both {
    struct buffer old_ap, new_ap, old_cp, new_cp, old, new, file;
};

static struct both make_both(void)
{
    struct random r = {77};
    struct both b = {.old_ap = random_bytes(&r, 40000, 60), .old_cp = random_bytes(&r, 33000, 60)};
    struct error err;
    struct ec618_making making = {.effort = EC618_QUICK};
    b.new_ap = revise(buffer_bytes(&b.old_ap), 41000);
    b.new_cp = revise(buffer_bytes(&b.old_cp), 34000);
    b.old = sample_binpkg(1, buffer_bytes(&b.old_ap), buffer_bytes(&b.old_cp));
    b.new = sample_binpkg(1, buffer_bytes(&b.new_ap), buffer_bytes(&b.new_cp));
    assert_true(ec618_make(WRAPPER_NONE, buffer_bytes(&b.old), buffer_bytes(&b.new), &making, &b.file, &err));
    return b;
}

static void free_both(struct both *b)
{
    struct buffer *all[] = {&b->old_ap, &b->new_ap, &b->old_cp, &b->new_cp, &b->old, &b->new, &b->file};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

/* With 0x40 the device changes AP only and reports success. */
static void an_archive_states_its_number_of_packages(void **state)
{
    (void)state;
    struct both b = make_both();
    size_t second = 84 + (size_t)(b.file.ptr[88] | b.file.ptr[89] << 8 | b.file.ptr[90] << 16);
    assert_int_equal(b.file.ptr[3], 0x41);
    assert_int_equal(b.file.ptr[84] & 0xEF, 0x40);     /* index 0, AP */
    assert_int_equal(b.file.ptr[second] & 0xEF, 0x61); /* index 1, CP */
    assert_true(takes(buffer_bytes(&b.old), buffer_bytes(&b.new), buffer_bytes(&b.file)));
    const struct {
        size_t at;
        uint8_t mask;
    } bad[] = {
        {3, 0x01},      /* one package */
        {3, 0x03},      /* three packages */
        {84, 0x01},     /* both have index 1 */
        {second, 0x01}, /* both have index 0 */
        {second, 0x03}, /* index 0 and 2 */
        {second, 0x10}, /* the order bit of the second package */
        {second, 0x20}, /* two packages for AP */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer file = {0};
        must_add(&file, b.file.ptr, b.file.len);
        file.ptr[bad[i].at] ^= bad[i].mask;
        seal_par(buffer_bytes(&file), file.ptr);
        if (takes(buffer_bytes(&b.old), buffer_bytes(&b.new), buffer_bytes(&file)))
            fail_msg("row %zu is taken", i);
        buffer_free(&file);
    }
    free_both(&b);
}

/* Archives whose parts are all marked as unchanged need no content, so the limits can be tested exactly. */
static struct buffer unchanged_payload(size_t bytes)
{
    static const struct buffer none[EC618_PARTS_MAX];
    struct buffer payload = {0};
    struct error err;
    assert_true(ec618_payload_write(EC618_FORWARD, bytes, bytes, none, &payload, &err));
    return payload;
}

static void images_are_limited_by_their_zones(void **state)
{
    (void)state;
    static const struct {
        enum par_attribute attribute;
        size_t zone;
    } zones[] = {{PAR_AP, 3014656}, {PAR_CP, 524288}};
    for (size_t i = 0; i < 2; i++) {
        struct buffer image = {0}, file = {0};
        struct par par;
        struct error err;
        must_fill(&image, 7, zones[i].zone);
        struct buffer payload = unchanged_payload(zones[i].zone);
        struct par_source source = {
            zones[i].attribute, false, 0, buffer_bytes(&image), buffer_bytes(&image), buffer_bytes(&payload)};
        assert_true(par_make(&source, 1, &file, &err));
        assert_true(par_read(buffer_bytes(&file), &par, &err));
        assert_true(ec618_rules_check(&par, &err));
        for (size_t field = 16; field <= 20; field += 4) { /* new size, base size */
            set_u32(&file, 84 + field, (uint32_t)zones[i].zone + 1);
            assert_true(par_read(buffer_bytes(&file), &par, &err));
            assert_false(ec618_rules_check(&par, &err));
            assert_non_null(strstr(err.text, "the zone has"));
            set_u32(&file, 84 + field, (uint32_t)zones[i].zone);
        }
        buffer_free(&payload);
        buffer_free(&file);
        buffer_free(&image);
    }
}

static void segments_are_counted_over_all_packages(void **state)
{
    (void)state;
    struct both b = make_both();
    struct par par;
    struct error err;
    assert_true(par_read(buffer_bytes(&b.file), &par, &err));
    assert_true(ec618_rules_check(&par, &err));
    par.part[0].segments = 64;
    par.part[1].segments = 64;
    assert_false(ec618_rules_check(&par, &err));
    assert_non_null(strstr(err.text, "128 segments; a module accepts 127"));
    par.part[1].segments = 63;
    assert_false(ec618_rules_check(&par, &err)); /* for another reason */
    assert_null(strstr(err.text, "a module accepts 127"));
    free_both(&b);
}

/* Images that are larger than the flash of a module are refused before the work. */
static void images_beyond_their_zones_are_not_made(void **state)
{
    (void)state;
    struct buffer old = {0}, new = {0}, file = {0};
    struct ec618_making making = {.effort = EC618_QUICK};
    struct error err;
    must_fill(&old, 7, 70000);
    must_fill(&new, 7, 3014657);
    assert_false(ec618_make(WRAPPER_AT, buffer_bytes(&old), buffer_bytes(&new), &making, &file, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_non_null(strstr(err.text, "the new AP has 3014657 bytes"));
    assert_false(ec618_make(WRAPPER_AT, buffer_bytes(&new), buffer_bytes(&old), &making, &file, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_non_null(strstr(err.text, "the old AP has 3014657 bytes"));
    buffer_free(&old);
    buffer_free(&new);
}

static void an_archive_too_long_for_a_module_is_detected(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct par_source source = {PAR_AP, false, 0, text_bytes("old"), text_bytes("new"), {NULL, 0}};
    struct error err;
    must_fill(&file, 1, 491520 - 84 - 112 + 1);
    source.payload = (struct bytes){file.ptr, file.len};
    for (int i = 0; i < 2; i++) {
        struct buffer made = {0};
        assert_true(par_make(&source, 1, &made, &err));
        assert_int_equal(ec618_fits_module(buffer_bytes(&made), &err), i == 1);
        if (i == 0)
            assert_int_equal(err.code, ERROR_TOO_LARGE);
        source.payload.len--;
        buffer_free(&made);
    }
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_states_its_number_of_packages),
        cmocka_unit_test(images_are_limited_by_their_zones),
        cmocka_unit_test(segments_are_counted_over_all_packages),
        cmocka_unit_test(images_beyond_their_zones_are_not_made),
        cmocka_unit_test(an_archive_too_long_for_a_module_is_detected),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
