/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect --brief`: one line of JSON about any file, and its content for each kind. */
#include "tests/unit/delta/container/test-release.h"

#include <jansson.h>
#include "delta/inspect/inspect_json.h"
#include "delta/engine.h"
#include "delta/container/binpkg.h"
#include "delta/container/sector.h"
#include "delta/container/wrapper.h"

static json_t *brief(struct bytes file)
{
    char *text = NULL;
    size_t len = 0;
    struct error err;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    const struct engine *engine = engine_recognise(file);
    assert_true(inspect_json_file(file, engine ? engine->format->name : NULL, to, &err));
    assert_int_equal(fclose(to), 0);
    assert_true(len > 2 && len < 8192);
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!object)
        fail_msg("no JSON: %s", text);
    free(text);
    return object;
}

/* The text of a field; "-" for null. */
static const char *field(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_string(value) || json_is_null(value));
    return json_is_null(value) ? "-" : json_string_value(value);
}

static void assert_says(struct bytes file, const char *kind, const char *role, const char *format,
                        const char *wrong)
{
    json_t *object = brief(file);
    assert_string_equal(field(object, "kind"), kind);
    assert_string_equal(field(object, "role"), role);
    assert_string_equal(field(object, "format"), format);
    if (!strstr(field(object, "wrong"), wrong))
        fail_msg("%s: wrong is \"%s\", expected \"%s\"", kind, field(object, "wrong"), wrong);
    json_decref(object);
}

static void each_kind_has_its_role(void **state)
{
    (void)state;
    assert_says(text_bytes(""), "empty", "neither", "-", "-");
    assert_says(text_bytes("\1\2\3"), "raw", "image", "-", "-");
    assert_says(text_bytes("PK\3\4"), "zip", "neither", "-", "-");
    assert_says(text_bytes("<html>"), "html", "neither", "-", "-");
    assert_says(text_bytes("BSDIFF40"), "bsdiff", "package", "bsdiff", "cut off");
    struct buffer old = sample_binpkg(0, text_bytes("the old ap"), text_bytes("cp"));
    struct buffer new = sample_binpkg(0, text_bytes("the new ap"), text_bytes("cp"));
    assert_says(buffer_bytes(&old), "binpkg", "image", "-", "-");
    static const char *const kinds[][3] = {{"bsdiff", "bsdiff", "-"},
                                           {"ec618-at", "at-par", "follow"},
                                           {"ec618-csdk", "par", "cut off"},
                                           {"ec618-luatos", "luatos", "cut off"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buffer package = {0};
        struct error err;
        assert_true(engine_make(engine_find(kinds[i][0]), buffer_bytes(&old), buffer_bytes(&new), NULL,
                                &package, NULL, &err));
        assert_says(buffer_bytes(&package), kinds[i][1], "package", kinds[i][0], "-");
        package.len -= 1;
        assert_says(buffer_bytes(&package), kinds[i][1], "package", kinds[i][0], kinds[i][2]);
        buffer_free(&package);
    }
    buffer_free(&old);
    buffer_free(&new);
}

/* A cut off or changed file is wrong. Bytes that dfota does not understand are odd. */
static void a_damaged_binpkg_is_wrong_and_an_unknown_one_odd(void **state)
{
    (void)state;
    struct buffer file = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    assert_says((struct bytes){file.ptr, file.len - 1}, "binpkg", "image", "-",
                "cp-demo-flash has 5 bytes, not 6");
    file.ptr[file.len - 1] ^= 1;
    assert_says(buffer_bytes(&file), "binpkg", "image", "-", "damaged");
    file.ptr[file.len - 1] ^= 1;
    must_add(&file, "more", 4);
    json_t *object = brief(buffer_bytes(&file));
    assert_string_equal(field(object, "wrong"), "-");
    assert_non_null(strstr(field(object, "odd"), "4 bytes of the .binpkg are not an entry"));
    assert_non_null(strstr(field(object, "summary"), "ap 6 bytes"));
    json_decref(object);
    buffer_free(&file);
}

static void assert_chip(struct bytes file, const char *chip, const char *odd)
{
    json_t *object = brief(file);
    assert_string_equal(field(object, "chip"), chip);
    if (!strstr(field(object, "odd"), odd))
        fail_msg("%s: odd is \"%s\", expected \"%s\"", chip, field(object, "odd"), odd);
    json_decref(object);
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

/* The exact chip if the file says so, else the family. */
static void an_image_tells_its_chip(void **state)
{
    (void)state;
    static const struct {
        const char *type, *product, *chip, *odd;
    } rows[] = {
        {NULL, "EC718HM_PRD", "ec718hm", "-"},
        {NULL, "EC718P_PRD", "ec7xx", "-"}, /* cut */
        {NULL, "EC618_PRD", "ec618", "-"},
        {NULL, "", "-", "-"},
        {"\"ec7xx\"", "EC718PM_PRD", "ec718pm", "-"},
        {"\"ec7xx\"", "", "ec7xx", "-"},
        {"\"air780ehm\"", "", "ec718hm", "-"},
        {"\"air780epm\"", "EC718HM_PRD", "air780epm", "for the chip ec718pm, and its core is for ec718hm"},
    };
    struct buffer plain = sample_binpkg(0, text_bytes("the ap"), text_bytes("the cp"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char info[600];
        struct buffer file = with_product(&plain, rows[i].product), soc = {0};
        if (rows[i].type) {
            snprintf(info, sizeof info,
                     INFO_EC7XX_OF("%s", "512", "\"46E000\"", FOTA_EC7XX, "\"654000\"", "\"654000\""),
                     rows[i].type);
            soc = sample_soc(info, buffer_bytes(&file), text_bytes(""));
        }
        assert_chip(rows[i].type ? buffer_bytes(&soc) : buffer_bytes(&file), rows[i].chip, rows[i].odd);
        buffer_free(&file);
        buffer_free(&soc);
    }
    assert_chip(buffer_bytes(&plain), "-", "-");
    buffer_free(&plain);
}

static void a_file_with_a_script_is_full(void **state)
{
    (void)state;
    static const struct luatos_versions any;
    struct buffer common = {0}, file = {0};
    struct error err;
    assert_true(sector_pack(&common, LUATOS_EC618, 0x2CC000, text_bytes("print(1)"), &err));
    assert_true(
        wrapper_luatos_add(&file, LUATOS_EC618, &any, buffer_bytes(&common), (struct bytes){NULL, 0}, &err));
    assert_says(buffer_bytes(&file), "luatos-full", "full", "ec618-luatos", "-");
    struct buffer two = {0}, more = {0};
    must_add(&two, common.ptr, common.len);
    assert_true(sector_pack(&two, LUATOS_EC618, 0x24000, text_bytes("over the core"), &err));
    assert_true(
        wrapper_luatos_add(&more, LUATOS_EC618, &any, buffer_bytes(&two), (struct bytes){NULL, 0}, &err));
    assert_says(buffer_bytes(&more), "luatos-full", "full", "ec618-luatos", "more than a script");
    buffer_free(&two);
    buffer_free(&more);
    file.ptr[file.len - 1] ^= 1;
    assert_says(buffer_bytes(&file), "luatos-full", "full", "ec618-luatos", "MD5");
    file.ptr[8] ^= 1;
    assert_says(buffer_bytes(&file), "luatos-full", "full", "ec618-luatos", "checksum");
    buffer_free(&common);
    buffer_free(&file);
}

static void each_release_is_listed_once(void **state)
{
    (void)state;
    static const char bytes[] =
        "\0AirM2M_780E_V1138_LTE_AT\0 AirM2M_ \1AirM2M_780E_V1147_LTE_AT\"\\ AirM2M_780E_V1138_LTE_AT\xFF"
        "AirM2M_no_version AirM2M_780E_VX_LTE_AT\0AirM2M_";
    json_t *object = brief((struct bytes){(const uint8_t *)bytes, sizeof bytes - 1});
    const json_t *releases = json_object_get(object, "releases");
    static const char *const wanted[] = {"AirM2M_780E_V1138_LTE_AT", "AirM2M_780E_V1147_LTE_AT",
                                         "AirM2M_780E_VX_LTE_AT"};
    assert_int_equal(json_array_size(releases), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_array_get(releases, i)), wanted[i]);
    json_decref(object);

    struct buffer many = {0};
    must_add(&many, "\1", 1);
    for (unsigned i = 0; i < 300; i++) {
        char name[40];
        must_add(&many, name, (size_t)snprintf(name, sizeof name, "AirM2M_780E_V%u_LTE_AT ", i));
    }
    must_add(&many, "AirM2M_V", 8); /* too long for a name */
    must_fill(&many, '7', 4000);
    object = brief(buffer_bytes(&many));
    assert_int_equal(json_array_size(json_object_get(object, "releases")), BRIEF_RELEASES_MAX);
    json_decref(object);
    buffer_free(&many);
}

static void text_from_the_file_is_escaped(void **state)
{
    (void)state;
    struct buffer file = sample_binpkg(0, text_bytes("ap"), text_bytes("cp"));
    memcpy(file.ptr + 52 + 364 + strlen("the bootloader"), "\"},\\[2J%s%n", 11);
    json_t *object = brief(buffer_bytes(&file));
    assert_non_null(strstr(field(object, "summary"), "\"},\\[2J%s%n"));
    json_decref(object);
    buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_role),
        cmocka_unit_test(a_damaged_binpkg_is_wrong_and_an_unknown_one_odd),
        cmocka_unit_test(an_image_tells_its_chip),
        cmocka_unit_test(a_file_with_a_script_is_full),
        cmocka_unit_test(each_release_is_listed_once),
        cmocka_unit_test(text_from_the_file_is_escaped),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
