/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The formats for an EC7xx: packages between two .binpkg files or two raw images, in all wrappers, and what is refused. */
#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "delta/container/wrapper.h"
#include "delta/engine.h"

struct files {
    struct buffer old_ap, new_ap, old_cp, new_cp, old, new;
};

static struct files make_files(void)
{
    struct plan plan = usual_plan();
    struct files f = {.old_cp = plan_image(&plan)};
    plan.revision = 1;
    f.new_cp = plan_image(&plan);
    plan.plain_bytes = 9000;
    f.old_ap = plan_image(&plan);
    plan.revision = 2;
    f.new_ap = plan_image(&plan);
    f.old = sample_binpkg(1, buffer_bytes(&f.old_ap), buffer_bytes(&f.old_cp));
    f.new = sample_binpkg(1, buffer_bytes(&f.new_ap), buffer_bytes(&f.new_cp));
    return f;
}

static void free_files(struct files *f)
{
    struct buffer *all[] = {&f->old_ap, &f->new_ap, &f->old_cp, &f->new_cp, &f->old, &f->new};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_free(all[i]);
}

static struct buffer must_diff(const char *format, const struct buffer *old, const struct buffer *new,
                               struct engine_options options)
{
    struct buffer package = {0};
    struct error err;
    options.effort = ENGINE_QUICK;
    if (!engine_make(engine_find(format), buffer_bytes(old), buffer_bytes(new), &options, &package, NULL,
                     &err))
        fail_msg("%s: %s", format, err.text);
    return package;
}

static void refuse(const struct buffer *old, const struct buffer *new, struct engine_options options,
                   const char *why)
{
    struct buffer package = {0};
    struct error err;
    options.effort = ENGINE_QUICK;
    assert_false(engine_make(engine_find("ec7xx-at"), buffer_bytes(old), buffer_bytes(new), &options,
                             &package, NULL, &err));
    assert_string_equal(err.text, why);
}

/* The archive in a package of that format. */
static struct par archive_of(const struct buffer *package, size_t wrapper)
{
    struct par par;
    struct error err;
    assert_true(par_read((struct bytes){package->ptr + wrapper, package->len - wrapper}, &par, &err));
    assert_true(par_check(&par, &err));
    return par;
}

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
    struct files f = make_files();
    for (size_t i = 0; i < 3; i++) {
        struct buffer package = must_diff(formats[i], &f.old, &f.new, (struct engine_options){0});
        assert_string_equal(engine_recognise(buffer_bytes(&package))->format->name, formats[i]);
        assert_false(ec7xx_owns(buffer_bytes(&package)));
        buffer_free(&package);
    }
    free_files(&f);
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

static void the_chip_decides_the_head(void **state)
{
    (void)state;
    struct files f = make_files();
    static const struct {
        const char *chip;
        size_t progress;
    } rows[] = {{NULL, 40}, {"ec718p", 40}, {"EC718U", 136}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer package =
            must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){.chip = rows[i].chip});
        assert_int_equal(archive_of(&package, 10).progress_bytes, rows[i].progress);
        buffer_free(&package);
    }
    refuse(&f.old, &f.new, (struct engine_options){.chip = "ec999"}, "the chip ec999 is not known");
    free_files(&f);
}

/* Zones that end behind 4 MB. */
static void a_chip_with_4_mb_has_no_zone_behind(void **state)
{
    (void)state;
    struct files f = make_files();
    size_t ap = 52 + 364 + strlen("the bootloader"), zone = ap + 68;
    little_put_u32(f.old.ptr + zone, 0x3DC000);
    little_put_u32(f.new.ptr + zone, 0x3DC000); /* from 0x24000 to 0x400000 */
    struct buffer package = must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){0});
    buffer_free(&package);
    little_put_u32(f.new.ptr + zone, 0x3DD000);
    refuse(&f.old, &f.new, (struct engine_options){0},
           "the images are for a chip with 8 MB of flash, and do not tell which: name the chip");
    refuse(&f.old, &f.new, (struct engine_options){.chip = "ec718p"},
           "AP ends at 0x401000, and the flash of ec718p has 4 MB");
    package = must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){.chip = "ec718hm"});
    buffer_free(&package);
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
    assert_true(engine_fits(bare, NULL, &err));
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
        cmocka_unit_test(the_chip_decides_the_head),
        cmocka_unit_test(a_chip_with_4_mb_has_no_zone_behind),
        cmocka_unit_test(an_archive_without_a_wrapper_can_be_applied),
        cmocka_unit_test(a_section_that_a_module_packs_differently_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
