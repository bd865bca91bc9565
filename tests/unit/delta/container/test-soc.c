/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Archives, and the releases in them: what is read, and what is refused. */
#include "tests/unit/delta/container/test-release.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_is_listed_and_unpacked),
        cmocka_unit_test(names_that_leave_the_folder_are_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(facts_of_a_release),
        cmocka_unit_test(facts_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_release_without_luatos_has_no_areas),
        cmocka_unit_test(the_one_firmware_of_an_archive_is_taken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
