/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of package formats. tests/unit/delta/test-delta-engine.c compares the table with the engines of dfota. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/package_format.h"

static void each_row_is_complete_and_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACKAGE_FORMAT_COUNT; i++) {
        const struct package_format *row = &package_format_table[i];
        assert_true(row->name[0] && row->devices[0] && row->images[0] && row->wrapper[0]);
        assert_true(strlen(row->name) < 16); /* as the server and the database keep it */
        assert_ptr_equal(package_format_find(row->name), row);
        assert_true(row->rules >= 1 && row->max_bytes >= 0);
        for (unsigned k = 0; k < PACKAGE_FORMAT_COUNT; k++)
            assert_int_equal(package_format_is(row->name, k), k == i);
    }
}

static void other_names_are_unknown(void **state)
{
    (void)state;
    static const char *const unknown[] = {"",      "BSDIFF", "bsdif", "bsdiff2",
                                          "ec618", "ec618-", "full",  "none"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(package_format_find(unknown[i]));
}

static void the_list_has_each_name_in_order(void **state)
{
    (void)state;
    const char *at = package_format_names();
    for (unsigned i = 0; i < PACKAGE_FORMAT_COUNT; i++) {
        size_t len = strlen(package_format_table[i].name);
        assert_memory_equal(at, package_format_table[i].name, len);
        at += len;
        assert_true(i + 1 < PACKAGE_FORMAT_COUNT ? strncmp(at, ", ", 2) == 0 : *at == '\0');
        at += *at ? 2 : 0;
    }
}

static void the_facts_agree_with_each_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACKAGE_FORMAT_COUNT; i++) {
        const struct package_format *row = &package_format_table[i];
        bool is_ec618 = row->chip == PACKAGE_CHIP_EC618, is_ec7xx = row->chip == PACKAGE_CHIP_EC7XX;
        assert_true(row->by_dfota || (row->chip == PACKAGE_CHIP_NONE && !row->takes_index));
        assert_int_equal(row->max_bytes > 0, is_ec618 || is_ec7xx);
        assert_int_equal(row->max_bytes >= PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX, is_ec7xx);
        assert_true(!is_ec618 || row->max_bytes >= PACKAGE_FORMAT_EC618_ARCHIVE_MAX);
        assert_int_equal(is_ec618, strncmp(row->name, "ec618-", 6) == 0);
        assert_int_equal(is_ec7xx, strncmp(row->name, "ec7xx-", 6) == 0);
        assert_false(row->no_canary && row->chip != PACKAGE_CHIP_NONE);
    }
    assert_true(package_format_table[PACKAGE_FORMAT_DEFAULT].by_dfota);
}

static void devices_take_their_format(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PACKAGE_FORMAT_COUNT; i++)
        for (unsigned k = 0; k < PACKAGE_FORMAT_COUNT; k++)
            assert_int_equal(package_format_takes(package_format_table[i].name, package_format_table[k].name),
                             i == k || (i == PACKAGE_FORMAT_EC7XX_LUATOS && k == PACKAGE_FORMAT_EC7XX_CSDK));
}

static void test_what_does_not_count(void **state)
{
    uint8_t head[PACKAGE_FORMAT_LUATOS_HEAD] = {[PACKAGE_FORMAT_LUATOS_SCRIPT] = 0x10, 0x27}; /* 10,000 */
    (void)state;
    assert_int_equal(package_format_uncounted("ec618-luatos", head, sizeof head, 500000), 10092);
    assert_int_equal(package_format_uncounted("ec618-luatos", head, sizeof head, 10092), 10092);
    assert_int_equal(package_format_uncounted("ec618-luatos", head, sizeof head, 10091), 0); /* cut off */
    assert_int_equal(package_format_uncounted("ec618-luatos", head, sizeof head - 1, 91), 0);
    assert_int_equal(package_format_uncounted("ec618-csdk", head, sizeof head, 500000), 0);
    assert_int_equal(package_format_uncounted("full", head, sizeof head, 500000), 0);
    assert_int_equal(package_format_uncounted("ec7xx-luatos", head, sizeof head, 500000), 10092);
    assert_int_equal(package_format_uncounted("ec7xx-csdk", head, sizeof head, 500000), 10092);
    assert_int_equal(package_format_uncounted("ec7xx-at", head, sizeof head, 500000), 0);
    memset(head + PACKAGE_FORMAT_LUATOS_SCRIPT, 0xFF, 4);
    assert_int_equal(package_format_uncounted("ec618-luatos", head, sizeof head, 500000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_complete_and_found_by_its_name),
        cmocka_unit_test(other_names_are_unknown),
        cmocka_unit_test(the_list_has_each_name_in_order),
        cmocka_unit_test(the_facts_agree_with_each_other),
        cmocka_unit_test(devices_take_their_format),
        cmocka_unit_test(test_what_does_not_count),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
