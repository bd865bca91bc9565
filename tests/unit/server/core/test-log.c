/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one line each whatever the values hold, and nothing below the level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "server/core/log.h"
#include "server/core/log_limit.h"

static int real_stderr, pipe_end;
static char seen[65536];

static void capture(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    real_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_end = ends[0];
}

static const char *captured(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    ssize_t got = read(pipe_end, seen, sizeof seen - 1);
    close(pipe_end);
    seen[got > 0 ? got : 0] = '\0';
    return seen;
}

static void check_value(const char *value, const char *want)
{
    char line[256];
    capture();
    log_line(LOG_LEVEL_INFO, "test", "key", value, NULL);
    snprintf(line, sizeof line, "level=info event=test key=%s\n", want);
    const char *got = captured();
    if (strcmp(got, line) != 0)
        fail_msg("got %s want %s", got, line);
}

static void test_values(void **state)
{
    (void)state;
    check_value("127.0.0.1:41233", "127.0.0.1:41233");
    check_value("泵", "泵");
    check_value("", "\"\"");
    check_value("two words", "\"two words\"");
    check_value("a=b", "\"a=b\"");
    check_value("say \"x\"", "\"say \\\"x\\\"\"");
    check_value("back\\slash", "\"back\\\\slash\"");
    check_value("one\nlevel=error", "\"one\\x0alevel=error\"");
    check_value("\r\t\x1b[31m\x7f", "\"\\x0d\\x09\\x1b[31m\\x7f\"");
    check_value("泵\xff\xc3(", "\"泵\\xff\\xc3(\"");
    check_value("\xc2\x85", "\"\\xc2\\x85\""); /* a C1 control character */
}

static void test_pairs(void **state)
{
    (void)state;
    struct log_number number;
    capture();
    log_line(LOG_LEVEL_WARN, "listening", "listener", "device", "left-out", NULL, "size",
             log_i64(&number, LLONG_MIN), NULL);
    assert_string_equal(captured(), "level=warn event=listening listener=device size=-9223372036854775808\n");
    capture();
    log_line(LOG_LEVEL_ERROR, "alone", NULL);
    assert_string_equal(captured(), "level=error event=alone\n");
}

static void test_long(void **state)
{
    (void)state;
    static char value[20000];
    memset(value, 'x', sizeof value - 1);
    capture();
    log_line(LOG_LEVEL_INFO, "test", "a", value, "b", value, "c", value, "d", value, "e", value, "f", value,
             NULL);
    const char *line = captured();
    assert_true(strlen(line) <= 4096);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_non_null(strstr(line, "x... b="));

    /* Cut between characters, never within one. */
    static char wide[3001];
    for (size_t i = 0; i + 3 <= 3000; i += 3)
        memcpy(wide + i, "泵", 3);
    capture();
    log_line(LOG_LEVEL_INFO, "test", "a", wide, NULL);
    assert_null(strstr(captured(), "\\x"));
    assert_non_null(strstr(seen, "泵...\n"));
}

static void test_level(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_DEBUG;
    assert_true(log_level_parse(slice_of("warn"), &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_false(log_level_parse(slice_of("WARN"), &level));
    assert_false(log_level_parse(slice_of(""), &level));
    capture();
    log_line(LOG_LEVEL_DEBUG, "hidden", NULL);
    log_set_level(LOG_LEVEL_WARN);
    log_line(LOG_LEVEL_INFO, "hidden", NULL);
    log_line(LOG_LEVEL_WARN, "shown", NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    log_line(LOG_LEVEL_DEBUG, "shown", NULL);
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(captured(), "level=warn event=shown\nlevel=debug event=shown\n");
}

/* What comes out of the pipe until it is closed: its lines, and how many others they say were dropped. */
static size_t drain(int fd, size_t *ret_lines)
{
    static char text[1 << 20];
    size_t used = 0, dropped = 0;
    for (ssize_t got; (got = read(fd, text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    *ret_lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        assert_int_equal(strncmp(line, "level=", 6), 0); /* whole lines only */
        unsigned count;
        if (sscanf(line, "level=warn event=log-dropped count=%u", &count) == 1)
            dropped += count;
        else
            ++*ret_lines;
    }
    return dropped;
}

/* Nobody reads the log: whoever logs goes on at once, memory stays as it is, and what was dropped is said later. */
static void test_stuck_reader(void **state)
{
    (void)state;
    struct error err;
    static char value[900];
    int filler[2];
    size_t lines;
    memset(value, 'x', sizeof value - 1);
    assert_int_equal(pipe(filler), 0);
    int saved = dup(STDERR_FILENO);
    dup2(filler[1], STDERR_FILENO);
    close(filler[1]);
    assert_true(log_start(0, &err));
    for (int i = 0; i < 5000; i++) /* 5 MB: a pipe holds 64 KiB */
        log_line(LOG_LEVEL_INFO, "flood", "value", value, NULL);
    log_line(LOG_LEVEL_ERROR, "urgent", NULL); /* room is kept for it */
    pid_t reader = fork();
    if (reader == 0) {
        close(STDERR_FILENO);
        size_t dropped = drain(filler[0], &lines);
        _exit(dropped > 0 && lines > 100 && lines + dropped == 5001 ? 0 : 1);
    }
    close(filler[0]);
    log_stop();
    dup2(saved, STDERR_FILENO);
    close(saved);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

/* A closed standard error, one whose reader has gone and a full disk cost lines, and nothing else. */
static void test_unwritable(void **state)
{
    (void)state;
    struct error err;
    int saved = dup(STDERR_FILENO), ends[2];
    size_t lines;
    assert_int_equal(pipe(ends), 0);
    close(STDERR_FILENO);
    assert_true(log_start(0, &err));
    log_line(LOG_LEVEL_INFO, "closed", NULL);
    log_stop();
    int full = open("/dev/full", O_WRONLY);
    dup2(full, STDERR_FILENO);
    if (full != STDERR_FILENO)
        close(full);
    assert_true(log_start(0, &err));
    log_line(LOG_LEVEL_INFO, "no-room", NULL);
    log_stop();
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    assert_true(log_start(0, &err));
    log_line(LOG_LEVEL_INFO, "shown", NULL);
    log_stop();
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(drain(ends[0], &lines), 2);
    close(ends[0]);
    assert_int_equal(lines, 1);
}

/* The end of the process waits for a stuck reader only so long. */
static void test_stuck_end(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct error err;
        int ends[2];
        static char value[900];
        memset(value, 'x', sizeof value - 1);
        if (pipe(ends) != 0)
            _exit(2);
        dup2(ends[1], STDERR_FILENO);
        if (!log_start(0, &err))
            _exit(3);
        for (int i = 0; i < 500; i++)
            log_line(LOG_LEVEL_INFO, "flood", "value", value, NULL);
        log_stop();
        log_last_words("dfotad: it has ended");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static uint64_t suppressed_of_flood;

static void take_told(const char *event, uint64_t suppressed)
{
    assert_string_equal(event, "flood");
    suppressed_of_flood += suppressed;
}

static unsigned lines_of(const char *event, bool stranger, int64_t now_ms, unsigned tries,
                         uint64_t *suppressed)
{
    unsigned taken = 0;
    uint64_t before;
    for (unsigned i = 0; i < tries; i++) {
        taken += log_limit_take(event, stranger, now_ms, &before);
        *suppressed += before;
    }
    return taken;
}

static void test_limit(void **state)
{
    (void)state;
    uint64_t suppressed = 0;
    log_limit_set(5);
    assert_int_equal(lines_of("flood", true, 1000, 10000, &suppressed), LOG_BURST_STRANGERS);
    assert_int_equal(suppressed, 0);
    /* Neither the same event of a known device, nor another event, has lost anything. */
    assert_int_equal(lines_of("flood", false, 1000, LOG_BURST, &suppressed), LOG_BURST);
    assert_int_equal(lines_of("other", true, 1000, 1, &suppressed), 1);
    /* A stranger's line a second, which says what was left out. */
    assert_int_equal(lines_of("flood", true, 2000, 100, &suppressed), 1);
    assert_int_equal(suppressed, 10000 - LOG_BURST_STRANGERS);
    assert_int_equal(lines_of("flood", true, 2000 + 60000, 100, &suppressed), 60);
    /* A clock that is set back gives nothing, and takes nothing. */
    assert_int_equal(lines_of("flood", true, 0, 10, &suppressed), 0);
    log_limit_tell(take_told);
    assert_int_equal(suppressed_of_flood, 40 + 10);
    log_limit_tell(take_told);
    assert_int_equal(suppressed_of_flood, 40 + 10);
    log_limit_set(0);
    assert_int_equal(lines_of("flood", true, 0, 5000, &suppressed), 5000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_long),         cmocka_unit_test(test_level),
        cmocka_unit_test(test_stuck_reader), cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_stuck_end),    cmocka_unit_test(test_limit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
