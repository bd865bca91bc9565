/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware and version from the parameters that devices send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/name_dialect.h"

static const struct {
    const char *name, *version, *core, *dfota;
    const char *firmware, *normal; /* normal "": no version could be read */
} said_by_devices[] = {
    /* LuatOS */
    {"fotademo_LuatOS-SoC_EC618", "1103.1.2", "", "", "fotademo_LuatOS-SoC_EC618", "1103.1.2"},
    {"fotademo_LuatOS-SoC_Air8101", "2046.001.000", "", "", "fotademo_LuatOS-SoC_Air8101", "2046.1.0"},
    /* A full name is a version too, if it names this firmware. */
    {"AirM2M_780E_LTE_AT", "AirM2M_780E_V1138_LTE_AT", "", "", "AirM2M_780E_LTE_AT", "1138"},
    {"AirM2M_780E_LTE_AT", "AirM2M_780E_LTE_AT_V1138", "", "", "AirM2M_780E_LTE_AT", "1138"},
    {"AirM2M_780E_LTE_AT", "AirM2M_780ET_V1138_LTE_AT", "", "", "AirM2M_780E_LTE_AT", ""},
    /* LuatOS-Air and AT firmware in KEY mode: the core counts */
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
    /* EC618 CSDK: the name contains the version too */
    {"1.0.3_pump_CSDK_EC618", "1.0.3", "", "", "pump_CSDK_EC618", "1.0.3"},
    {"7_pump_CSDK_EC618", "007", "", "", "pump_CSDK_EC618", "7"},
    {"1.0.3_pump_CSDK_EC618", "1.0.4", "", "", "1.0.3_pump_CSDK_EC618",
     "1.0.4"}, /* two versions: as it stands */
    {"1.0.3_pump_EC618", "1.0.3", "", "", "1.0.3_pump_EC618", "1.0.3"},
    /* no version */
    {"pump", "", "", "", "pump", ""},
    {"pump", "newest", "", "", "pump", ""},
};

static void test_what_devices_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof said_by_devices / sizeof *said_by_devices; i++) {
        struct dialect_version said = {.firmware_name = slice_of(said_by_devices[i].name),
                                       .version = slice_of(said_by_devices[i].version),
                                       .core_version = slice_of(said_by_devices[i].core),
                                       .dfota = slice_of(said_by_devices[i].dfota)};
        struct full_name name;
        char normal[VERSION_TEXT_SIZE];
        if (!name_dialect_resolve(&said, &name))
            fail_msg("'%s' is a firmware name", said_by_devices[i].name);
        version_format(&name.version, normal);
        assert_string_equal(name.firmware, said_by_devices[i].firmware);
        assert_string_equal(normal, said_by_devices[i].normal);
    }
    static const char *const none[] = {"", ".", "..", "a/b", "/a", "a/", "a&b", "a#b", "a?b", "a\rb", "\xFF"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct dialect_version said = {.firmware_name = slice_of(none[i]), .version = slice_of("1")};
        struct full_name name;
        if (name_dialect_resolve(&said, &name))
            fail_msg("case %zu is no firmware name", i);
    }
}

static const struct {
    const char *client;
    struct {
        const char *name, *version, *core, *dfota, *script, *script_version, *model, *core_name;
    } says;
    const char *firmware, *version;
} clients[] = {
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
     {.core = "2046", .script = "pump", .script_version = "001.000.002", .core_name = "LuatOS-SoC_Air8101"},
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

/* Each client with the parameters that it sends. */
static void test_every_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        struct dialect_version said = {
            slice_of(clients[i].says.name),   slice_of(clients[i].says.version),
            slice_of(clients[i].says.core),   slice_of(clients[i].says.dfota),
            slice_of(clients[i].says.script), slice_of(clients[i].says.script_version),
            slice_of(clients[i].says.model),  slice_of(clients[i].says.core_name)};
        struct full_name name;
        char normal[VERSION_TEXT_SIZE];
        if (!name_dialect_resolve(&said, &name))
            fail_msg("%s names a firmware", clients[i].client);
        version_format(&name.version, normal);
        if (strcmp(name.firmware, clients[i].firmware) != 0 || strcmp(normal, clients[i].version) != 0)
            fail_msg("%s: firmware %s, version %s", clients[i].client, name.firmware, normal);
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
        assert_false(name_dialect_resolve(&said, &name));
        assert_false(name_dialect_resolve(&bad_model, &name));
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
        {"001.999.000", "2046", "001.999.000"},
        {"001.000.000", "2046.1000.1", "1000.000.001"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NAME_DIALECT_SCRIPT_SIZE];
        struct version target;
        assert_true(version_parse(slice_of(cases[i].target), &target));
        name_dialect_script_version(slice_of(cases[i].own), &target, text);
        assert_string_equal(text, cases[i].expected);
    }
    uint64_t kind;
    assert_true(name_dialect_core_id(slice_of("pump_1.2.3_LuatOS-SoC_V2034_Air780EHM_116.soc"), &kind));
    assert_int_equal(kind, 116);
    static const char *const without_kind[] = {"", "LuatOS-SoC_V1114_EC618.soc",
                                               "LuatOS-SoC_V1114_EC618_FULL.soc",
                                               "LuatOS-SoC_V2034_Air780EHM_116.binpkg", "a_116.soc"};
    for (size_t i = 0; i < sizeof without_kind / sizeof *without_kind; i++)
        assert_false(name_dialect_core_id(slice_of(without_kind[i]), &kind));
    struct version four = {{2046, 1, 999, 2}, 4}, three = {{2046, 1, 2}, 3}, without = {.count = 0};
    assert_true(name_dialect_drop_middle(&four, &without));
    assert_int_equal(version_compare(&without, &three), 0);
    assert_false(name_dialect_drop_middle(&three, &without));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_devices_say),
        cmocka_unit_test(test_every_client),
        cmocka_unit_test(test_script_versions),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("name-dialect", tests, NULL, NULL);
}
