/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* storage/file_watch: a file that is removed, renamed or replaced is missed, and stays missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/db.h"
#include "base/clock.h"
#include "storage/file_watch.h"

static void write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void test_a_file_that_is_no_longer_there(void **state)
{
    (void)state;
    char directory[] = "/tmp/dfota-watch-XXXXXX", file[64], other[64];
    struct file_watch *file_watch;
    struct error err;
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/file", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    for (int way = 0; way < 3; way++) {
        write_file(file);
        write_file(other);
        assert_true(file_watch_open(&file_watch, &err));
        assert_true(file_watch_add(file_watch, directory, &err));
        assert_true(file_watch_add(file_watch, file, &err));
        assert_true(file_watch_check(file_watch, &err));
        write_file(file); /* its bytes may change */
        assert_true(file_watch_check(file_watch, &err));
        if (way == 0)
            unlink(file);
        else if (way == 1)
            rename(file, other);
        else
            rename(other, file);
        assert_false(file_watch_check(file_watch, &err));
        assert_int_equal(err.code, ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.text, file));
        rename(other, file); /* back, after it was renamed */
        assert_false(file_watch_check(file_watch, &err));
        file_watch_close(file_watch);
        unlink(file);
    }
    assert_false(file_watch_open(&file_watch, &err) && file_watch_add(file_watch, file, &err));
    file_watch_close(file_watch);
    unlink(other);
    rmdir(directory);
}

/* A commit is not called durable when its file was removed before it, or during it. */
/* A glance may look at nothing for a moment, and then it sees the same as a check. */
static void test_a_glance_sees_it_too(void **state)
{
    (void)state;
    char directory[] = "/tmp/dfota-watch-XXXXXX", file[64];
    struct file_watch *file_watch;
    struct error err;
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/file", directory);
    write_file(file);
    assert_true(file_watch_open(&file_watch, &err));
    assert_true(file_watch_add(file_watch, file, &err));
    assert_true(file_watch_glance(file_watch, &err));
    unlink(file);
    for (int64_t end_us = clock_boot_us() + 10000000; file_watch_glance(file_watch, &err);)
        assert_true(clock_boot_us() < end_us);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    write_file(file);
    assert_false(file_watch_glance(file_watch, &err));
    file_watch_close(file_watch);
    unlink(file);
    rmdir(directory);
}

static void test_nothing_is_durable_in_a_file_that_is_gone(void **state)
{
    (void)state;
    char directory[] = "/tmp/dfota-watch-XXXXXX", file[64], away[64];
    struct file_watch *file_watch;
    struct db *db;
    struct error err;
    assert_non_null(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/dfota.db", directory);
    snprintf(away, sizeof away, "%s/away.db", directory);
    assert_true(db_open_writer(file, &db, &err));
    assert_true(file_watch_open(&file_watch, &err) && file_watch_add(file_watch, file, &err));
    db_watch(db, file_watch);
    assert_true(db_begin(db, &err) && db_commit(db, &err));
    assert_true(db_begin(db, &err));
    assert_int_equal(rename(file, away), 0);
    assert_false(db_commit(db, &err));
    assert_false(db_in_transaction(db));
    assert_int_equal(rename(away, file), 0);
    assert_false(db_begin(db, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    db_close(db);
    file_watch_close(file_watch);
    unlink(file);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_that_is_no_longer_there),
        cmocka_unit_test(test_a_glance_sees_it_too),
        cmocka_unit_test(test_nothing_is_durable_in_a_file_that_is_gone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-file-watch", tests, NULL, NULL);
}
