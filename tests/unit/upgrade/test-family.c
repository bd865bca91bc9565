/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Families of modules by the name of a firmware and by content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/package_format.h"
#include "upgrade/family.h"

static const struct {
    const char *firmware, *family, *format;
} firmwares[] = {
    {"AirM2M_780E_LTE_AT", "ec618-at", "ec618-at"},
    {"AirM2M_780EP_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_780EHM_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_780EPM_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_780EGH_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_8000_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_201_LTE_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_780EG_LTE_AT", "ec618-at", "ec618-at"},
    {"pump_EC718PM_AT", "ec7xx-at", "ec7xx-at"},
    {"AirM2M_720_LTE_AT", "airm2m", ""},
    {"fotademo_LuatOS-SoC_EC618", "ec618-luatos", "ec618-luatos"},
    {"fotademo_LuatOS-SoC_Air780E", "ec618-luatos", "ec618-luatos"},
    {"pump_CSDK_EC618", "ec618-csdk", "ec618-csdk"},
    {"pump_EC618", "ec618", ""},
    {"fotademo_LuatOS-SoC_EC718P", "ec7xx-luatos", "ec7xx-luatos"},
    {"LuatOS-SoC_V2034_Air780EHM", "ec7xx-luatos", "ec7xx-luatos"},
    {"demo_LuatOS-SoC_Air780EPS", "ec7xx-luatos", "ec7xx-luatos"},
    {"demo_LuatOS-SoC_Air780EUN", "ec7xx-luatos", "ec7xx-luatos"},
    {"demo_LuatOS-SoC_Air201", "ec7xx-luatos", "ec7xx-luatos"},
    {"demo_LuatOS-SoC_Air780EQ", "ec7xx-luatos", "ec7xx-luatos"},
    {"pump_CSDK_EC718P", "ec7xx-csdk", "ec7xx-csdk"},
    {"pump_CSDK_Air780EPM", "ec7xx-csdk", "ec7xx-csdk"},
    {"pump_718S", "ec7xx", ""},
    {"pump_ec716s", "ec7xx", ""},
    {"fotademo_LuatOS-SoC_Air8000", "ec7xx-luatos", "ec7xx-luatos"},
    {"fotademo_LuatOS-SoC_Air780EHM", "ec7xx-luatos", "ec7xx-luatos"},
    {"Air780EPM", "ec7xx", ""},
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

static void test_own_updaters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof firmwares / sizeof *firmwares; i++) {
        const struct family *family = family_of_name(firmwares[i].firmware);
        if (!family != !firmwares[i].family || (family && (strcmp(family->name, firmwares[i].family) != 0 ||
                                                           strcmp(family->format, firmwares[i].format) != 0)))
            fail_msg("%s is of the family %s, expected %s", firmwares[i].firmware,
                     family ? family->name : "-", firmwares[i].family ? firmwares[i].family : "-");
        if (family)
            assert_ptr_equal(family_find(family->name), family);
        if (family && family->format[0])
            assert_non_null(package_format_find(family->format));
    }
    assert_string_equal(family_of_content("binpkg")->name, "ec");
    assert_string_equal(family_of_content("esp-image")->name, "esp");
    assert_string_equal(family_of_content("ec7xx-image")->name, "ec7xx");
    assert_null(family_of_content("raw"));
    assert_null(family_find(""));
}

/* The advice for modules with an EC716 or EC718 names the three formats. */
static void test_advice(void **state)
{
    (void)state;
    static const char *const formats[] = {"ec7xx-at", "ec7xx-csdk", "ec7xx-luatos"};
    char advice[FAMILY_ADVICE_SIZE];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        family_advise("pump_EC718PM", NULL, advice);
        assert_non_null(strstr(advice, formats[i]));
        family_advise("pump", family_of_content("binpkg"), advice);
        assert_non_null(strstr(advice, formats[i]));
        assert_true(strlen(advice) < sizeof advice - 1);
    }
    family_advise("AirM2M_780EPM_LTE_AT", NULL, advice);
    assert_string_equal(advice,
                        "no package format is set, but EC716 and EC718 modules with AT firmware need one; "
                        "set one: ec7xx-at");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_updaters),
        cmocka_unit_test(test_advice),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
