/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names of backups: they always ascend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/backup_name.h"

static void test_form(void **state)
{
    (void)state;
    assert_true(backup_name_is("20261129T183016Z"));
    assert_false(backup_name_is(""));
    assert_false(backup_name_is("20261129"));
    assert_false(backup_name_is("20261129T183016"));
    assert_false(backup_name_is("20261129T183016Z.old"));
    assert_false(backup_name_is(".removed-20261129T183016Z"));
    assert_false(backup_name_is("2026-129T183016Z"));
}

static void test_order(void **state)
{
    (void)state;
    char name[BACKUP_NAME_SIZE];
    backup_name_make(1795977852999, NULL, name);
    assert_string_equal(name, "20261129T184412Z");
    assert_true(backup_name_is(name));
    /* Two in a second, and a clock that was wrong before. */
    backup_name_make(1795977852999, "20261129T184412Z", name);
    assert_string_equal(name, "20261129T184413Z");
    backup_name_make(1795977852999, "20261231T235959Z", name);
    assert_string_equal(name, "20270101T000000Z");
    backup_name_make(1795977852999, "20251231T235959Z", name);
    assert_string_equal(name, "20261129T184412Z");
}

static void test_list(void **state)
{
    (void)state;
    static const char *const entries[] = {"20261129T184413Z", "blobs", "20261129T184412Z", ".partial",
                                          ".lock"};
    char folder[] = "/tmp/dfota-names-XXXXXX", path[80];
    char(*names)[BACKUP_NAME_SIZE];
    size_t count;
    assert_non_null(mkdtemp(folder));
    assert_true(backup_name_list(folder, &names, &count));
    assert_int_equal(count, 0);
    free(names);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_true(backup_name_list(folder, &names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "20261129T184412Z");
    assert_string_equal(names[1], "20261129T184413Z");
    free(names);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]);
        rmdir(path);
    }
    rmdir(folder);
    assert_false(backup_name_list(folder, &names, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_list),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("backup names", tests, NULL, NULL);
}
