/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware and version from full names, and from what admins write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/name.h"
#include "upgrade/name_like.h"

static void assert_full(const char *text, const char *firmware, const char *version)
{
    struct full_name name;
    struct error err;
    char normal[VERSION_TEXT_SIZE];

    if (!name_parse_full(slice_of(text), &name, &err))
        fail_msg("'%s': %s", text, err.text);
    version_format(&name.version, normal);
    assert_string_equal(name.firmware, firmware);
    assert_string_equal(normal, version);
}

static void test_file_names(void **state)
{
    (void)state;
    /* The spellings of releases and of ATI give the same firmware. */
    assert_full("AirM2M_780E_LTE_AT_V1138", "AirM2M_780E_LTE_AT", "1138");
    assert_full("AirM2M_780E_V1138_LTE_AT", "AirM2M_780E_LTE_AT", "1138");
    assert_full("AirM2M_780E_V1138_LTE_AT.dfota.bin", "AirM2M_780E_LTE_AT", "1138");
    assert_full("AirM2M_780E_LTE_AT_V1138.DFOTA.BIN", "AirM2M_780E_LTE_AT", "1138");
    assert_full("AirM2M_780E_LTE_AT_V001138.binpkg", "AirM2M_780E_LTE_AT", "1138");
    assert_full("AirM2M_780E_LTE_AT_V100123.par", "AirM2M_780E_LTE_AT", "100123");
    assert_full("AirM2M_780E_V1149_LTE_AT", "AirM2M_780E_LTE_AT", "1149");
    /* Suffixes are part of the name. */
    assert_full("AirM2M_780ET_V1138_LTE_AT_IPC.dfota.bin", "AirM2M_780ET_LTE_AT_IPC", "1138");
    assert_full("AirM2M_780E_V1138_LTE_AT_VSIM", "AirM2M_780E_LTE_AT_VSIM", "1138");
    /* The first V with a number counts. */
    assert_full("X_V12_V34", "X_V34", "12");
    assert_full("X_Vega_V7", "X_Vega", "7");
    assert_full("X_V7a_V8", "X_V7a", "8");
    assert_full("X_Va1_V8", "X_Va1", "8");
    assert_full("V5_X_V6", "V5_X", "6");
    /* LuatOS: numbers with dots, between underscores. */
    assert_full("fotademo_1103.1.2_LuatOS-SoC_EC618.bin", "fotademo_LuatOS-SoC_EC618", "1103.1.2");
    assert_full("fotademo_2046.001.000_LuatOS-SoC_Air8101.soc", "fotademo_LuatOS-SoC_Air8101", "2046.1.0");
    assert_full("1.0.3_pump_CSDK_EC618.bin", "pump_CSDK_EC618", "1.0.3");
    assert_full("pump_V1.2.bin", "pump", "1.2");
    /* A V wins over numbers with dots. A single number is a chip, not a version. */
    assert_full("pump_1.2_V7", "pump_1.2", "7");
    assert_full("pump_618_1.2", "pump_618", "1.2");
    assert_full("水泵_V3.bin", "水泵", "3");
}

static void test_no_full_names(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
    } cases[] = {
        {"", ERROR_BAD_NAME},
        {"a\nb_V1", ERROR_BAD_NAME},
        {"a\xFF_V1", ERROR_BAD_NAME},
        {"dir/pump_V1.bin", ERROR_BAD_NAME},
        {"pump?_V1", ERROR_BAD_NAME},
        {"1.2.3", ERROR_BAD_NAME}, /* no name is left */
        {"pump", ERROR_BAD_VERSION},
        {"pump.bin", ERROR_BAD_VERSION},
        {"pump_1138", ERROR_BAD_VERSION},
        {"pumpV1138", ERROR_BAD_VERSION},
        {"pump_v1138", ERROR_BAD_VERSION},
        {"pump_V", ERROR_BAD_VERSION},
        {"pump_V1138 (1).bin", ERROR_BAD_VERSION},
        {"pump_V1000000000", ERROR_BAD_VERSION},
        {"V1138", ERROR_BAD_VERSION},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct full_name name;
        struct error err;
        if (name_parse_full(slice_of(cases[i].text), &name, &err))
            fail_msg("'%s' is no full name", cases[i].text);
        if (err.code != cases[i].code)
            fail_msg("'%s': %s", cases[i].text, err.text);
    }
}

static void test_length_of_names(void **state)
{
    char text[160];
    struct full_name name;
    struct error err;
    (void)state;
    memset(text, 'a', 100);
    strcpy(text + 100, "_V1138.dfota.bin");
    assert_true(name_parse_full(slice_of(text), &name, &err));
    assert_int_equal(strlen(name.firmware), 100);
    memset(text, 'a', 101);
    strcpy(text + 101, "_V1138.dfota.bin");
    assert_false(name_parse_full(slice_of(text), &name, &err));
    assert_int_equal(err.code, ERROR_BAD_NAME);
    assert_true(name_is_firmware((struct slice){text, 100}));
    assert_false(name_is_firmware((struct slice){text, 101}));
    assert_true(name_is_product_key((struct slice){text, 64}));
    assert_false(name_is_product_key((struct slice){text, 65}));
}

static void test_versions_as_people_write_them(void **state)
{
    static const char *const same[] = {"1162",
                                       "V1162",
                                       "v1162",
                                       "01162",
                                       "AirM2M_780E_LTE_AT_V1162",
                                       "AirM2M_780E_V1162_LTE_AT",
                                       "AirM2M_780E_V1162_LTE_AT.dfota.bin"};
    struct version version;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        version.count = 0;
        if (!name_parse_version_of(slice_of(same[i]), "AirM2M_780E_LTE_AT", &version, &err))
            fail_msg("'%s': %s", same[i], err.text);
        assert_int_equal(version.count, 1);
        assert_int_equal(version.part[0], 1162);
    }
    assert_false(
        name_parse_version_of(slice_of("AirM2M_780E_V1162_LTE_LSAT"), "AirM2M_780E_LTE_AT", &version, &err));
    assert_int_equal(err.code, ERROR_WRONG_FIRMWARE);
    assert_non_null(strstr(err.text, "AirM2M_780E_LTE_LSAT"));
    static const char *const none[] = {"", "newest", "AirM2M_780E_LTE_AT", "1162;", "a\xFF"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(name_parse_version_of(slice_of(none[i]), "AirM2M_780E_LTE_AT", &version, &err));
        assert_int_equal(err.code, ERROR_BAD_VERSION);
    }
}

static void test_product_keys(void **state)
{
    static const char *const good[] = {"pumps", "a", "A-Z_0.9", "az09", "..."}, *const bad[] = {
                                                                                    "",    ".",  "..", "a b",
                                                                                    "a/b", "/a", "a/", "水",
                                                                                    "a%",  "a\n"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(name_is_product_key(slice_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(name_is_product_key(slice_of(bad[i])));
}

static void test_is_like_a_mistyped_name(void **state)
{
    static const struct {
        const char *a, *b;
        bool like;
    } cases[] = {{"Pumb", "pump", true},
                 {"AirM2M-780E-LTE-AT", "AirM2M_780E_LTE_AT", true},
                 {"pumps-2", "pumps-02", true},
                 {"pumps-2", "meters-2", false},
                 {"pump", "dump it", false},
                 {"ab", "ac", false},
                 {"", "pump", false},
                 {"AirM2M_780E_LTE_AT", "AirM2M_780ET_LTE_AT", true},
                 {"AirM2M_780E_LTE_AT", "AirM2M_780E_LTE_LSATXX", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(name_is_like(cases[i].a, cases[i].b), cases[i].like);
        assert_int_equal(name_is_like(cases[i].b, cases[i].a), cases[i].like);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_names),      cmocka_unit_test(test_no_full_names),
        cmocka_unit_test(test_length_of_names), cmocka_unit_test(test_versions_as_people_write_them),
        cmocka_unit_test(test_product_keys),    cmocka_unit_test(test_is_like_a_mistyped_name),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
