/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The list of a bulk call: what is a line, what is none, and what comes back for a spreadsheet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/admin/csv.h"
#include "server/admin/device_csv.h"
#include "server/admin/link_csv.h"
#include "server/admin/report_csv.h"

#define FIRMWARE "AirM2M_780E_LTE_AT"
#define ONE      "866597071234567"
#define TWO      "866597071234575"

struct parsed {
    struct link_order *orders;
    size_t count;
    struct error err;
    bool ok;
};

static struct parsed parse(const char *text, const char *common)
{
    struct parsed parsed = {.orders = NULL, .count = 0};
    parsed.ok =
        link_csv_parse(slice_of(text), FIRMWARE, common, &parsed.orders, &parsed.count, NULL, &parsed.err);
    return parsed;
}

static void assert_lines(const char *text, const char *common, const char *wanted)
{
    struct parsed parsed = parse(text, common);
    char seen[256] = "";
    if (!parsed.ok)
        fail_msg("'%s': %s", text, parsed.err.text);
    for (size_t i = 0; i < parsed.count; i++) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof seen - used, "%s=%s;", parsed.orders[i].identity.id,
                 parsed.orders[i].version);
    }
    assert_string_equal(seen, wanted);
    free(parsed.orders);
}

static void test_takes_a_line_with_and_without_its_version(void **state)
{
    (void)state;
    assert_lines(ONE
                 ","
                 "1147\n" TWO "\n",
                 "1138", ONE "=1147;" TWO "=1138;");
    assert_lines(ONE "\n" TWO, "", ONE "=;" TWO "=;");
    assert_lines(ONE ",\n", "1138", ONE "=1138;");
}

static void test_normalises_what_people_write(void **state)
{
    (void)state;
    assert_lines("86-659707-123456-7 , V01147", "", ONE "=1147;");
    assert_lines("\"" ONE "\",\"1147\"\r\n", "", ONE "=1147;");
    assert_lines(ONE ",AirM2M_780E_V1147_LTE_AT", "", ONE "=1147;");
    assert_lines("\xEF\xBB\xBF" ONE "\r\n", "", ONE "=;");
}

static void test_skips_a_heading_and_blank_lines(void **state)
{
    (void)state;
    assert_lines("imei,version\r\n\r\n" ONE "\r\n  \r\n", "", ONE "=;");
    assert_lines("\xEF\xBB\xBF\"IMEI\",version\n" ONE, "", ONE "=;");
    assert_lines("", "1138", "");
    assert_lines("\n\n", "1138", "");
}

static void test_names_the_line_that_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
        const char *where;
    } cases[] = {
        {"hello", ERROR_BAD_DEVICE, "line 1: "},
        {ONE "\n12", ERROR_BAD_DEVICE, "line 2: "},
        {"imei\n\n" ONE "\n8.66597E+14", ERROR_BAD_DEVICE, "line 4: "},
        {ONE "\nimei\n", ERROR_BAD_DEVICE, "line 2: "}, /* a heading stands on the first line only */
        {ONE ",x y", ERROR_BAD_VERSION, "line 1: "},
        {ONE ",AirM2M_780ET_V1147_LTE_AT", ERROR_WRONG_FIRMWARE, "line 1: "},
        {ONE ",1147,more", ERROR_INVALID, "line 1: "},
        {",1147", ERROR_BAD_DEVICE, "line 1: "},
        {"\"" ONE, ERROR_INVALID, "line 1: "},
        {ONE "\n\"" ONE "\",\"11\n47", ERROR_INVALID, "line 2: "},
        {ONE "\n" ONE ",11\"47\n", ERROR_INVALID, "line 2: "},
        {ONE "\n\"" ONE "\"x\n", ERROR_INVALID, "line 2: "},
        {ONE "\n" ONE ",\xFF\xFF\n", ERROR_INVALID, "line 2: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed parsed = parse(cases[i].text, "");
        if (parsed.ok)
            fail_msg("'%s' is no list", cases[i].text);
        assert_int_equal(parsed.err.code, cases[i].code);
        assert_memory_equal(parsed.err.text, cases[i].where, strlen(cases[i].where));
        assert_null(parsed.orders);
    }
}

static void test_refuses_a_byte_of_zero(void **state)
{
    static const char text[] = ONE "\0";
    struct parsed parsed = {.orders = NULL};
    (void)state;
    assert_false(link_csv_parse((struct slice){text, sizeof text}, FIRMWARE, "", &parsed.orders,
                                &parsed.count, NULL, &parsed.err));
}

static void test_takes_only_so_many(void **state)
{
    size_t line = strlen(ONE "\n"), len = line * CSV_LINES_MAX;
    char *text = malloc(len + line + 1);
    struct parsed parsed;
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i <= CSV_LINES_MAX; i++)
        memcpy(text + i * line, ONE "\n", line);
    text[len] = '\0';
    parsed = parse(text, "");
    assert_true(parsed.ok);
    assert_int_equal(parsed.count, CSV_LINES_MAX);
    free(parsed.orders);
    text[len] = ONE[0];
    text[len + line] = '\0';
    parsed = parse(text, "");
    assert_false(parsed.ok);
    assert_int_equal(parsed.err.code, ERROR_TOO_LARGE);
    free(text);
}

static void test_writes_a_table_with_its_heading(void **state)
{
    struct daemon daemon = {.device_url = "http://fota.example:8080"};
    struct link_order orders[2] = {{.identity = {ID_IMEI, ONE}, .version = "1138", .link.token = "aaaa"},
                                   {.identity = {ID_IMEI, TWO}, .version = "", .link.token = "bbbb"}};
    size_t len;
    (void)state;
    char *text = link_csv_write(&daemon, orders, 2, &len);
    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "imei,version,url,report_url\n" ONE
                              ",1138,http://fota.example:8080/d/aaaa/1138,"
                              "http://fota.example:8080/d/aaaa/report\n" TWO
                              ",,http://fota.example:8080/d/bbbb,http://fota.example:8080/d/bbbb/report\n");
    free(text);
}

static void test_reports(void **state)
{
    struct report_order *orders;
    size_t count;
    struct error err;
    (void)state;
    assert_true(
        report_csv_parse(slice_of("imei,version,at\n" ONE ",V1147,1795370263000\n\"" TWO "\",\"1138\"\n"),
                         FIRMWARE, 1795370263001, &orders, &count, NULL, &err));
    assert_int_equal(count, 2);
    assert_int_equal(orders[0].version.part[0], 1147);
    assert_int_equal(orders[0].at_ms, 1795370263000);
    assert_int_equal(orders[1].version.part[0], 1138);
    assert_int_equal(orders[1].at_ms, 0);
    free(orders);
    static const char *const bad[] = {ONE,
                                      ONE ",",
                                      ONE ",1147,1895370263000",
                                      ONE ",1147,0",
                                      ONE ",1147,1795370263",
                                      ONE ",1147,x",
                                      ONE ",1147,9,",
                                      "1,1147"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(
            report_csv_parse(slice_of(bad[i]), FIRMWARE, 1795370263001, &orders, &count, NULL, &err));
        assert_int_equal(strncmp(err.text, "line 1: ", 8), 0);
    }
}

/* "ID:tags:note:firmware;" of each device. */
static void assert_devices(const char *text, const char *wanted)
{
    struct device_csv list = {.rows = NULL};
    struct error err = {.text = ""};
    char seen[512] = "";
    if (!device_csv_parse(slice_of(text), &list, NULL, &err))
        fail_msg("'%s': %s", text, err.text);
    for (size_t i = 0; i < list.count; i++) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof seen - used, "%u %s:%s:%s:%s;", list.rows[i].line,
                 list.rows[i].identity.id, device_csv_text(&list, list.rows[i].tags),
                 device_csv_text(&list, list.rows[i].note), device_csv_text(&list, list.rows[i].firmware));
    }
    assert_string_equal(seen, wanted);
    device_csv_free(&list);
}

static void test_devices(void **state)
{
    (void)state;
    assert_devices(ONE "\r\n\r\n" TWO, "1 " ONE ":::;3 " TWO ":::;");
    assert_devices("device\n" ONE, "2 " ONE ":::;");
    assert_devices("Note,IMEI, Tags \n\"a, \"\"b\"\"\"," ONE ",\"south,north\"\n," TWO "\n",
                   "2 " ONE ":north south:a, \"b\":;3 " TWO ":::;");
    assert_devices("device,firmware,note\nuid:A1,Pump station,\n", "2 A1:::Pump station;");
    /* one text in UTF-8 with a mark, in UTF-8, and in GBK */
    assert_devices(
        "\xEF\xBB\xBF"
        "device,note\n" ONE ",\xE6\x9D\x91\xE6\xB3\xB5\n",
        "2 " ONE "::\xE6\x9D\x91\xE6\xB3\xB5:;");
    assert_devices("device,note\n" ONE ",\xE6\x9D\x91\xE6\xB3\xB5\n",
                   "2 " ONE "::\xE6\x9D\x91\xE6\xB3\xB5:;");
    assert_devices("device,note\n" ONE ",\xB4\xE5\xB1\xC3\n", "2 " ONE "::\xE6\x9D\x91\xE6\xB3\xB5:;");
}

static void test_devices_that_are_wrong(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"hello", "line 1: an IMEI has"},
        {ONE ",north", "line 1: a list with more than one column needs a header"},
        {"device,tag\n" ONE, "line 1: the columns are device, tags, note and firmware"},
        {"device,tags,tags\n", "line 1: the columns are"},
        {"device,tags,note,firmware,more\n", "line 1: the columns are"},
        {"device,tags\n" ONE ",a,b\n", "line 2: the line has more fields than the header"},
        {"device,tags\n" ONE ",a=b\n", "line 2: 'a=b' is not a tag"},
        {"device,note\n\n" ONE ",\"two\nlines\"\n", "line 3: a note has at most 200 bytes"},
        {"device,firmware\n" ONE ",a/b\n", "line 2: a firmware name is"},
        {"tags,device\nnorth\n", "line 2: an IMEI has"},
        {"device\n" ONE "\n" ONE ",\xFF\n", "line 3: the list is neither UTF-8 nor GBK"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct device_csv list = {.rows = NULL};
        struct error err = {.text = ""};
        if (device_csv_parse(slice_of(cases[i].text), &list, NULL, &err))
            fail_msg("'%s' is taken", cases[i].text);
        if (strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("'%s': %s", cases[i].text, err.text);
        device_csv_free(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_a_line_with_and_without_its_version),
        cmocka_unit_test(test_normalises_what_people_write),
        cmocka_unit_test(test_skips_a_heading_and_blank_lines),
        cmocka_unit_test(test_names_the_line_that_is_wrong),
        cmocka_unit_test(test_refuses_a_byte_of_zero),
        cmocka_unit_test(test_takes_only_so_many),
        cmocka_unit_test(test_writes_a_table_with_its_heading),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_devices_that_are_wrong),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
