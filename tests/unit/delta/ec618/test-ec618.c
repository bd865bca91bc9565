/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Formats ec618-*: packages are made from two images and applied, and wrong images and packages are
   refused. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/ec618/ec618.h"
#include "delta/engine.h"
#include "delta/container/par.h"
#include "delta/container/sector.h"
#include "delta/container/wrapper.h"

static const char *const formats[] = {"ec618-at", "ec618-csdk", "ec618-luatos"};
#define FORMATS (sizeof formats / sizeof formats[0])

#define ROOM ((size_t)1 << 24)

struct pair {
    struct buffer old_ap, new_ap, old_cp, new_cp, old, new;
};

/* Two releases as .binpkg. `head` is the byte value of the head of the new one; the old one has 1. */
static struct pair make_pair(uint64_t seed, uint8_t head)
{
    struct random r = {seed};
    struct pair p = {.old_ap = random_bytes(&r, 70000, 60), .old_cp = random_bytes(&r, 33000, 60)};
    p.new_ap = random_revision(&r, buffer_bytes(&p.old_ap), 60);
    must_add(&p.new_ap, "more", 4); /* not empty, and not equal to the old one */
    p.new_cp = random_revision(&r, buffer_bytes(&p.old_cp), 60);
    must_add(&p.new_cp, "more", 4);
    p.old = sample_binpkg(1, buffer_bytes(&p.old_ap), buffer_bytes(&p.old_cp));
    p.new = sample_binpkg(head, buffer_bytes(&p.new_ap), buffer_bytes(&p.new_cp));
    return p;
}

static void free_pair(struct pair *p)
{
    struct buffer *all[] = {&p->old_ap, &p->new_ap, &p->old_cp, &p->new_cp, &p->old, &p->new};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

static struct buffer must_make(const char *format, struct bytes old, struct bytes new,
                               const struct engine_options *options, struct engine_note *note)
{
    struct buffer package = {0};
    struct error err = {ERROR_CODES, ""};
    if (!engine_make(engine_find(format), old, new, options, &package, note, &err))
        fail_msg("%s: %s", format, err.text);
    return package;
}

static const struct engine_options quick = {.effort = ENGINE_QUICK};

static void raw_images_are_made_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        struct pair p = make_pair(i + 1, 1);
        struct buffer package =
            must_make(formats[i], buffer_bytes(&p.old_ap), buffer_bytes(&p.new_ap), &quick, NULL);
        struct buffer again = {0};
        struct error err;
        assert_true(engine_apply(buffer_bytes(&p.old_ap), buffer_bytes(&package), ROOM, &again, &err));
        assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&p.new_ap)));
        buffer_free(&again);
        assert_false(engine_apply(buffer_bytes(&p.old_cp), buffer_bytes(&package), ROOM, &again, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_non_null(strstr(err.text, "another old image"));
        p.old_ap.ptr[p.old_ap.len - 1] ^= 1; /* the same size */
        assert_false(engine_apply(buffer_bytes(&p.old_ap), buffer_bytes(&package), ROOM, &again, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_null(again.ptr);
        buffer_free(&package);
        free_pair(&p);
    }
}

static void both_parts_of_a_binpkg_are_made_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        struct pair p = make_pair(i + 11, 1);
        struct engine_note note;
        struct buffer package =
            must_make(formats[i], buffer_bytes(&p.old), buffer_bytes(&p.new), &quick, &note);
        struct buffer again = {0};
        struct error err;
        assert_string_equal(note.text, "");
        assert_true(engine_apply(buffer_bytes(&p.old), buffer_bytes(&package), ROOM, &again, &err));
        assert_true(engine_same(buffer_bytes(&package), buffer_bytes(&again), buffer_bytes(&p.new), &note));
        assert_string_equal(note.text, "");
        assert_false(engine_same(buffer_bytes(&package), buffer_bytes(&p.old), buffer_bytes(&p.new), &note));
        again.ptr[again.len - 1] ^= 1; /* in CP: the entry is now damaged, and the file is not the same */
        assert_false(engine_same(buffer_bytes(&package), buffer_bytes(&again), buffer_bytes(&p.new), &note));
        buffer_free(&again);
        buffer_free(&package);
        free_pair(&p);
    }
}

static struct par must_open(struct bytes package)
{
    struct par par;
    struct error err;
    assert_true(par_read(package, &par, &err));
    assert_true(par_check(&par, &err));
    return par;
}

static void a_package_has_only_the_parts_that_differ(void **state)
{
    (void)state;
    struct pair p = make_pair(21, 1);
    struct buffer cp_only = sample_binpkg(1, buffer_bytes(&p.old_ap), buffer_bytes(&p.new_cp));
    struct buffer package =
        must_make("ec618-csdk", buffer_bytes(&p.old), buffer_bytes(&cp_only), &quick, NULL);
    struct par par = must_open(buffer_bytes(&package));
    assert_int_equal(par.parts, 1);
    assert_int_equal(par.part[0].attribute, PAR_CP);
    assert_int_equal(par.part[0].load_address, 0);
    buffer_free(&package);
    package = must_make("ec618-csdk", buffer_bytes(&p.old), buffer_bytes(&p.new), &quick, NULL);
    par = must_open(buffer_bytes(&package));
    assert_int_equal(par.parts, 2);
    assert_int_equal(par.part[0].attribute, PAR_AP);
    assert_int_equal(par.part[0].load_address, 0x24000);
    buffer_free(&package);
    buffer_free(&cp_only);
    free_pair(&p);
}

static void options_reach_the_header(void **state)
{
    (void)state;
    struct engine_options options = {
        .effort = ENGINE_QUICK, .has_load_address = true, .load_address = 0x30000};
    struct buffer package = must_make("ec618-csdk", text_bytes("\1old"), text_bytes("\1new"), &options, NULL);
    struct par par = must_open(buffer_bytes(&package));
    assert_int_equal(par.part[0].load_address, 0x30000);
    buffer_free(&package);
}

static void other_differences_are_in_the_note(void **state)
{
    (void)state;
    struct pair p = make_pair(31, 2);
    struct engine_note note;
    struct buffer package = must_make("ec618-at", buffer_bytes(&p.old), buffer_bytes(&p.new), &quick, &note);
    assert_non_null(strstr(note.text, "the file's head"));
    buffer_free(&package);
    free_pair(&p);
}

static void images_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct pair p = make_pair(41, 1), other = make_pair(42, 2);
    struct buffer head_only = sample_binpkg(9, buffer_bytes(&p.old_ap), buffer_bytes(&p.old_cp));
    struct buffer no_cp = {0}, moved = sample_binpkg(1, buffer_bytes(&p.new_ap), buffer_bytes(&p.old_cp));
    must_fill(&no_cp, 1, 52);
    add_binpkg_entry(&no_cp, "ap", "AP", 0x824000, buffer_bytes(&p.new_ap));
    moved.ptr[52 + 364 + 14 + 64 + 1] ^= 0x10; /* the address of AP */
    struct buffer damaged = sample_binpkg(1, buffer_bytes(&p.new_ap), buffer_bytes(&p.new_cp));
    damaged.ptr[damaged.len - 1] ^= 1;
    const struct {
        struct bytes old, new;
        enum error_code code;
        const char *text;
    } bad[] = {
        {buffer_bytes(&p.old), buffer_bytes(&p.old), ERROR_INVALID, "the same AP and CP"},
        {buffer_bytes(&p.old), buffer_bytes(&head_only), ERROR_INVALID, "the same AP and CP"},
        {buffer_bytes(&p.old), buffer_bytes(&p.new_ap), ERROR_INVALID, "the old image is a .binpkg and"},
        {buffer_bytes(&p.old_ap), buffer_bytes(&p.new), ERROR_INVALID, "the new image is a .binpkg and"},
        {buffer_bytes(&p.old), buffer_bytes(&no_cp), ERROR_INVALID, "only the old image has the part CP"},
        {buffer_bytes(&p.old), buffer_bytes(&moved), ERROR_INVALID, "a different address"},
        {buffer_bytes(&p.old), buffer_bytes(&damaged), ERROR_CORRUPT, "entry 3"},
        {buffer_bytes(&p.old_ap), text_bytes("PK\3\4 and more"), ERROR_INVALID,
         "the new image is a ZIP archive"},
        {text_bytes("{\"code\":404}"), buffer_bytes(&p.new_ap), ERROR_INVALID, "the old image is JSON"},
        {buffer_bytes(&p.old_ap), text_bytes(""), ERROR_INVALID, "the new image is an empty file"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer package = {0};
        struct error err;
        assert_false(
            engine_make(engine_find("ec618-csdk"), bad[i].old, bad[i].new, &quick, &package, NULL, &err));
        assert_int_equal(err.code, bad[i].code);
        if (!strstr(err.text, bad[i].text))
            fail_msg("%zu: %s", i, err.text);
        assert_null(package.ptr);
    }
    buffer_free(&head_only);
    buffer_free(&no_cp);
    buffer_free(&moved);
    buffer_free(&damaged);
    free_pair(&p);
    free_pair(&other);
}

static void refuse(struct bytes old, struct bytes package, enum error_code code, const char *text)
{
    struct buffer new = {0};
    struct error err;
    assert_false(ec618_apply(old, package, ROOM, &new, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
    assert_null(new.ptr);
}

static void packages_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct pair p = make_pair(51, 1);
    struct bytes old = buffer_bytes(&p.old_ap), new = buffer_bytes(&p.new_ap);
    struct buffer csdk = must_make("ec618-csdk", old, new, &quick, NULL);
    struct par par = must_open(buffer_bytes(&csdk));
    struct buffer cp = {0}, twice = {0}, script = {0}, other_chip = {0}, common = {0};
    struct error err;
    static const struct luatos_versions any;
    struct par_source source[2] = {{PAR_CP, par.part[0].reverse, 0, old, new, par.part[0].payload}};
    assert_true(par_make(source, 1, &cp, &err));
    refuse(old, buffer_bytes(&cp), ERROR_INVALID, "the part CP");
    source[0].attribute = PAR_AP;
    source[1] = source[0];
    assert_true(par_make(source, 2, &twice, &err));
    refuse(old, buffer_bytes(&twice), ERROR_CORRUPT, "two packages");
    assert_true(sector_pack(&common, LUATOS_EC618, 0x2CC000, text_bytes("print(1)"), &err));
    assert_true(wrapper_luatos_add(&script, LUATOS_EC618, &any, buffer_bytes(&common),
                                   (struct bytes){NULL, 0}, &err));
    refuse(old, buffer_bytes(&script), ERROR_CANNOT_APPLY, "a script");
    assert_true(wrapper_luatos_add(&other_chip, LUATOS_EC7XX, &any, (struct bytes){NULL, 0},
                                   buffer_bytes(&csdk), &err));
    refuse(old, buffer_bytes(&other_chip), ERROR_INVALID, "is not for an EC618");
    csdk.ptr[csdk.len - 1] ^= 1;
    refuse(old, buffer_bytes(&csdk), ERROR_CORRUPT, "damaged");
    buffer_free(&cp);
    buffer_free(&twice);
    buffer_free(&common);
    buffer_free(&script);
    buffer_free(&other_chip);
    buffer_free(&csdk);
    free_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_images_are_made_again),
        cmocka_unit_test(both_parts_of_a_binpkg_are_made_again),
        cmocka_unit_test(a_package_has_only_the_parts_that_differ),
        cmocka_unit_test(options_reach_the_header),
        cmocka_unit_test(other_differences_are_in_the_note),
        cmocka_unit_test(images_that_do_not_fit_are_refused),
        cmocka_unit_test(packages_that_do_not_fit_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
