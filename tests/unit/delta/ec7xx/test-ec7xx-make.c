/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The formats for an EC7xx: packages between two .binpkg files or two raw images, in all wrappers, and what is refused. */
#include "tests/unit/delta/ec7xx/test-ec7xx-pairs.h"

#include "delta/container/binpkg.h"
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

/* The same .binpkg with a head that names the product. */
static struct buffer with_product(const struct buffer *binpkg, const char *product)
{
    struct buffer made = {0};
    must_fill(&made, 0, BINPKG_HEAD_PKGMODE);
    memcpy(made.ptr + 0x38, "pkgmode", 7);
    memcpy(made.ptr + BINPKG_PRODUCT, product, strlen(product));
    must_add(&made, binpkg->ptr + BINPKG_HEAD_BYTES, binpkg->len - BINPKG_HEAD_BYTES);
    return made;
}

static void images_tell_their_chip(void **state)
{
    (void)state;
    static const struct {
        const char *old, *new, *chip, *why; /* NULL: the package is made */
        size_t progress;
    } rows[] = {
        {"EC718UM_PRD", "EC718UM_PRD", NULL, NULL, 136},
        {"EC718UM_PRD", "", NULL, NULL, 136},
        {"", "EC718UM_PRD", NULL, NULL, 136},
        {"EC718P_PRD", "EC718P_PRD", NULL, NULL, 40},
        {"EC718HM_PRD", "EC718HM_PRD", "ec718hm", NULL, 136},
        {"EC718P_PRD", "EC718P_PRD", "ec718pm", NULL, 40}, /* older builds cut the name */
        {"EC718U_PRD", "EC718U_PRD", "ec718um", NULL, 136},
        {"EC718U_PRD", "EC718U_PRD", "ec718u", NULL, 136},
        {"EC718U_PRD", "EC718U_PRD", NULL,
         "the images are for a chip with 8 MB of flash, and do not tell which: name the chip", 0},
        {"", "EC718U_PRD", NULL,
         "the images are for a chip with 8 MB of flash, and do not tell which: name the chip", 0},
        {"EC718U_PRD", "EC718U_PRD", "ec718p",
         "the product name EC718U_PRD is of a chip with 8 MB of flash, and ec718p has 4 MB", 0},
        {"EC718P_PRD", "EC718P_PRD", "ec718um",
         "the product name EC718P_PRD is of a chip with 4 MB of flash, and ec718um has 8 MB", 0},
        {"EC718UM_PRD", "EC718HM_PRD", NULL,
         "the old image is for the chip ec718um and the new image for ec718hm", 0},
        {"EC718UM_PRD", "EC718UM_PRD", "ec718p", "the images are for the chip ec718um, not for ec718p", 0},
        {"EC618_PRD", "EC618_PRD", NULL, "the old image is for the chip ec618, not for an EC7xx", 0},
        {"EC618_PRD", "EC618_PRD", "ec718p", "the images are for the chip ec618, not for ec718p", 0},
    };
    struct files f = make_files();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer old = with_product(&f.old, rows[i].old), new = with_product(&f.new, rows[i].new);
        struct engine_options options = {.chip = rows[i].chip};
        if (rows[i].why) {
            refuse(&old, &new, options, rows[i].why);
        } else {
            struct buffer package = must_diff("ec7xx-at", &old, &new, options);
            assert_int_equal(archive_of(&package, 10).progress_bytes, rows[i].progress);
            buffer_free(&package);
        }
        buffer_free(&old);
        buffer_free(&new);
    }
    free_files(&f);
}

static void an_image_for_an_ec7xx_is_not_for_an_ec618(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer new = with_product(&f.new, "EC718P_PRD"), old = with_product(&f.old, ""), package = {0};
    struct engine_options quick = {.effort = ENGINE_QUICK};
    struct error err;
    assert_false(engine_make(engine_find("ec618-at"), buffer_bytes(&old), buffer_bytes(&new), &quick,
                             &package, NULL, &err));
    assert_string_equal(err.text, "the new image is for the chip ec7xx, not for an EC618");
    buffer_free(&new);
    buffer_free(&old);
    free_files(&f);
}

/* The archive is as long as the chip allows, and one byte longer. */
static void the_chip_of_the_image_decides_the_room(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer old = with_product(&f.old, "EC718UM_PRD"), unknown = with_product(&f.old, ""),
                  package = {0};
    struct buffer made = must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){0});
    struct error err;
    must_add(&package, made.ptr, made.len);
    must_fill(&package, 0, 217088 + 10 - package.len);
    big_put_u32(package.ptr + 6, 217088);
    assert_true(engine_fits(buffer_bytes(&package), buffer_bytes(&unknown), NULL, &err));
    must_fill(&package, 0, 1);
    big_put_u32(package.ptr + 6, 217089);
    assert_false(engine_fits(buffer_bytes(&package), buffer_bytes(&unknown), NULL, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_true(engine_fits(buffer_bytes(&package), buffer_bytes(&old), NULL, &err));
    assert_true(engine_fits(buffer_bytes(&package), buffer_bytes(&unknown), "ec718p", &err));
    assert_false(engine_fits(buffer_bytes(&package), buffer_bytes(&old), "ec718s", &err));
    assert_string_equal(err.text,
                        "the archive has 217089 bytes; a module with ec718s accepts at most 217088");
    buffer_free(&made);
    buffer_free(&package);
    buffer_free(&old);
    buffer_free(&unknown);
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
        cmocka_unit_test(the_chip_decides_the_head),
        cmocka_unit_test(images_tell_their_chip),
        cmocka_unit_test(an_image_for_an_ec7xx_is_not_for_an_ec618),
        cmocka_unit_test(the_chip_of_the_image_decides_the_room),
        cmocka_unit_test(a_chip_with_4_mb_has_no_zone_behind),
        cmocka_unit_test(an_archive_without_a_wrapper_can_be_applied),
        cmocka_unit_test(a_section_that_a_module_packs_differently_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
