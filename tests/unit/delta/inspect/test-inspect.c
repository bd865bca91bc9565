/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect`: every field of a file is printed, every byte is explained or counted as not
   understood, and faults are named. */
#include "tests/unit/delta/container/test-containers.h"

#include "delta/engine.h"
#include "delta/inspect/inspect.h"

/* The output; the caller frees it. *ret_err is set when the file has a fault. */
static char *inspect(struct bytes file, bool *ret_sound, struct error *ret_err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    *ret_sound = inspect_file(file, to, ret_err);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void assert_has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("\"%s\" is not in:\n%s", wanted, text);
}

/* The lines with an offset cover each byte of the file exactly once. */
static void assert_covers(const char *text, size_t size)
{
    uint8_t *seen = calloc(size + 1, 1);
    assert_non_null(seen);
    for (const char *line = text, *end; line; line = end ? end + 1 : NULL) {
        size_t at, len;
        end = strchr(line, '\n');
        if (sscanf(line, "  0x%zx %zu ", &at, &len) != 2)
            continue;
        assert_true(at <= size && len <= size - at);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(seen[at + i]++, 0);
    }
    for (size_t i = 0; i < size; i++)
        if (!seen[i])
            fail_msg("byte 0x%zx is in no line:\n%s", i, text);
    free(seen);
}

/* The head of the only known sample, without its payload. */
static void each_field_of_the_samples_head_is_printed(void **state)
{
    (void)state;
    struct buffer file = sample_par(text_bytes("old"), text_bytes("new!"), text_bytes("BPHD"));
    struct error err;
    bool sound;
    char *text = inspect(buffer_bytes(&file), &sound, &err);
    static const char *const wanted[] = {
        "kind=par",
        "ecdf",
        "version              20",
        "packages             40: 1, and the method bits",
        "segment size         32768",
        "index 0, order bit 0, part 2 (AP), head of 112 bytes, 1 segments",
        "116, head included",
        "0x00024000",
        "base size            3",
        "new size             4",
        "03240000",
        "0014",
        "EC618_AP.par",
        "Not understood: 4 of 200 bytes: 0xc4+4",
        "Wrong: ",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_has(text, wanted[i]);
    assert_false(sound);
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_covers(text, file.len);
    free(text);
    buffer_free(&file);
}

static void every_byte_that_dfota_writes_is_explained(void **state)
{
    (void)state;
    struct random r = {7};
    struct buffer ap = random_bytes(&r, 70000, 40), new_ap = random_revision(&r, buffer_bytes(&ap), 40);
    struct buffer old = sample_binpkg(1, buffer_bytes(&ap), text_bytes("the cp"));
    struct buffer new = sample_binpkg(1, buffer_bytes(&new_ap), text_bytes("another cp"));
    struct error err;
    bool sound;
    for (size_t i = 0; i < engine_count; i++) {
        struct buffer package = {0};
        struct engine_options options = {.effort = ENGINE_QUICK};
        if (engine_table[i].format->chip == PACKAGE_CHIP_EC7XX) /* test-ec7xx-archives.c */
            continue;
        assert_true(engine_make(&engine_table[i], buffer_bytes(&old), buffer_bytes(&new), &options, &package,
                                NULL, &err));
        char *text = inspect(buffer_bytes(&package), &sound, &err);
        assert_true(sound);
        assert_covers(text, package.len);
        if (engine_table[i].format->chip == PACKAGE_CHIP_EC618) {
            assert_has(text, "(CP)");
            assert_has(text, "index 1, order bit");
            assert_null(strstr(text, "Not understood"));
        }
        free(text);
        buffer_free(&package);
    }
    char *text = inspect(buffer_bytes(&old), &sound, &err);
    assert_true(sound);
    assert_covers(text, old.len);
    assert_has(text, "cp-demo-flash");
    assert_has(text, "0x00824000");
    free(text);
    buffer_free(&ap);
    buffer_free(&new_ap);
    buffer_free(&old);
    buffer_free(&new);
}

/* The head names the chip, or has other bytes there. */
static void the_product_in_the_head_of_a_binpkg_is_printed(void **state)
{
    (void)state;
    struct buffer file = {0};
    struct error err;
    bool sound;
    must_fill(&file, 0, 0x1D8);
    memcpy(file.ptr + 0x38, "pkgmode", 7);
    add_binpkg_entry(&file, "ap", "AP", 0x8CD000, text_bytes("the ap"));
    for (int i = 0; i < 2; i++) {
        char *text = inspect(buffer_bytes(&file), &sound, &err);
        assert_true(sound);
        assert_covers(text, file.len);
        assert_int_equal(strstr(text, "product              EC718HM_PRD") != NULL, i);
        free(text);
        memcpy(file.ptr + 0x190, "EC718HM_PRD", 11);
    }
    buffer_free(&file);
}

static void control_characters_of_a_file_are_not_printed(void **state)
{
    (void)state;
    struct buffer file = sample_par(text_bytes("old"), text_bytes("new!"), text_bytes("BPHD"));
    memcpy(file.ptr + 84 + 94, "\x1B[2J\n\x80%s%n", 10);
    struct error err;
    bool sound;
    char *text = inspect(buffer_bytes(&file), &sound, &err);
    assert_null(strchr(text, '\x1B'));
    assert_has(text, "?[2J??%s%n");
    free(text);
    buffer_free(&file);
}

static void a_cut_off_file_is_printed_as_far_as_it_goes(void **state)
{
    (void)state;
    struct engine_options options = {.effort = ENGINE_QUICK};
    struct bytes old = text_bytes("\1 the old image"), new = text_bytes("\1 the new image");
    struct error err;
    for (size_t i = 0; i < engine_count; i++) {
        struct buffer package = {0};
        if (engine_table[i].format->chip == PACKAGE_CHIP_EC7XX) /* test-ec7xx-archives.c */
            continue;
        assert_true(engine_make(&engine_table[i], old, new, &options, &package, NULL, &err));
        for (size_t len = 10; len < package.len; len++) {
            bool sound;
            char *text = inspect((struct bytes){package.ptr, len}, &sound, &err);
            assert_covers(text, len);
            if (engine_table[i].format->chip ==
                PACKAGE_CHIP_EC618) { /* bsdiff does not state where its last stream ends */
                assert_false(sound);
                assert_int_equal(err.code, ERROR_CORRUPT);
            }
            free(text);
        }
        buffer_free(&package);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_the_samples_head_is_printed),
        cmocka_unit_test(every_byte_that_dfota_writes_is_explained),
        cmocka_unit_test(the_product_in_the_head_of_a_binpkg_is_printed),
        cmocka_unit_test(control_characters_of_a_file_are_not_printed),
        cmocka_unit_test(a_cut_off_file_is_printed_as_far_as_it_goes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
