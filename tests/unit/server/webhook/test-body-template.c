/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/webhook/body_template: what an admin may write, and what comes out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/webhook/body_template.h"
#include "storage/webhook.h"

static void assert_filled(const char *text, const char *facts, const char *expected)
{
    struct error err;
    json_t *json = json_loads(facts, 0, NULL);
    assert_non_null(json);
    if (!body_template_check(text, &err))
        fail_msg("%s: %s", text, err.text);
    char *filled = body_template_fill(text, json);
    assert_string_equal(filled, expected);
    free(filled);
    json_decref(json);
}

static void test_placeholders_are_filled_in(void **state)
{
    (void)state;
    assert_filled("{\"a\":\"{summary}\"}", "{\"summary\":\"All is well.\"}", "{\"a\":\"All is well.\"}");
    assert_filled("{\"a\":\"{from}{to}, {from}\"}", "{\"from\":\"1\",\"to\":\"2\"}", "{\"a\":\"12, 1\"}");
    assert_filled("{\"{event}\":{\"n\":{size},\"t\":\"{size}\"}}", "{\"event\":\"x\",\"size\":43059}",
                  "{\"x\":{\"n\":43059,\"t\":\"43059\"}}");
    assert_filled("[{at}]", "{\"at\":1795370263000}", "[1795370263000]");
    assert_filled("{}", "{}", "{}");
}

static void test_a_list_is_its_texts(void **state)
{
    (void)state;
    assert_filled("{\"a\":\"{devices} ({count})\",\"n\":[{stage},{gate_stage}]}",
                  "{\"devices\":[\"imei:1\",\"uid:\\\"2\"],\"count\":2,\"stage\":3}",
                  "{\"a\":\"imei:1, uid:\\\"2 (2)\",\"n\":[3,0]}");
    assert_filled("{\"a\":\"<{devices}>\"}", "{\"devices\":[]}", "{\"a\":\"<>\"}");
}

static void test_texts_are_escaped(void **state)
{
    (void)state;
    assert_filled("{\"a\":\"{name}\"}", "{\"name\":\"\\\"},{\\\\ \\n村\"}", "{\"a\":\"\\\"},{\\\\ \\n村\"}");
    assert_filled("{\"a\":\"{name}\"}", "{\"name\":\"{summary}\",\"summary\":\"x\"}",
                  "{\"a\":\"{summary}\"}");
}

static void test_what_an_event_does_not_have(void **state)
{
    (void)state;
    assert_filled("{\"a\":\"<{url}>\",\"n\":{limit}}", "{}", "{\"a\":\"<>\",\"n\":0}");
    assert_filled("{\"a\":\"<{url}>\"}", "{\"url\":\"\"}", "{\"a\":\"<>\"}");
}

static void test_the_braces_of_json_are_no_placeholders(void **state)
{
    (void)state;
    assert_filled("{\"a\":{},\"b\":{\"c\":\"{ summary } {} {SUMMARY} {sum mary} {\"}}", "{\"summary\":\"x\"}",
                  "{\"a\":{},\"b\":{\"c\":\"{ summary } {} {SUMMARY} {sum mary} {\"}}");
    assert_filled("{\"a\":\"{{summary}}\"}", "{\"summary\":\"x\"}", "{\"a\":\"{x}\"}");
}

static void assert_refused(const char *text, const char *words)
{
    struct error err;
    if (body_template_check(text, &err))
        fail_msg("taken: %s", text);
    assert_int_equal(err.code, ERROR_INVALID);
    if (!strstr(err.text, words))
        fail_msg("%s: %s", text, err.text);
}

static void test_what_is_refused(void **state)
{
    char many[20 * (BODY_PLACEHOLDERS_MAX + 1)] = "[", longer[200] = "[\"{";
    (void)state;
    assert_refused("{\"a\":\"{sumary}\"}", "{sumary}");
    assert_refused("{\"a\":\"{summary}{secret}\"}", "{secret}");
    assert_refused("{\"a\":{summary}}", "JSON");
    assert_refused("{\"a\":\"{summary}\"", "JSON");
    assert_refused("{\"a\":1,\"a\":2}", "JSON");
    assert_refused("{\"{id}\":1,\"{to}\":2}", "JSON"); /* two names that may be equal */
    assert_refused("hello {summary}", "JSON");
    for (int i = 0; i <= BODY_PLACEHOLDERS_MAX; i++)
        strcat(many, i ? ",{at}" : "{at}");
    strcat(many, "]");
    assert_refused(many, "more than 32");
    memset(longer + 3, 'x', 150);
    strcat(longer, "}\"]");
    assert_refused(longer, "xxx");
}

/* Every fact of every kind is a placeholder. */
static void test_every_fact_is_known(void **state)
{
    static const char *const facts[] = {
#define X(kind, name, list) list,
        WEBHOOK_KINDS(X)
#undef X
            "id event at summary"};
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct slice rest = slice_of(facts[i]), name;
        while (slice_split(&rest, ' ', &name)) {
            char text[64];
            struct error err;
            snprintf(text, sizeof text, "[\"{%.*s}\"]", (int)name.len, name.ptr);
            if (!body_template_check(text, &err))
                fail_msg("%s", err.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholders_are_filled_in),
        cmocka_unit_test(test_a_list_is_its_texts),
        cmocka_unit_test(test_texts_are_escaped),
        cmocka_unit_test(test_what_an_event_does_not_have),
        cmocka_unit_test(test_the_braces_of_json_are_no_placeholders),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_every_fact_is_known),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
