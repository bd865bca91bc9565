/* Log lines: one line each whatever the values hold, and nothing below the level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "server/log.h"

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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_level),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
