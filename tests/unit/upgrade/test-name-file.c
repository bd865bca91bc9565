/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware and version from names of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/name_file.h"

static const struct {
    const char *text, *firmware, *version;
} files[] = {
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
    {"pump_1.2.3_LuatOS-SoC_V1114_EC618.soc", "pump_LuatOS-SoC_EC618", "1114.1.3"},
    {"PROJECT_001.000.002_LuatOS-SoC_V2034_Air780EHM_116.soc", "PROJECT_LuatOS-SoC_Air780EHM", "2034.1.2"},
    {"my_pump_1.2.3_LuatOS-SoC_V1114_EC618_FULL.soc", "my_pump_LuatOS-SoC_EC618", "1114.1.3"},
    {"LuatOS-SoC_V1114_EC618_FULL.soc", "", ""},
    {"pump_1.2.3_LuatOS-SoC_V1114_EC618.zip", "pump_LuatOS-SoC_EC618", "1114.1.3"},
    {"AirM2M_780E_V1138_LTE_AT.dfota.bin.7z", "AirM2M_780E_LTE_AT", "1138"},
    {"pump_1.2_LuatOS-SoC_V1114_EC618.soc", "pump_1.2_LuatOS-SoC_EC618", "1114"},
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

/* Names of files from browsers, shells and build systems. Version "": refused, with advice. */
static void test_files_as_people_name_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct full_name name = {"", {{0}, 0}};
        struct error err;
        char version[VERSION_TEXT_SIZE] = "";
        bool ok = name_file_parse(slice_of(files[i].text), &name, &err);
        if (ok)
            version_format(&name.version, version);
        if (ok != (files[i].version[0] != 0) ||
            (ok && (strcmp(name.firmware, files[i].firmware) != 0 || strcmp(version, files[i].version) != 0)))
            fail_msg("%s gives '%s', version '%s'", files[i].text, ok ? name.firmware : "refused", version);
        if (!ok)
            assert_non_null(strstr(err.text, "--firmware NAME --version V"));
    }
}

static void test_names_of_production_releases(void **state)
{
    (void)state;
    assert_true(name_file_is_production(slice_of("pump_1.2.3_LuatOS-SoC_V1114_EC618.binpkg")));
    assert_true(name_file_is_production(slice_of("pump_1.2.3_LuatOS-SoC_V2034_Air780EHM_116 (1).soc")));
    assert_false(name_file_is_production(slice_of("LuatOS-SoC_V1114_EC618_FULL.soc")));
    assert_false(name_file_is_production(slice_of("pump_1114.1.3_LuatOS-SoC_EC618.bin")));
    assert_false(name_file_is_production(slice_of("AirM2M_780E_V1138_LTE_AT.binpkg")));
    assert_false(name_file_is_production(slice_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_as_people_name_them),
        cmocka_unit_test(test_names_of_production_releases),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("name-file", tests, NULL, NULL);
}
