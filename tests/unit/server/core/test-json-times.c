/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The texts beside the times in the JSON of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/core/json_times.h"

#define MS   "1795370263007"
#define TEXT "\"2026-11-22T17:57:43.007Z\""

static void test_names(void **state)
{
    static const struct {
        const char *key, *text; /* NULL: no time */
    } rows[] = {
        {"at", "time"},
        {"created_at", "created_time"},
        {"stage_started_at", "stage_started_time"},
        {"since", "since_time"},
        {"state_since", "state_since_time"},
        {"until", "until_time"},
        {"old_secret_until", "old_secret_until_time"},
        {"day", "day_time"},
        {"now", "now_time"},
        {"", NULL},
        {"format", NULL},
        {"days", NULL},
        {"today", NULL},
        {"first", NULL},
        {"uptime_ms", NULL},
        {"time", NULL},
        {"created_time", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[JSON_TIMES_NAME_SIZE];
        assert_int_equal(json_times_name(slice_of(rows[i].key), name), rows[i].text != NULL);
        if (rows[i].text)
            assert_string_equal(name, rows[i].text);
    }
    char name[JSON_TIMES_NAME_SIZE], longest[JSON_TIMES_NAME_SIZE + 8];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + sizeof longest - 4, "_at", 4);
    assert_false(json_times_name(slice_of(longest), name));
}

static void test_added(void **state)
{
    static const char *const rows[][2] = {
        {"{}", "{}"},
        {"[]", "[]"},
        {"\"at\"", "\"at\""},
        {"{\"at\":" MS "}", "{\"at\":" MS ",\"time\":" TEXT "}"},
        {"{\"a\":1,\"at\":" MS ",\"b\":2}", "{\"a\":1,\"at\":" MS ",\"time\":" TEXT ",\"b\":2}"},
        {"[{\"used_at\":null},{\"used_at\":" MS "}]",
         "[{\"used_at\":null,\"used_time\":null},{\"used_at\":" MS ",\"used_time\":" TEXT "}]"},
        {"{\"x\":{\"since\":" MS "},\"since\":null}",
         "{\"x\":{\"since\":" MS ",\"since_time\":" TEXT "},\"since\":null,\"since_time\":null}"},
        /* other values */
        {"{\"at\":\"x\",\"since\":[1],\"day\":{\"at\":null},\"now\":1.5,\"until\":-1}",
         "{\"at\":\"x\",\"since\":[1],\"day\":{\"at\":null,\"time\":null},\"now\":1.5,\"until\":-1}"},
        {"{\"at\":9223372036854775807}", "{\"at\":9223372036854775807,\"time\":null}"},
        /* text that looks like JSON */
        {"{\"note\":\"\\\"at\\\":" MS ",\"}", "{\"note\":\"\\\"at\\\":" MS ",\"}"},
        {"{\"note\":\"\\\\\",\"at\":null}", "{\"note\":\"\\\\\",\"at\":null,\"time\":null}"},
        /* what stays as it is */
        {"{\"detail\":{\"at\":" MS ",\"s\":\"}\",\"l\":[{\"at\":1}]},\"facts\":[{\"at\":1}],\"at\":null}",
         "{\"detail\":{\"at\":" MS
         ",\"s\":\"}\",\"l\":[{\"at\":1}]},\"facts\":[{\"at\":1}],\"at\":null,\"time\":null}"},
        {"{\"detail\":\"a text\",\"facts\":null,\"at\":null}",
         "{\"detail\":\"a text\",\"facts\":null,\"at\":null,\"time\":null}"},
        {"{\"at\":null,\"time\":null}", "{\"at\":null,\"time\":null}"},
        /* no JSON */
        {"{\"at\":", "{\"at\":"},
        {"{\"detail\":{\"at", "{\"detail\":{\"at"},
        {"{\"at", "{\"at"},
        {"\"\\", "\"\\"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        char *got = json_times_add(rows[i][0], strlen(rows[i][0]), &len);
        assert_non_null(got);
        assert_string_equal(got, rows[i][1]);
        assert_int_equal(len, strlen(got));
        char *again = json_times_add(got, len, &len);
        assert_string_equal(again, got);
        free(again);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_added),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
