/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The formats for an EC7xx: for which chip a package is, and for which it is not. */
#include "tests/unit/delta/ec7xx/test-ec7xx-files.h"

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
        {"EC718P_PRD", "EC716E_PRD", NULL, "the product name EC718P_PRD is not of the chip ec716e", 0},
        {"EC718S_PRD", "EC718P_PRD", NULL, "the product name EC718P_PRD is not of the chip ec718s", 0},
        {"EC718P_PRD", "EC718P_PRD", "ec716s", "the product name EC718P_PRD is not of the chip ec716s", 0},
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
    assert_string_equal(err.text, "the old image is for the chip ec7xx, not for an EC618");
    buffer_free(&new);
    buffer_free(&old);
    free_files(&f);
}

/* Neither the head of a short .binpkg nor a raw image names a chip. Their sections do. */
static void packed_sections_tell_the_family(void **state)
{
    (void)state;
    struct files f = make_files();
    const struct buffer *const pairs[][2] = {{&f.old, &f.new}, {&f.old_ap, &f.new_ap}};
    static const char *const formats[] = {"ec618-at", "ec618-csdk", "ec618-luatos"};
    struct engine_options quick = {.effort = ENGINE_QUICK};
    struct error err;
    for (size_t i = 0; i < 6; i++) {
        struct buffer package = {0};
        assert_false(engine_make(engine_find(formats[i / 2]), buffer_bytes(pairs[i % 2][0]),
                                 buffer_bytes(pairs[i % 2][1]), &quick, &package, NULL, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.text, "the old image is for the chip ec7xx, not for an EC618");
    }
    free_files(&f);
}

/* A module with 8 MB of flash and one with 4 MB look for the packages of an archive at different places. */
static void an_archive_is_for_the_flash_of_the_module(void **state)
{
    (void)state;
    static const struct {
        const char *made_for, *product, *chip, *why; /* NULL: the package fits */
    } rows[] = {
        {"ec718p", "EC718P_PRD", NULL, NULL},
        {"ec718um", "EC718U_PRD", NULL, NULL},
        {"ec718um", "", NULL, NULL},
        {"ec718um", "EC718UM_PRD", "ec718p", NULL}, /* the image is right; less room counts */
        {"ec718p", "", "ec718u", "the archive is for a chip with 4 MB of flash, and ec718u has 8 MB"},
        {"ec718um", "", "ec716s", "the archive is for a chip with 8 MB of flash, and ec716s has 4 MB"},
        {"ec718p", "EC718UM_PRD", NULL, "the archive is for a chip with 4 MB of flash, and ec718um has 8 MB"},
        {"ec718p", "EC718U_PRD", NULL,
         "the archive is for a chip with 4 MB of flash, and EC718U_PRD has 8 MB"},
        {"ec718um", "EC716E_PRD", NULL, "the archive is for a chip with 8 MB of flash, and ec716e has 4 MB"},
    };
    struct files f = make_files();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct engine_options options = {.chip = rows[i].made_for};
        struct buffer package = must_diff("ec7xx-csdk", &f.old, &f.new, options);
        struct buffer old = with_product(&f.old, rows[i].product);
        struct error err = {ERROR_CODES, ""};
        bool fits = engine_fits(buffer_bytes(&package), buffer_bytes(&old), rows[i].chip, &err);
        if (fits != !rows[i].why)
            fail_msg("row %zu: %s", i, err.text);
        if (rows[i].why) {
            assert_int_equal(err.code, ERROR_INVALID);
            assert_string_equal(err.text, rows[i].why);
        }
        buffer_free(&old);
        buffer_free(&package);
    }
    free_files(&f);
}

static void an_image_over_its_zone_is_refused(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer package = {0};
    struct engine_options quick = {.effort = ENGINE_QUICK};
    struct error err;
    little_put_u32(f.old.ptr + 52 + 364 + strlen("the bootloader") + 68, 4096);
    assert_false(engine_make(engine_find("ec7xx-at"), buffer_bytes(&f.old), buffer_bytes(&f.new), &quick,
                             &package, NULL, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_non_null(strstr(err.text, "its zone in the module's flash has 4096"));
    free_files(&f);
}

/* The archive is as long as the chip allows, and one byte longer. */
static void the_chip_of_the_image_decides_the_room(void **state)
{
    (void)state;
    struct files f = make_files();
    struct buffer old = with_product(&f.old, "EC718PM_PRD"), unknown = with_product(&f.old, ""),
                  small = with_product(&f.old, "EC716S_PRD"), package = {0};
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
    assert_false(engine_fits(buffer_bytes(&package), buffer_bytes(&small), "ec718p", &err));
    assert_false(engine_fits(buffer_bytes(&package), buffer_bytes(&old), "ec718s", &err));
    assert_string_equal(err.text,
                        "the archive has 217089 bytes; a module with ec718s accepts at most 217088");
    buffer_free(&made);
    buffer_free(&package);
    buffer_free(&small);
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
    little_put_u32(f.new.ptr + zone, 0xFFFFFFFF); /* the sum has more than 32 bits */
    refuse(&f.old, &f.new, (struct engine_options){0},
           "the images are for a chip with 8 MB of flash, and do not tell which: name the chip");
    little_put_u32(f.new.ptr + zone, 0x3DD000);
    refuse(&f.old, &f.new, (struct engine_options){0},
           "the images are for a chip with 8 MB of flash, and do not tell which: name the chip");
    refuse(&f.old, &f.new, (struct engine_options){.chip = "ec718p"},
           "AP ends at 0x401000, and the flash of ec718p has 4 MB");
    package = must_diff("ec7xx-at", &f.old, &f.new, (struct engine_options){.chip = "ec718hm"});
    buffer_free(&package);
    free_files(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chip_decides_the_head),
        cmocka_unit_test(images_tell_their_chip),
        cmocka_unit_test(an_image_for_an_ec7xx_is_not_for_an_ec618),
        cmocka_unit_test(packed_sections_tell_the_family),
        cmocka_unit_test(an_archive_is_for_the_flash_of_the_module),
        cmocka_unit_test(an_image_over_its_zone_is_refused),
        cmocka_unit_test(the_chip_of_the_image_decides_the_room),
        cmocka_unit_test(a_chip_with_4_mb_has_no_zone_behind),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
