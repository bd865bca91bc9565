/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* storage/folder: a folder is removed whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/folder.h"

#define NOBODY 65534

static char top[64];

static int make_top(void **state)
{
    (void)state;
    strcpy(top, "/tmp/dfota-folder-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static void write_file(int fd, const char *name)
{
    int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
    assert_true(file >= 0);
    close(file);
}

/* Nested folders, each with a file. The paths of the last ones are too long for any system call. */
static void dig(unsigned levels, const char *name, mode_t mode)
{
    int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < levels; i++) {
        assert_int_equal(mkdirat(fd, name, 0700), 0);
        int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(inner >= 0);
        write_file(inner, "file");
        close(fd);
        fd = inner;
        assert_int_equal(fchmod(fd, mode | 0700), 0);
    }
    close(fd);
}

static void assert_removed(void)
{
    folder_remove(top);
    assert_int_equal(access(top, F_OK), -1);
    assert_int_equal(errno, ENOENT);
}

static void test_deep(void **state)
{
    (void)state;
    struct rlimit limit, few;
    getrlimit(RLIMIT_NOFILE, &limit);
    few = limit;
    few.rlim_cur = 32;
    dig(10000, "a", 0);
    setrlimit(RLIMIT_NOFILE, &few);
    assert_removed();
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_long_names(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    dig(300, name, 0);
    assert_removed();
}

static void test_broad(void **state)
{
    (void)state;
    char name[300];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%s/%d", top, i);
        assert_int_equal(mkdir(name, 0700), 0);
        for (int j = 0; j < 40; j++) {
            snprintf(name, sizeof name, "%s/%d/%d", top, i, j);
            assert_int_equal(mkdir(name, 0700), 0);
            snprintf(name, sizeof name, "%s/%d/%d/x", top, i, j);
            assert_int_equal(mkdir(name, 0700), 0);
        }
    }
    assert_removed();
}

/* A file and folders already have the names that moved folders get. */
static void test_names_that_are_taken(void **state)
{
    (void)state;
    char name[300];
    for (int i = 1; i < 30; i++) {
        snprintf(name, sizeof name, "%s/moved-%d", top, i);
        assert_int_equal(mkdir(name, 0700), 0);
        snprintf(name, sizeof name, "%s/moved-%d/moved-%d", top, i, i % 3 + 1);
        assert_int_equal(mkdir(name, 0700), 0);
        snprintf(name, sizeof name, "%s/moved-%d/moved-%d/in", top, i, i % 3 + 1);
        assert_int_equal(mkdir(name, 0700), 0);
    }
    assert_removed();
}

/* As a user to whom permissions apply. */
static void remove_as_nobody(mode_t mode)
{
    char name[300];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%d", top, i);
        assert_int_equal(mkdir(name, 0700), 0);
        snprintf(name, sizeof name, "%s/%d/in", top, i);
        assert_int_equal(mkdir(name, 0700), 0);
        snprintf(name, sizeof name, "%s/%d/in/file", top, i);
        assert_int_equal(mknod(name, S_IFREG, 0), 0);
        snprintf(name, sizeof name, "%s/%d/in", top, i);
        assert_int_equal(chmod(name, mode), 0);
        snprintf(name, sizeof name, "%s/%d", top, i);
        assert_int_equal(chmod(name, mode), 0);
    }
    assert_int_equal(chmod(top, mode), 0);
    folder_empty(top);
    assert_int_equal(rmdir(top), 0);
}

static void test_folders_that_nobody_may_enter(void **state)
{
    (void)state;
    rmdir(top);
    for (mode_t mode = 0; mode <= 0700; mode += 0100) {
        pid_t pid = fork();
        if (pid == 0) {
            if (getuid() == 0 && setuid(NOBODY) != 0)
                _exit(1);
            make_top(NULL);
            remove_as_nobody(mode);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    char outside[] = "/tmp/dfota-outside-XXXXXX", name[300], file[64];
    assert_non_null(mkdtemp(outside));
    assert_int_equal(chmod(outside, 0500), 0);
    snprintf(file, sizeof file, "%s/file", outside);
    chmod(outside, 0700);
    assert_int_equal(mknod(file, S_IFREG | 0600, 0), 0);
    chmod(outside, 0555);
    snprintf(name, sizeof name, "%s/link", top);
    assert_int_equal(symlink(outside, name), 0);
    snprintf(name, sizeof name, "%s/nothing", top);
    assert_int_equal(symlink("/nonexistent", name), 0);
    snprintf(name, sizeof name, "%s/fifo", top);
    assert_int_equal(mkfifo(name, 0600), 0);
    assert_removed();
    struct stat info;
    assert_int_equal(stat(outside, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0555);
    assert_int_equal(access(file, F_OK), 0);
    /* A link in place of the folder itself is not followed either. */
    assert_int_equal(symlink(outside, top), 0);
    folder_empty(top);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(stat(outside, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0555);
    unlink(top);
    chmod(outside, 0700);
    unlink(file);
    rmdir(outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_deep, make_top),
        cmocka_unit_test_setup(test_long_names, make_top),
        cmocka_unit_test_setup(test_broad, make_top),
        cmocka_unit_test_setup(test_names_that_are_taken, make_top),
        cmocka_unit_test_setup(test_folders_that_nobody_may_enter, make_top),
        cmocka_unit_test_setup(test_links_are_not_followed, make_top),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-folder", tests, NULL, NULL);
}
