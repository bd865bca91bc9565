/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Archives, and the releases in them: what is read, and what is refused. */
#include "tests/unit/delta/container/test-release.h"

#include "base/chip.h"
#include "delta/container/luatos.h"
#include "delta/container/soc.h"

#define ROOM ((size_t)1 << 20)

static struct buffer pack(const char *name, struct bytes bytes)
{
    const struct bundle_source source[] = {{name, bytes}};
    struct buffer made = {0};
    struct error err;
    assert_true(bundle_pack(source, 1, &made, &err));
    return made;
}

static void assert_refused(struct bytes archive, enum error_code code, const char *text)
{
    static struct bundle bundle;
    struct error err = {ERROR_CODES, ""};
    assert_false(bundle_list(archive, &bundle, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, text);
}

static void what_is_packed_is_listed_and_unpacked(void **state)
{
    (void)state;
    static struct bundle bundle;
    const struct bundle_source source[] = {
        {"a", text_bytes("one")}, {"folder/b", text_bytes("")}, {"C", text_bytes("three")}};
    struct buffer made = {0}, again = {0}, out = {0};
    const struct bundle_file *file;
    struct error err;
    assert_true(bundle_pack(source, 3, &made, &err));
    assert_true(bundle_pack(source, 3, &again, &err));
    assert_true(bytes_equal(buffer_bytes(&made), buffer_bytes(&again)));
    assert_true(bundle_owns(buffer_bytes(&made)));
    assert_true(bundle_list(buffer_bytes(&made), &bundle, &err));
    assert_int_equal(bundle.count, 3);
    assert_string_equal(bundle.file[1].name, "b");
    assert_true(bundle_find(&bundle, "c", &file, &err));
    assert_true(bundle_unpack(buffer_bytes(&made), file, 5, &out, &err));
    assert_true(bytes_equal(buffer_bytes(&out), text_bytes("three")));
    buffer_free(&out);
    assert_false(bundle_unpack(buffer_bytes(&made), file, 4, &out, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_true(bundle_find(&bundle, "d", &file, &err));
    assert_null(file);
    buffer_free(&made);
    buffer_free(&again);
}

static void names_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"/etc/passwd", "../a", "a/../../b", "..", "a\\..\\b", "C:\\a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buffer made = pack(names[i], text_bytes("x"));
        assert_refused(buffer_bytes(&made), ERROR_INVALID, "outside of its own folder");
        buffer_free(&made);
    }
    struct buffer fine = pack("a..b/..c/d..", text_bytes("x"));
    static struct bundle bundle;
    struct error err;
    assert_true(bundle_list(buffer_bytes(&fine), &bundle, &err));
    buffer_free(&fine);
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    struct bundle_source source[BUNDLE_ENTRIES_MAX + 1];
    struct buffer made = {0};
    struct error err;
    for (size_t i = 0; i <= BUNDLE_ENTRIES_MAX; i++)
        source[i] = (struct bundle_source){"a", text_bytes("x")};
    assert_false(bundle_pack(source, BUNDLE_ENTRIES_MAX + 1, &made, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_true(bundle_pack(source, BUNDLE_ENTRIES_MAX, &made, &err));
    static struct bundle bundle;
    const struct bundle_file *file;
    assert_true(bundle_list(buffer_bytes(&made), &bundle, &err));
    assert_int_equal(bundle.count, BUNDLE_ENTRIES_MAX);
    assert_false(bundle_find(&bundle, "a", &file, &err));
    assert_non_null(strstr(err.text, "two files with the name a"));
    buffer_free(&made);
}

/* Each cut and each changed byte is refused, or gives the same files. */
static void damaged_archives_are_refused(void **state)
{
    (void)state;
    struct buffer made = sample_soc(INFO_128, text_bytes("rom"), text_bytes("script"));
    struct soc soc;
    struct error err;
    for (size_t i = 0; i < made.len; i++) {
        made.ptr[i] ^= 0x55;
        if (soc_open(buffer_bytes(&made), &soc, &err)) {
            assert_true(bytes_equal(buffer_bytes(&soc.rom), text_bytes("rom")));
            soc_free(&soc);
        } else {
            assert_true(err.code == ERROR_CORRUPT || err.code == ERROR_INVALID ||
                        err.code == ERROR_TOO_LARGE);
        }
        made.ptr[i] ^= 0x55;
    }
    buffer_free(&made);
}

static void facts_of_a_release(void **state)
{
    (void)state;
    struct buffer made = sample_soc(INFO_128, text_bytes("rom"), text_bytes("script")), out = {0},
                  again = {0};
    struct soc soc, other;
    struct error err = {ERROR_CODES, ""};
    assert_true(soc_owns(buffer_bytes(&made)));
    if (!soc_open(buffer_bytes(&made), &soc, &err))
        fail_msg("%s", err.text);
    assert_string_equal(soc.facts.chip, "ec618");
    assert_string_equal(soc.facts.core, "1114");
    assert_string_equal(soc.left_out, "luatos.elf");
    assert_true(soc.facts.has_areas);
    assert_int_equal(soc.facts.script_address, 0x2CC000);
    assert_int_equal(soc.facts.script_bytes, 128 << 10);
    assert_int_equal(soc.facts.kept_address, 0x2EC000);
    assert_int_equal(soc.facts.kept_bytes, 98304);
    assert_int_equal(soc.facts.bits, 32);
    assert_true(soc_write(&soc, &out, &err));
    assert_true(soc_open(buffer_bytes(&out), &other, &err));
    assert_string_equal(other.left_out, "");
    assert_true(soc_write(&other, &again, &err));
    assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&again)));
    assert_memory_equal(&soc.facts, &other.facts, sizeof soc.facts);
    soc_free(&soc);
    soc_free(&other);
    buffer_free(&made);
    buffer_free(&out);
    buffer_free(&again);
}

static void assert_info_refused(const char *info, size_t script, const char *text)
{
    static const uint8_t zeros[200 << 10];
    struct buffer made = sample_soc(info, text_bytes("rom"), (struct bytes){zeros, script});
    struct soc soc;
    struct error err = {ERROR_CODES, ""};
    assert_false(soc_open(buffer_bytes(&made), &soc, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, text);
    buffer_free(&made);
}

#define INFO(type, file, size, script_addr, full_addr)                                                       \
    "{\"chip\":{\"type\":" type "},\"rom\":{\"file\":\"" file "\",\"fs\":{\"script\":{\"size\":" size        \
    "}}},\"download\":{\"script_addr\":" script_addr "},\"fota\":{\"full_addr\":" full_addr "}}"

static void facts_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *info, *text;
    } bad[] = {
        {"{", "not JSON"},
        {"[]", "no usable chip.type"},
        {INFO("7", "luatos.binpkg", "128", "\"2cc000\"", "\"2ec000\""), "no usable chip.type"},
        {INFO("\"ec618\"", "other.binpkg", "128", "\"2cc000\"", "\"2ec000\""),
         "does not have the file other.binpkg"},
        {INFO("\"ec618\"", "luatos.binpkg", "64", "\"2cc000\"", "\"2ec000\""), "contradicts itself"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "\"2cc000\"", "\"2ed000\""), "contradicts itself"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "\"2e4000\"", "\"304000\""), "behind the flash"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "\"zz\"", "\"2ec000\""), "download.script_addr"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "\"-1\"", "\"2ec000\""), "download.script_addr"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "2", "\"2ec000\""), "download.script_addr"},
        {INFO("\"ec618\"", "luatos.binpkg", "128", "\"12cc00000\"", "\"2ec000\""), "download.script_addr"},
        {INFO("\"ec618\"", "luatos.binpkg", "0", "\"2cc000\"", "\"2ec000\""), "does not state the place"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_info_refused(bad[i].info, 1, bad[i].text);
    assert_info_refused(INFO_128, (128 << 10) + 1, "its area has 131072");
}

static void assert_kept(const char *info, uint32_t kept, uint32_t limit)
{
    struct buffer made = sample_soc(info, text_bytes("rom"), text_bytes("script"));
    struct soc soc;
    struct error err = {ERROR_CODES, ""};
    if (!soc_open(buffer_bytes(&made), &soc, &err))
        fail_msg("%s: %s", info, err.text);
    assert_true(soc.facts.has_areas);
    assert_int_equal(soc.facts.kept_bytes, kept);
    assert_int_equal(soc_kept_limit(&soc.facts), limit);
    soc_free(&soc);
    buffer_free(&made);
}

#define FOTA(len) "\"full_addr\":\"4EE000\",\"fota_len\":" len
#define ONE_512(fota, files, files_too)                                                                      \
    INFO_EC7XX_OF("\"ec7xx\"", "512", "\"46E000\"", fota, files, files_too)
#define ONE_256(chip, script, full, len, files)                                                              \
    INFO_EC7XX_OF(chip, "256", script, "\"full_addr\":" full ",\"fota_len\":" len, files, files)

/* The region for the change of the core lies between the kept area and the file system. */
static void the_kept_area_of_an_ec7xx_ends_where_the_delta_region_begins(void **state)
{
    (void)state;
    uint32_t unknown = 320 << 10;
    assert_kept(INFO_EC7XX, 384 << 10, 384 << 10);
    assert_kept(ONE_512(FOTA("\"0x106000\""), "\"0x654000\"", "\"00654000\""), 384 << 10, 384 << 10);
    assert_kept(ONE_256("\"air780epm\"", "\"2B1000\"", "\"2F1000\"", "\"96000\"", "\"3B7000\""), 192 << 10,
                192 << 10);
    assert_kept(ONE_256("\"ec718p\"", "\"2D0000\"", "\"310000\"", "\"69000\"", "\"3A9000\""), 192 << 10,
                192 << 10);
    /* not stated, stated in two ways, in front of the script, or too far behind it */
    assert_kept(ONE_512("\"full_addr\":\"4EE000\"", "\"654000\"", "\"654000\""), 0, unknown);
    assert_kept(ONE_512("\"full_addr\":\"4EE000\"", "\"54E000\"", "\"54E000\""), 0, unknown);
    assert_kept(ONE_512(FOTA("\"106000\""), "0", "\"654000\""), 0, unknown);
    assert_kept(ONE_512(FOTA("\"106000\""), "\"654000\"", "6569984"), 0, unknown);
    assert_kept(ONE_512(FOTA("\"106000\""), "\"654000\"", "\"653000\""), 0, unknown);
    assert_kept(ONE_512(FOTA("\"106000\""), "\"3A1000\"", "\"3A1000\""), 0, unknown);
    assert_kept(ONE_512(FOTA("\"106000\""), "\"674000\"", "\"674000\""), 512 << 10, 512 << 10);
    assert_kept(ONE_512(FOTA("\"106000\""), "\"675000\"", "\"675000\""), 0, unknown);
    /* all up to the delta region is the script's: a packed script is kept in another memory */
    assert_kept(ONE_512(FOTA("\"166000\""), "\"654000\"", "\"654000\""), 0, unknown);
    /* no rule is known for other chips */
    assert_kept(INFO_EC7XX_OF("\"bk72xx\"", "512", "\"46E000\"", FOTA_EC7XX, "\"654000\"", "\"654000\""), 0,
                unknown);
}

static void places_of_an_ec7xx_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    assert_info_refused(ONE_512(FOTA("\"167000\""), "\"654000\"", "\"654000\""), 1,
                        "1436 KB of fota_len do not fit");
    assert_info_refused(ONE_512(FOTA("\"1000\""), "\"4EE000\"", "\"4EE000\""), 1,
                        "4 KB of fota_len do not fit");
    assert_info_refused(ONE_512(FOTA("\"xyz\""), "\"654000\"", "\"654000\""), 1, "fota.fota_len");
    assert_info_refused(ONE_512(FOTA("\"106000\""), "\"-1\"", "\"654000\""), 1, "download.fs_addr");
    assert_info_refused(ONE_512(FOTA("\"106000\""), "\"654000\"", "\"\""), 1, "rom.fs.filesystem.offset");
    assert_info_refused(
        INFO_EC7XX_OF("\"ec7xx\"", "256", "\"46E000\"", FOTA_EC7XX, "\"654000\"", "\"654000\""), 1,
        "256 KB at script_addr 46e000 do not end at full_addr 4ee000");
}

static void assert_same(const char *chip, const char *other, bool same)
{
    struct soc_facts one = {.has_areas = true, .script_bytes = 1}, two = one;
    struct error err = {ERROR_CODES, ""};
    snprintf(one.chip, sizeof one.chip, "%s", chip);
    snprintf(two.chip, sizeof two.chip, "%s", other);
    if (soc_same_areas(&one, &two, &err) != same)
        fail_msg("%s and %s", chip, other);
    if (!same)
        assert_non_null(strstr(err.text, "the old release is for"));
}

/* Newer tools write the model where older ones wrote the family. */
static void releases_for_the_same_chip_may_name_it_differently(void **state)
{
    (void)state;
    assert_same("ec7xx", "air780epm", true);
    assert_same("air780ehm", "ec718hm", true);
    assert_same("bk72xx", "bk72xx", true);
    assert_same("air780ehm", "air780epm", false);
    assert_same("ec618", "ec7xx", false);
    assert_same("bk72xx", "ec7xx", false);
    struct soc_facts one = {.chip = "ec7xx", .has_areas = true, .kept_bytes = 4096}, two = one;
    struct error err = {ERROR_CODES, ""};
    two.kept_bytes = 0;
    assert_true(soc_same_areas(&one, &two, &err));
    two.kept_bytes = 8192;
    assert_false(soc_same_areas(&one, &two, &err));
    assert_non_null(strstr(err.text, "keep 4096 bytes of a packed script, and those of the new one 8192"));
    two = one;
    one.magic = 1;
    assert_true(soc_same_areas(&one, &two, &err));
    two.magic = 2;
    assert_false(soc_same_areas(&one, &two, &err));
}

/* A CSDK project: only rom.file is its own, the rest is the template of LuatOS. */
static void a_release_without_luatos_has_no_areas(void **state)
{
    (void)state;
    const struct bundle_source source[] = {
        {"info.json", text_bytes(INFO("\"ec618\"", "pump.binpkg", "64", "\"2cc000\"", "\"2ec000\""))},
        {"pump.binpkg", text_bytes("rom")},
    };
    struct buffer made = {0};
    struct soc soc;
    struct error err;
    assert_true(bundle_pack(source, 2, &made, &err));
    assert_true(soc_open(buffer_bytes(&made), &soc, &err));
    assert_false(soc.facts.has_areas);
    soc_free(&soc);
    buffer_free(&made);
}

static void the_one_firmware_of_an_archive_is_taken(void **state)
{
    (void)state;
    const struct bundle_source source[] = {{"readme.txt", text_bytes("read me")},
                                           {"AirM2M_780E_V1138_LTE_AT.BINPKG", text_bytes("firmware")},
                                           {"b.bin", text_bytes("b")}};
    struct bundle_firmware found;
    struct buffer made = {0}, out = {0};
    struct error err;
    assert_true(bundle_pack(source, 2, &made, &err));
    assert_false(soc_owns(buffer_bytes(&made)));
    assert_true(bundle_take_firmware(buffer_bytes(&made), ROOM, &found, &out, &err));
    assert_string_equal(found.name, "AirM2M_780E_V1138_LTE_AT.BINPKG");
    assert_string_equal(found.left_out, "readme.txt");
    assert_true(bytes_equal(buffer_bytes(&out), text_bytes("firmware")));
    buffer_free(&out);
    buffer_free(&made);
    assert_true(bundle_pack(source, 3, &made, &err));
    assert_false(bundle_take_firmware(buffer_bytes(&made), ROOM, &found, &out, &err));
    assert_non_null(
        strstr(err.text, "several firmware files, such as AirM2M_780E_V1138_LTE_AT.BINPKG and b.bin"));
    buffer_free(&made);
    assert_true(bundle_pack(source, 1, &made, &err));
    assert_false(bundle_take_firmware(buffer_bytes(&made), ROOM, &found, &out, &err));
    assert_non_null(strstr(err.text, "no firmware file"));
    buffer_free(&made);
}

static void each_family_has_its_magic_number(void **state)
{
    (void)state;
    assert_int_equal(luatos_magic_of("ec618"), LUATOS_EC618);
    assert_int_equal(luatos_magic_of("Air780EG"), LUATOS_EC618);
    assert_int_equal(luatos_magic_of("ec7xx"), LUATOS_EC7XX);
    assert_int_equal(luatos_magic_of("Air8000"), LUATOS_EC7XX);
    assert_int_equal(luatos_magic_of("bk72xx"), 0);
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        assert_int_equal(luatos_magic_of(ec7xx_chip_table[i].name), LUATOS_EC7XX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_listed_and_unpacked),
        cmocka_unit_test(names_that_leave_the_folder_are_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(facts_of_a_release),
        cmocka_unit_test(facts_that_contradict_each_other_are_refused),
        cmocka_unit_test(the_kept_area_of_an_ec7xx_ends_where_the_delta_region_begins),
        cmocka_unit_test(places_of_an_ec7xx_that_contradict_each_other_are_refused),
        cmocka_unit_test(releases_for_the_same_chip_may_name_it_differently),
        cmocka_unit_test(each_family_has_its_magic_number),
        cmocka_unit_test(a_release_without_luatos_has_no_areas),
        cmocka_unit_test(the_one_firmware_of_an_archive_is_taken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
