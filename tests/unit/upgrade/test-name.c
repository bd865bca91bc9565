/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware and version out of file names, of what admins write, of what devices say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "upgrade/family.h"
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
    /* Release and ATI spelling are one firmware. */
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
    /* The first mark counts; a V without a number between underscores is none. */
    assert_full("X_V12_V34", "X_V34", "12");
    assert_full("X_Vega_V7", "X_Vega", "7");
    assert_full("X_V7a_V8", "X_V7a", "8");
    assert_full("X_Va1_V8", "X_Va1", "8");
    assert_full("V5_X_V6", "V5_X", "6");
    /* LuatOS: dotted numbers between underscores. */
    assert_full("fotademo_1103.1.2_LuatOS-SoC_EC618.bin", "fotademo_LuatOS-SoC_EC618", "1103.1.2");
    assert_full("fotademo_2046.001.000_LuatOS-SoC_Air8101.soc", "fotademo_LuatOS-SoC_Air8101", "2046.1.0");
    assert_full("1.0.3_pump_CSDK_EC618.bin", "pump_CSDK_EC618", "1.0.3");
    assert_full("pump_V1.2.bin", "pump", "1.2");
    /* A mark wins over dotted numbers; a lone number is a chip, no version. */
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
        {"1.2.3", ERROR_BAD_NAME}, /* nothing is left for a name */
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

static void test_what_devices_say(void **state)
{
    static const struct {
        const char *name, *version, *core, *dfota;
        const char *firmware, *normal; /* normal "": no version could be read */
    } cases[] = {
        /* LuatOS */
        {"fotademo_LuatOS-SoC_EC618", "1103.1.2", "", "", "fotademo_LuatOS-SoC_EC618", "1103.1.2"},
        {"fotademo_LuatOS-SoC_Air8101", "2046.001.000", "", "", "fotademo_LuatOS-SoC_Air8101", "2046.1.0"},
        /* The full name stands for a version here too, if it is one of this firmware. */
        {"AirM2M_780E_LTE_AT", "AirM2M_780E_V1138_LTE_AT", "", "", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT", "AirM2M_780E_LTE_AT_V1138", "", "", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT", "AirM2M_780ET_V1138_LTE_AT", "", "", "AirM2M_780E_LTE_AT", ""},
        /* LuatOS-Air and AT firmware in KEY mode: the core is what is asked for */
        {"pump_RDA8910_TTS", "1.0.0", "4030", "1", "pump_RDA8910_TTS", "4030.1.0.0"},
        {"pump_RDA8910_TTS", "001.002.003", "V4030", "1", "pump_RDA8910_TTS", "4030.1.2.3"},
        {"pump_RDA8910_TTS", "0.0.0", "4030", "1", "pump_RDA8910_TTS", "4030"},
        {"pump_RDA8910_TTS", "x", "4030", "1", "pump_RDA8910_TTS", "4030"},
        {"AirM2M_780E_LTE_AT", "0.0.0", "1138", "1", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT", "0.0.0", "V1138", "1", "AirM2M_780E_LTE_AT", "1138"},
        {"pump_RDA8910_TTS", "1.0.0", "4030", "0", "pump_RDA8910_TTS", "1.0.0"},
        {"pump_RDA8910_TTS", "1.0.0", "4030", "", "pump_RDA8910_TTS", "1.0.0"},
        {"pump_RDA8910_TTS", "1.0.0", "", "1", "pump_RDA8910_TTS", "1.0.0"},
        {"pump_RDA8910_TTS", "1.0.0", "new", "1", "pump_RDA8910_TTS", ""},
        /* EC618 CSDK: the version stands in the name too */
        {"1.0.3_pump_CSDK_EC618", "1.0.3", "", "", "pump_CSDK_EC618", "1.0.3"},
        {"7_pump_CSDK_EC618", "007", "", "", "pump_CSDK_EC618", "7"},
        {"1.0.3_pump_CSDK_EC618", "1.0.4", "", "", "1.0.3_pump_CSDK_EC618",
         "1.0.4"}, /* two versions: as it stands */
        {"1.0.3_pump_EC618", "1.0.3", "", "", "1.0.3_pump_EC618", "1.0.3"},
        /* no version */
        {"pump", "", "", "", "pump", ""},
        {"pump", "newest", "", "", "pump", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dialect_version said = {.firmware_name = slice_of(cases[i].name),
                                       .version = slice_of(cases[i].version),
                                       .core_version = slice_of(cases[i].core),
                                       .dfota = slice_of(cases[i].dfota)};
        struct full_name name;
        char normal[VERSION_TEXT_SIZE];
        if (!name_resolve_dialect(&said, &name))
            fail_msg("'%s' is a firmware name", cases[i].name);
        version_format(&name.version, normal);
        assert_string_equal(name.firmware, cases[i].firmware);
        assert_string_equal(normal, cases[i].normal);
    }
    static const char *const none[] = {"", ".", "..", "a/b", "/a", "a/", "a&b", "a#b", "a?b", "a\rb", "\xFF"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct dialect_version said = {.firmware_name = slice_of(none[i]), .version = slice_of("1")};
        struct full_name name;
        if (name_resolve_dialect(&said, &name))
            fail_msg("case %zu is no firmware name", i);
    }
}

/* One row of the table of clients each, with the parameters that it sends. */
static void test_every_client(void **state)
{
    static const struct {
        const char *client;
        struct {
            const char *name, *version, *core, *dfota, *script, *script_version, *model, *core_name;
        } says;
        const char *firmware, *version;
    } cases[] = {
        {"libfota, 2023-02 to 2024-12",
         {.name = "pump_LuatOS-SoC_EC618", .version = "2034.001.002", .model = "Air780E"},
         "pump_LuatOS-SoC_EC618",
         "2034.1.2"},
        {"libfota since 2024-12-27",
         {.name = "pump_LuatOS-SoC_EC618", .version = "2034.001.002"},
         "pump_LuatOS-SoC_EC618",
         "2034.1.2"},
        {"libfota2",
         {.name = "pump_LuatOS-SoC_Air8101", .version = "2046.001.000"},
         "pump_LuatOS-SoC_Air8101",
         "2046.1.0"},
        {"Air724UG",
         {.name = "pump_LuatOS-Air_RDA8910_TTS", .version = "1.0.0", .core = "4030", .dfota = "1"},
         "pump_LuatOS-Air_RDA8910_TTS",
         "4030.1.0.0"},
        {"EC618 CSDK", {.name = "1.0.2_meter_CSDK_EC618", .version = "1.0.2"}, "meter_CSDK_EC618", "1.0.2"},
        {"AT firmware in KEY mode",
         {.name = "AirM2M_780E_LTE_AT", .version = "0.0.0", .core = "1138", .dfota = "1"},
         "AirM2M_780E_LTE_AT",
         "1138"},
        {"libfota3",
         {.core = "2046", .script = "pump", .script_version = "001.999.002", .model = "Air8101"},
         "pump_LuatOS-SoC_Air8101",
         "2046.1.999.2"},
        {"libfota3 of 2026-05",
         {.core = "2046",
          .script = "pump",
          .script_version = "001.000.002",
          .core_name = "LuatOS-SoC_Air8101"},
         "pump_LuatOS-SoC_Air8101",
         "2046.1.0.2"},
        {"libfota3, with both",
         {.core = "2046",
          .script = "pump",
          .script_version = "1.0.2",
          .model = "8301",
          .core_name = "LuatOS-SoC_Air8101"},
         "pump_LuatOS-SoC_Air8101",
         "2046.1.0.2"},
        {"libfota3 without a model",
         {.core = "V2046", .script = "pump", .script_version = "1.0.2"},
         "pump",
         "2046.1.0.2"},
        {"libfota3 without a core",
         {.script = "pump", .script_version = "1.0.2", .model = "Air8101"},
         "pump_LuatOS-SoC_Air8101",
         ""},
        {"libfota3 without a version",
         {.core = "2046", .script = "pump", .model = "Air8101"},
         "pump_LuatOS-SoC_Air8101",
         ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dialect_version said = {slice_of(cases[i].says.name),   slice_of(cases[i].says.version),
                                       slice_of(cases[i].says.core),   slice_of(cases[i].says.dfota),
                                       slice_of(cases[i].says.script), slice_of(cases[i].says.script_version),
                                       slice_of(cases[i].says.model),  slice_of(cases[i].says.core_name)};
        struct full_name name;
        char normal[VERSION_TEXT_SIZE];
        if (!name_resolve_dialect(&said, &name))
            fail_msg("%s names a firmware", cases[i].client);
        version_format(&name.version, normal);
        if (strcmp(name.firmware, cases[i].firmware) != 0 || strcmp(normal, cases[i].version) != 0)
            fail_msg("%s: firmware %s, version %s", cases[i].client, name.firmware, normal);
    }
    static const char *const none[] = {"", ".", "a/b", "a\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct dialect_version said = {
            .core_version = slice_of("1"), .script_version = slice_of("1"), .script_name = slice_of(none[i])};
        struct dialect_version bad_model = {.core_version = slice_of("1"),
                                            .script_version = slice_of("1"),
                                            .script_name = slice_of("a"),
                                            .model = slice_of("b/c")};
        struct full_name name;
        assert_false(name_resolve_dialect(&said, &name));
        assert_false(name_resolve_dialect(&bad_model, &name));
    }
}

static void test_script_versions(void **state)
{
    static const struct {
        const char *own, *target, *expected;
    } cases[] = {
        {"001.999.000", "2046.1.1", "001.999.001"},
        {"001.999.000", "2046.1.998.1", "001.998.001"},
        {"1.0.9", "2046.1.10", "1.0.10"},
        {"1.2", "2046.1.3", "1.3"},
        {"001.000.000", "2046.7", "7"},
        {"newest", "2046.1.1", "1.1"},
        {"", "2046.1.1", "1.1"},
        {"001.999.000", "2046", ""},
        {"001.000.000", "2046.1000.1", "1000.000.001"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SCRIPT_VERSION_SIZE];
        struct version target;
        assert_true(version_parse(slice_of(cases[i].target), &target));
        name_script_version(slice_of(cases[i].own), &target, text);
        assert_string_equal(text, cases[i].expected);
    }
    struct version four = {{2046, 1, 999, 2}, 4}, three = {{2046, 1, 2}, 3}, without = {.count = 0};
    assert_true(name_drop_middle(&four, &without));
    assert_int_equal(version_compare(&without, &three), 0);
    assert_false(name_drop_middle(&three, &without));
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

static void test_own_updaters(void **state)
{
    (void)state;
    static const struct {
        const char *firmware, *family, *format;
    } cases[] = {
        {"AirM2M_780E_LTE_AT", "ec618-at", "ec618-at"},
        {"AirM2M_780EP_LTE_AT", "ec7xx", "external"},
        {"AirM2M_780EHM_LTE_AT", "ec7xx", "external"},
        {"AirM2M_720_LTE_AT", "airm2m", ""},
        {"fotademo_LuatOS-SoC_EC618", "ec618-luatos", "ec618-luatos"},
        {"fotademo_LuatOS-SoC_Air780E", "ec618-luatos", "ec618-luatos"},
        {"pump_CSDK_EC618", "ec618-csdk", "ec618-csdk"},
        {"pump_EC618", "ec618", ""},
        {"fotademo_LuatOS-SoC_EC718P", "ec7xx", "external"},
        {"pump_ec716s", "ec7xx", "external"},
        {"fotademo_LuatOS-SoC_Air8000", "ec7xx", "external"},
        {"fotademo_LuatOS-SoC_Air780EHM", "ec7xx", "external"},
        {"Air780EPM", "ec7xx", "external"},
        {"fotademo_LuatOS-SoC_Air8101", "luatos", "external"},
        {"LuatOS-Air_V4030_RDA8910_FLOAT", "luatos-air", "external"},
        {"AirM2M_Air724UG", "luatos-air", "external"},
        {"demo_LuatOS-SoC_Air601", "air10x", "external"},
        {"demo_Air101", "air10x", "external"},
        {"demo-air105", "air10x", "external"},
        {"node_ESP32-S3", "esp", "external"},
        {"esp32c3", "esp", "external"},
        {"Quectel_EC25EFA", "quectel", "external"},
        {"BG95M3LAR02A03", "quectel", "external"},
        {"SIM7600G", "simcom", "external"},
        {"mfw_nrf9160", "nrf", "external"},
        {"nRF52840-app", "nrf", "external"},
        {"pump", NULL, NULL},
        {"Pump_EC", NULL, NULL},
        {"boron-system-part1", NULL, NULL},
        {"repair_AT", NULL, NULL},
        {"Airlock", NULL, NULL},
        {"respESP", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct family *family = family_of_name(cases[i].firmware);
        if (!family != !cases[i].family || (family && (strcmp(family->name, cases[i].family) != 0 ||
                                                       strcmp(family->format, cases[i].format) != 0)))
            fail_msg("%s is of the family %s, expected %s", cases[i].firmware, family ? family->name : "-",
                     cases[i].family ? cases[i].family : "-");
        if (family)
            assert_ptr_equal(family_find(family->name), family);
    }
    assert_string_equal(family_of_content("binpkg")->name, "ec");
    assert_string_equal(family_of_content("esp-image")->name, "esp");
    assert_null(family_of_content("raw"));
    assert_null(family_find(""));
}

/* Names of files as browsers, shells and build systems leave them; a version of "" is refused with a way out. */
static void test_files_as_people_name_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *firmware, *version;
    } cases[] = {
        {"AirM2M_780E_V1138_LTE_AT.dfota.bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_V1138_LTE_AT.dfota (1).bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_V1138_LTE_AT.dfota(1).bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_V1138_LTE_AT (2).dfota.bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138(1).binpkg", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138.binpkg.bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138.BINPKG", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138.bin.1", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138 - Copy.bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138 - Copy (2).bin", "AirM2M_780E_LTE_AT", "1138"},
        {"AirM2M_780E_LTE_AT_V1138[1].bin", "AirM2M_780E_LTE_AT", "1138"},
        {"fotademo_1103.1.2_LuatOS-SoC_EC618 (1).bin", "fotademo_LuatOS-SoC_EC618", "1103.1.2"},
        {"Pump_v1.bin", "Pump", "1"},
        {"pump-v1.5.0.BIN", "pump", "1.5.0"},
        {"pump-V1.5.0 (1).bin", "pump", "1.5.0"},
        {"boron-system-part1@2.2.0.bin", "boron-system-part1", "2.2.0"},
        {"firmware-1.5.0.bin", "firmware", "1.5.0"},
        {"firmware 1.5.0.bin", "firmware", "1.5.0"},
        {"firmware - v1.5.0.bin", "firmware", "1.5.0"},
        {"1.5.0-pump.bin", "pump", "1.5.0"},
        {"v2-pump.bin", "pump", "2"},
        {"board_v2_1.5.0.bin", "board_v2", "1.5.0"},
        {"pump.bin", "", ""},
        {"pump (1).bin", "", ""},
        {"pump-3.bin", "", ""},
        {"pump-1.5.0-rc1.bin", "", ""},
        {"pump-v1-beta.bin", "", ""},
        {"pump-v1-v2.bin", "", ""},
        {"pump.1.5.0.bin", "", ""},
        {"v1.5.0.bin", "", ""},
        {"1.5.0 (1).bin", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct full_name name = {"", {{0}, 0}};
        struct error err;
        char version[VERSION_TEXT_SIZE] = "";
        bool ok = name_parse_file(slice_of(cases[i].text), &name, &err);
        if (ok)
            version_format(&name.version, version);
        if (ok != (cases[i].version[0] != 0) ||
            (ok && (strcmp(name.firmware, cases[i].firmware) != 0 || strcmp(version, cases[i].version) != 0)))
            fail_msg("%s gives '%s', version '%s'", cases[i].text, ok ? name.firmware : "refused", version);
        if (!ok)
            assert_non_null(strstr(err.text, "--firmware NAME --version V"));
    }
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
        cmocka_unit_test(test_is_like_a_mistyped_name),
        cmocka_unit_test(test_file_names),
        cmocka_unit_test(test_no_full_names),
        cmocka_unit_test(test_length_of_names),
        cmocka_unit_test(test_versions_as_people_write_them),
        cmocka_unit_test(test_what_devices_say),
        cmocka_unit_test(test_product_keys),
        cmocka_unit_test(test_own_updaters),
        cmocka_unit_test(test_every_client),
        cmocka_unit_test(test_script_versions),
        cmocka_unit_test(test_files_as_people_name_them),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
