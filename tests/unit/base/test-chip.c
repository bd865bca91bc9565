/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The names of chips: families, models and product names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/chip.h"

static void assert_chip(const char *found, const char *chip, const char *name)
{
    if (!found != !chip || (chip && strcmp(found, chip) != 0))
        fail_msg("%s: %s, not %s", name, found ? found : "unknown", chip ? chip : "unknown");
}

static void each_name_means_one_chip(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"ec618", "ec618"},
        {"EC618", "ec618"},
        {"ec7xx", "ec7xx"},
        {"EC7XX", "ec7xx"},
        {"ec718p", "ec718p"},
        {"EC718PM", "ec718pm"},
        {"air8000", "ec718hm"},
        {"air780epm", "ec718pm"},
        {"air780ehm", "ec718hm"},
        {"air780ehv", "ec718hm"},
        {"air780ehg", "ec718hm"},
        {"air780epv", "ec718pv"},
        {"Air780EP", "ec718p"},
        {"Air780E", "ec618"},
        {"Air780EPM_A11", "ec718pm"},
        {"Air700ECQ", "ec716e"},
        {"Air780EPX", NULL},
        {"Air780", NULL},
        {"Air8000x", NULL},
        {"ec718", NULL},
        {"ec718pmx", NULL},
        {"ec718hm_prd", NULL},
        {"bk72xx", NULL},
        {"air8101", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_chip(chip_of_name(names[i][0]), names[i][1], names[i][0]);
}

/* A model stands in the table once, and with a chip that is known. */
static void the_table_of_models_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < chip_model_count; i++) {
        const struct chip_model *row = &chip_model_table[i];
        assert_true(strcmp(row->chip, CHIP_EC618) == 0 || ec7xx_chip_find(row->chip));
        assert_chip(chip_of_name(row->model), row->chip, row->model);
    }
}

static void a_firmware_is_named_after_a_chip_or_a_model(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"AirM2M_780EPM_LTE_AT", "ec718pm"},
        {"AirM2M_780EP_LTE_AT", "ec718p"},
        {"AirM2M_780E_LTE_AT", "ec618"},
        {"AirM2M_8000_LTE_AT", "ec718hm"},
        {"fotademo_LuatOS-SoC_Air780EHM", "ec718hm"},
        {"demo_LuatOS-SoC_Air8000", "ec718hm"},
        {"pump-CSDK-EC718PV", "ec718pv"},
        {"pump_718u", "ec718u"},
        {"EC718HM_or_Air780EPM", "ec718pm"},
        {"Air780EPM_or_EC718HM", "ec718pm"},
        {"Air780EPM or Air780E", "ec618"},
        {"Air780E or Air780EPM", "ec618"},
        {"pump_8000", NULL}, /* may be any number */
        {"pump_EC718", NULL},
        {"pump_EC718P2", NULL},
        {"Air780EPX", NULL},
        {"Air", NULL},
        {"EC", NULL},
        {"pump", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_chip(chip_in_name(names[i][0]), names[i][1], names[i][0]);
}

/* Older builds cut the chip to six letters: several chips begin so, or one. */
static void a_product_name_is_exact_or_cut(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"EC718HM_PRD", "ec718hm"},
        {"EC718PM_PRD", "ec718pm"},
        {"EC718PM_GLO_PRD", "ec718pm"},
        {"EC718H_PRD", "ec718hm"},
        {"EC716E_PRD", "ec716e"},
        {"EC716S_PRD", "ec716s"},
        {"EC718P_PRD", "ec7xx"},
        {"EC718U_PRD", "ec7xx"},
        {"EC618_PRD", "ec618"},
        {"ec718hm", "ec718hm"},
        {"EC718SM_PRD", NULL},
        {"EC718PMX_PRD", NULL},
        {"EC718_PRD", NULL},
        {"EC7_PRD", NULL},
        {"_PRD", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_chip(chip_of_product(names[i][0]), names[i][1], names[i][0]);
}

static void an_image_is_for_the_chip_that_is_stated_more_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *type, *product, *chip;
        bool contradicts;
    } images[] = {
        {"ec7xx", "EC718HM_PRD", "ec718hm", false},
        {"ec7xx", "EC718P_PRD", "ec7xx", false},
        {"air780epv", "EC718P_PRD", "ec718pv", false},
        {"ec7xx", "", "ec7xx", false},
        {"ec618", "", "ec618", false},
        {"", "EC716E_PRD", "ec716e", false},
        {"", "", NULL, false},
        {"bk72xx", "", NULL, false},
        {"air780epm", "EC718HM_PRD", NULL, true},
        {"air700eaq", "EC718P_PRD", NULL, true}, /* a cut name does not mean every chip */
        {"ec618", "EC718P_PRD", NULL, true},
        {"ec7xx", "EC618_PRD", NULL, true},
    };
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
        const char *chip = NULL;
        struct error err = {ERROR_CODES, ""};
        bool ok = chip_of_image(images[i].type, images[i].product, &chip, &err);
        if (ok == images[i].contradicts)
            fail_msg("%s and %s", images[i].type, images[i].product);
        if (!ok)
            assert_int_equal(err.code, ERROR_INVALID);
        assert_chip(chip, images[i].chip, images[i].product);
    }
}

static void chips_that_may_be_the_same(void **state)
{
    (void)state;
    assert_true(chip_may_be("ec618", "ec618"));
    assert_true(chip_may_be("ec718p", "ec718p"));
    assert_true(chip_may_be("ec7xx", "ec718p"));
    assert_true(chip_may_be("ec718p", "ec7xx"));
    assert_false(chip_may_be("ec718p", "ec718pm"));
    assert_false(chip_may_be("ec618", "ec7xx"));
    assert_false(chip_may_be("ec7xx", "ec618"));
    assert_false(chip_may_be(NULL, "ec618"));
    assert_false(chip_may_be("ec618", NULL));
    assert_false(chip_may_be(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_means_one_chip),
        cmocka_unit_test(the_table_of_models_is_sound),
        cmocka_unit_test(a_firmware_is_named_after_a_chip_or_a_model),
        cmocka_unit_test(a_product_name_is_exact_or_cut),
        cmocka_unit_test(an_image_is_for_the_chip_that_is_stated_more_exactly),
        cmocka_unit_test(chips_that_may_be_the_same),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
