/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files: read under a limit, and written so that an incomplete file is never visible and a failure leaves
   nothing. */
#include "tests/unit/delta/test-delta.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "delta/file.h"

/* Each test has its own empty directory. */
static int enter_directory(void **state)
{
    char name[] = "/tmp/dfota-test-XXXXXX";
    *state = mkdtemp(name) ? strdup(name) : NULL;
    return *state ? chdir(*state) : -1;
}

static int remove_directory(void **state)
{
    DIR *directory = opendir(".");
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        remove(entry->d_name); /* "." and ".." cannot be removed */
    if (directory)
        closedir(directory);
    int rc = chdir("/") | rmdir(*state);
    free(*state);
    return rc;
}

static size_t count_entries(void)
{
    size_t count = 0;
    DIR *directory = opendir(".");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

static struct bytes text(const char *content)
{
    return (struct bytes){(const uint8_t *)content, strlen(content)};
}

static void must_store(const char *path, const char *content)
{
    struct error err;
    assert_true(file_store(path, text(content), &err));
}

static void must_hold(const char *path, const char *content)
{
    struct buffer read = {0};
    struct error err;
    assert_true(file_load(path, 1 << 20, &read, &err));
    assert_true(bytes_equal(buffer_bytes(&read), text(content)));
    buffer_free(&read);
}

static void a_file_is_read_up_to_exactly_its_limit(void **state)
{
    (void)state;
    struct buffer content = {0};
    struct error err;
    must_store("file", "0123456789");
    assert_true(file_load("file", 10, &content, &err));
    assert_true(bytes_equal(buffer_bytes(&content), text("0123456789")));
    buffer_free(&content);
    assert_false(file_load("file", 9, &content, &err));
    assert_int_equal(err.code, ERROR_TOO_LARGE);
    assert_null(content.ptr);
}

static void an_empty_file_gives_a_pointer(void **state)
{
    (void)state;
    struct buffer content = {0};
    struct error err;
    must_store("empty", "");
    assert_true(file_load("empty", 0, &content, &err));
    assert_int_equal(content.len, 0);
    assert_non_null(content.ptr);
    buffer_free(&content);
}

static void an_unreadable_file_is_an_error_of_the_machine(void **state)
{
    (void)state;
    struct buffer content = {0};
    struct error err;
    assert_false(file_load("missing", 100, &content, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_string_equal(err.text, "cannot open missing: No such file or directory");
    assert_false(file_load(".", 1 << 20, &content, &err));
    assert_int_equal(err.code, ERROR_INTERNAL);
    assert_null(content.ptr);
}

/* A pipe has no size. It is read in pieces until it exceeds the limit. */
static void a_pipe_is_read_under_the_same_limit(void **state)
{
    (void)state;
    enum { LEN = 300000 };
    for (size_t limit = LEN - 1; limit <= LEN; limit++) {
        int end[2];
        assert_int_equal(pipe2(end, O_CLOEXEC), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            static uint8_t content[LEN];
            memset(content, 'x', LEN);
            for (size_t at = 0; at < LEN;) {
                ssize_t wrote = write(end[1], content + at, LEN - at);
                if (wrote < 0)
                    _exit(1);
                at += (size_t)wrote;
            }
            _exit(0);
        }
        close(end[1]);
        char path[32];
        snprintf(path, sizeof path, "/dev/fd/%d", end[0]);
        struct buffer content = {0};
        struct error err;
        bool ok = file_load(path, limit, &content, &err);
        close(end[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(ok, limit == LEN);
        assert_int_equal(content.len, ok ? LEN : 0);
        if (!ok)
            assert_int_equal(err.code, ERROR_TOO_LARGE);
        buffer_free(&content);
    }
}

static void a_stored_file_replaces_and_obeys_the_umask(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(027);
    must_store("out", "first");
    umask(before);
    assert_int_equal(stat("out", &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    must_hold("out", "first");
    must_store("./out", "second");
    must_hold("out", "second");
    must_store("empty", "");
    must_hold("empty", "");
    assert_int_equal(count_entries(), 2);
}

static void expect_not_stored(const char *path, const char *reason)
{
    struct error err;
    size_t entries = count_entries();
    assert_false(file_store(path, text("content"), &err));
    assert_true(err.code == ERROR_INTERNAL || err.code == ERROR_NO_SPACE);
    if (!strstr(err.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
    assert_int_equal(count_entries(), entries);
}

static void a_failure_leaves_no_file_and_changes_none(void **state)
{
    (void)state;
    must_store("real", "precious");
    assert_int_equal(symlink("real", "link"), 0);
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(mkfifo("fifo", 0644), 0);
    expect_not_stored("link", "not a regular file");
    expect_not_stored("folder", "not a regular file");
    expect_not_stored("fifo", "not a regular file");
    expect_not_stored("missing/out", "No such file");
    expect_not_stored("real/out", "Not a directory");
    expect_not_stored("", "No such file");
    must_hold("real", "precious");
}

/* A file size limit stops a write half way, as a full disk does. */
static void a_write_that_stops_half_way_leaves_nothing(void **state)
{
    (void)state;
    must_store("out", "precious");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static uint8_t content[100000];
        struct rlimit limit = {50000, 50000};
        struct error err;
        bool tried = setrlimit(RLIMIT_FSIZE, &limit) == 0;
        bool stored = tried && file_store("out", (struct bytes){content, sizeof content}, &err);
        _exit(tried && !stored && strstr(err.text, "File too large") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0); /* the function reported it, and SIGXFSZ did not kill the child */
    assert_int_equal(count_entries(), 1);
    must_hold("out", "precious");
}

static void signals_are_restored(void **state)
{
    (void)state;
    sigset_t before, after;
    sigprocmask(SIG_BLOCK, NULL, &before);
    must_store("out", "content");
    sigprocmask(SIG_BLOCK, NULL, &after);
    for (int signal = 1; signal < 32; signal++)
        assert_int_equal(sigismember(&after, signal), sigismember(&before, signal));
    struct sigaction action;
    assert_int_equal(sigaction(SIGXFSZ, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(a_file_is_read_up_to_exactly_its_limit),
        IN_DIRECTORY(an_empty_file_gives_a_pointer),
        IN_DIRECTORY(an_unreadable_file_is_an_error_of_the_machine),
        IN_DIRECTORY(a_pipe_is_read_under_the_same_limit),
        IN_DIRECTORY(a_stored_file_replaces_and_obeys_the_umask),
        IN_DIRECTORY(a_failure_leaves_no_file_and_changes_none),
        IN_DIRECTORY(a_write_that_stops_half_way_leaves_nothing),
        IN_DIRECTORY(signals_are_restored),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
