/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The formats for an EC7xx: packages between two .binpkg files or two raw images, in all wrappers, and what is refused. */
#include "tests/unit/delta/ec7xx/test-ec7xx-files.h"

static void each_format_has_its_wrapper(void **state)
{
    (void)state;
    static const struct {
        const char *format, *recognised;
        size_t wrapper;
    } rows[] = {{"ec7xx-at", "ec7xx-at", 10},
                {"ec7xx-csdk", "ec7xx-csdk", 92},
                {"ec7xx-luatos", "ec7xx-csdk", 92}}; /* without a script both are equal */
    struct files f = make_files();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer package = must_diff(rows[i].format, &f.old, &f.new, (struct engine_options){0});
        const struct engine *engine = engine_recognise(buffer_bytes(&package));
        struct par par = archive_of(&package, rows[i].wrapper);
        struct error err;
        assert_string_equal(engine->format->name, rows[i].recognised);
        assert_int_equal(par.parts, 2);
        assert_int_equal(par.part[0].attribute, PAR_AP);
        assert_int_equal(par.part[1].attribute, PAR_CP);
        assert_int_equal(par.part[0].load_address, 0x24000); /* as in the .binpkg */
        assert_true(takes(buffer_bytes(&f.old), buffer_bytes(&f.new), buffer_bytes(&package), &err));
        assert_int_equal(luatos_owns(buffer_bytes(&package)), rows[i].wrapper == 92);
        if (rows[i].wrapper == 92)
            assert_int_equal(little_u32(package.ptr), LUATOS_EC7XX);
        buffer_free(&package);
    }
    free_files(&f);
}

static void the_wrappers_of_an_ec618_stay_those_of_an_ec618(void **state)
{
    (void)state;
    static const char *const formats[] = {"ec618-at", "ec618-csdk", "ec618-luatos"};
    struct random r = {618};
    struct buffer old_ap = random_bytes(&r, 5000, 23), new_ap = random_bytes(&r, 5000, 23);
    for (size_t i = 0; i < 3; i++) {
        struct buffer package = must_diff(formats[i], &old_ap, &new_ap, (struct engine_options){0});
        assert_string_equal(engine_recognise(buffer_bytes(&package))->format->name, formats[i]);
        assert_false(ec7xx_owns(buffer_bytes(&package)));
        buffer_free(&package);
    }
    buffer_free(&old_ap);
    buffer_free(&new_ap);
}

static void a_part_that_stays_is_left_out(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer new = sample_binpkg(1, buffer_bytes(&f.old_ap), buffer_bytes(&f.new_cp));
    struct buffer package = must_diff("ec7xx-csdk", &f.old, &new, (struct engine_options){0});
    struct par par = archive_of(&package, 92);
    assert_int_equal(par.parts, 1);
    assert_int_equal(par.part[0].attribute, PAR_CP);
    refuse(&f.old, &f.old, (struct engine_options){0},
           "the images have the same AP and CP, and no other script: a package can change only these");
    buffer_free(&package);
    buffer_free(&new);
    free_files(&f);
}

static void a_raw_image_is_ap_or_cp(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer ap = must_diff("ec7xx-at", &f.old_ap, &f.new_ap, (struct engine_options){0});
    struct buffer cp =
        must_diff("ec7xx-at", &f.old_cp, &f.new_cp, (struct engine_options){.raw_is_cp = true});
    struct buffer moved = must_diff(
        "ec7xx-at", &f.old_cp, &f.new_cp,
        (struct engine_options){.raw_is_cp = true, .has_load_address = true, .load_address = 0x12345});
    struct par of_ap = archive_of(&ap, 10), of_cp = archive_of(&cp, 10), of_moved = archive_of(&moved, 10);
    struct error err;
    assert_int_equal(of_ap.part[0].attribute, PAR_AP);
    assert_int_equal(of_ap.part[0].load_address, 0x7E000);
    assert_int_equal(of_cp.part[0].attribute, PAR_CP);
    assert_int_equal(of_cp.part[0].load_address, 0x1A000);
    assert_int_equal(of_moved.part[0].load_address, 0x12345);
    assert_true(takes(buffer_bytes(&f.old_cp), buffer_bytes(&f.new_cp), buffer_bytes(&cp), &err));
    struct buffer new = sample_binpkg(1, buffer_bytes(&f.old_ap), buffer_bytes(&f.new_cp));
    assert_true(takes(buffer_bytes(&f.old), buffer_bytes(&new), buffer_bytes(&cp), &err));
    buffer_free(&new);
    buffer_free(&ap);
    buffer_free(&cp);
    buffer_free(&moved);
    free_files(&f);
}

/* The vendor's tool writes such files. */
static void an_archive_without_a_wrapper_can_be_applied(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer package = must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){0}), made = {0};
    struct bytes bare = {package.ptr + 10, package.len - 10};
    struct engine_note note;
    struct error err;
    assert_null(engine_recognise(bare));
    assert_true(engine_fits(bare, buffer_bytes(&f.old), NULL, &err));
    assert_true(engine_apply(buffer_bytes(&f.old), bare, ROOM, &made, &err));
    assert_true(engine_same(bare, buffer_bytes(&made), buffer_bytes(&f.new), &note));
    buffer_free(&made);
    buffer_free(&package);
    free_files(&f);
}

static void a_section_that_a_module_packs_differently_is_named(void **state)
{
    (void)state;
    struct files f = make_files();
    struct plan plan = usual_plan();
    plan.revision = 1;
    plan.other_packer = true;
    struct buffer new_cp = plan_image(&plan);
    struct buffer new = sample_binpkg(1, buffer_bytes(&f.new_ap), buffer_bytes(&new_cp));
    refuse(&f.old, &new, (struct engine_options){0},
           "CP: the new image: section 10 of group 0 gets 1863 bytes when a module packs it, not 1812");
    buffer_free(&new_cp);
    buffer_free(&new);
    free_files(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_has_its_wrapper),
        cmocka_unit_test(the_wrappers_of_an_ec618_stay_those_of_an_ec618),
        cmocka_unit_test(a_part_that_stays_is_left_out),
        cmocka_unit_test(a_raw_image_is_ap_or_cp),
        cmocka_unit_test(an_archive_without_a_wrapper_can_be_applied),
        cmocka_unit_test(a_section_that_a_module_packs_differently_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
