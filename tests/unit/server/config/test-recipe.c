/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/recipe: a package's key changes with what the configuration adds to its bytes, and with nothing
 * else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "server/config/recipe.h"

static struct config config;

static void set(const char *firmware, const char *key, const char *value)
{
    struct firmware_section *section;
    struct error err;
    assert_true(firmware_section_get(&config, firmware, &section, &err));
    if (!firmware_section_set(section, key, value, 1, &err))
        fail_msg("%s", err.text);
}

static const char *recipe(const char *firmware, const char *format)
{
    static char text[4][RECIPE_SIZE];
    static unsigned turn;
    char *out = text[turn++ % 4];
    recipe_of(&config, firmware, format, out);
    assert_true(!out[0] || (strlen(out) == 16 && strspn(out, "0123456789abcdef") == 16));
    return out;
}

static int forget(void **state)
{
    (void)state;
    firmware_section_free(&config);
    return 0;
}

static void test_nothing_is_added(void **state)
{
    (void)state;
    assert_string_equal(recipe("f", "bsdiff"), "");
    assert_string_equal(recipe("f", "external"), "");
    set("f", "load_address", "0x30000");
    assert_string_equal(recipe("f", "bsdiff"), "");
    assert_string_equal(recipe("f", "external"), "");
    assert_string_not_equal(recipe("f", "ec618-at"), recipe("g", "ec618-at"));
}

/* The key of packages made by the old rules is "": it must never come back. */
static void test_the_rules_of_a_format_are_part_of_its_key(void **state)
{
    (void)state;
    static const char *const formats[] = {"ec618-at", "ec618-csdk", "ec618-luatos"};
    for (size_t i = 0; i < 3; i++)
        assert_string_not_equal(recipe("f", formats[i]), "");
    set("h", "load_address", "");
    assert_string_equal(recipe("h", "ec618-at"), recipe("g", "ec618-at"));
    set("f", "load_address", "0x24000"); /* what hashed without the rules was another key */
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of("load_address=0x24000\n", 21, &hash);
    sha256_hex(&hash, hex);
    assert_memory_not_equal(recipe("f", "ec618-at"), hex, 16);
}

static void test_what_is_written_otherwise_is_the_same(void **state)
{
    (void)state;
    set("f", "load_address", "0x24000");
    set("g", "load_address", "147456");
    assert_string_equal(recipe("f", "ec618-at"), recipe("g", "ec618-at"));
    set("h", "load_address", "0x24001");
    assert_string_not_equal(recipe("f", "ec618-at"), recipe("h", "ec618-at"));
}

static void test_the_chip_counts_for_an_ec7xx_only(void **state)
{
    (void)state;
    set("f", "chip", "EC718P");
    set("g", "chip", "ec718p");
    assert_string_equal(recipe("f", "ec7xx-at"), recipe("g", "ec7xx-at"));
    assert_string_not_equal(recipe("f", "ec7xx-at"), recipe("h", "ec7xx-at"));
    assert_string_equal(recipe("f", "ec618-at"), recipe("h", "ec618-at"));
    assert_string_equal(recipe("f", "bsdiff"), "");
    assert_string_equal(recipe("pump_EC718P", "ec7xx-at"), recipe("f", "ec7xx-at"));
    assert_string_equal(recipe("Air780EP", "ec7xx-at"), recipe("f", "ec7xx-at"));
    assert_string_not_equal(recipe("Air780EPM", "ec7xx-at"), recipe("f", "ec7xx-at"));
    assert_string_equal(recipe("Air780E", "ec7xx-at"), recipe("h", "ec7xx-at"));
    assert_string_equal(recipe("Air780EP", "ec618-at"), recipe("h", "ec618-at"));
    set("Air780EHM", "chip", "ec718p"); /* the configuration goes before the name */
    assert_string_equal(recipe("Air780EHM", "ec7xx-at"), recipe("f", "ec7xx-at"));
}

static void test_an_own_section_stands_for_the_common_one(void **state)
{
    (void)state;
    set("*", "load_address", "0x2000");
    set("f", "load_address", "0x1000");
    assert_string_equal(recipe("g", "ec618-at"), recipe("h", "ec618-at"));
    assert_string_not_equal(recipe("f", "ec618-at"), recipe("g", "ec618-at"));
}

static void test_the_name_counts_where_the_command_is_told_it(void **state)
{
    (void)state;
    set("*", "external_command", "/x {old} {new} {out}");
    assert_string_equal(recipe("f", "external"), recipe("g", "external"));
    assert_string_equal(recipe("f", "bsdiff"), "");
    set("h", "external_command", "/x {old} {new} {out} {firmware}");
    set("i", "external_command", "/x {old} {new} {out} {firmware}");
    assert_string_not_equal(recipe("h", "external"), recipe("i", "external"));
    set("j", "external_command", "/x {old} {new} {out}");
    assert_string_equal(recipe("j", "external"), recipe("f", "external"));
    set("j", "external_verify", "/y {old} {package} {new}");
    assert_string_not_equal(recipe("j", "external"), recipe("f", "external"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nothing_is_added, forget),
        cmocka_unit_test_teardown(test_the_rules_of_a_format_are_part_of_its_key, forget),
        cmocka_unit_test_teardown(test_what_is_written_otherwise_is_the_same, forget),
        cmocka_unit_test_teardown(test_the_chip_counts_for_an_ec7xx_only, forget),
        cmocka_unit_test_teardown(test_an_own_section_stands_for_the_common_one, forget),
        cmocka_unit_test_teardown(test_the_name_counts_where_the_command_is_told_it, forget),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
