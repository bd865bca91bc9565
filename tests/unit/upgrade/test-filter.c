/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "upgrade/filter_device.h"

#define NOW (INT64_C(1790000000000))

/* 1138 of pump, tags north and lab, seen 8 days ago, reported an hour ago, code 43, 12 check-ins, a claim. */
static struct filter_subject subject_of(void)
{
    struct filter_subject subject = {.tags = "lab north",
                                     .firmware = "Pump station",
                                     .device = "866597071234567",
                                     .note = "behind the \303\251glise",
                                     .grade = "link",
                                     .last_seen_ms = NOW - 8 * DAY_MS,
                                     .confirmed_ms = NOW - HOUR_MS,
                                     .code = 43,
                                     .check_ins = 12,
                                     .claim = true,
                                     .held_out = true};
    version_parse(slice_of("1138"), &subject.version);
    return subject;
}

static bool selects(const char *text)
{
    struct filter filter;
    struct error err = {.text = ""};
    const struct filter_subject subject = subject_of();
    if (!filter_parse(slice_of(text), &filter_device, &filter, &err))
        fail_msg("'%s': %s", text, err.text);
    return filter_selects(&filter, &subject, NOW);
}

static void test_conditions(void **state)
{
    static const struct {
        const char *text;
        bool selects;
    } cases[] = {
        {"", true},
        {"held_out=yes", true},
        {"held_out=no", false},
        {"   ", true},
        {"version<1147", true},
        {"version<=1138", true},
        {"version<1138", false},
        {"version>V1138", false},
        {"version>=1138.0", false}, /* the shorter version is lower */
        {"version=1138", true},
        {"version=01138", true},
        {"version!=1138", false},
        {"version=none", false},
        {"version!=none", true},
        {"asked=none", true},
        {"asked!=none", false},
        {"asked<9999", false}, /* unknown: not below anything */
        {"asked>1", false},
        {"asked!=1138", true},
        {"asked=1138", false},
        {"tag=north", true},
        {"tag=nort", false},
        {"tag!=south", true},
        {"tag!=lab", false},
        {"firmware=\"Pump station\"", true},
        {"firmware=Pump", false},
        {"note=\"behind the \303\251glise\"", true},
        {"note=\"\"", false},
        {"device=866597071234567", true},
        {"grade=link", true},
        {"last_seen>7d", true},
        {"last_seen>8d", false},
        {"last_seen>=8d", true},
        {"last_seen<9d", true},
        {"last_seen<192h", false},
        {"last_seen=never", false},
        {"last_seen!=never", true},
        {"first_seen=never", true},
        {"first_seen>36500d", true}, /* never seen is older than any age */
        {"first_seen<36500d", false},
        {"confirmed<61m", true},
        {"confirmed<3600s", false},
        {"confirmed=3600s", true},
        {"code=43", true},
        {"code!=43", false},
        {"code>=44", false},
        {"check_ins>11", true},
        {"blocked=yes", false},
        {"blocked=no", true},
        {"claim=yes", true},
        {"claim!=yes", false},
        {" version < 1147 ", true},
        {"version<1147 and tag=north and last_seen>7d", true},
        {"version<1147 and tag=south and last_seen>7d", false},
        {"tag=south or tag=north", true},
        {"tag=south or tag=lab and code=1", false}, /* and binds closer */
        {"(tag=south or tag=lab) and code=43", true},
        {"tag=lab or tag=south and code=1", true},
        {"not tag=south", true},
        {"not tag=lab and code=43", false}, /* not binds closest */
        {"not (tag=south and code=43)", true},
        {"not not tag=lab", true},
        {"not(tag=lab)or(code=43)", true},
        {"tag=and or tag=lab", true}, /* a keyword is a value behind an operator */
        {"tag=in or tag=like", false},
        {"version in (1147, 1138)", true},
        {"version in(1147,none)", false},
        {"version not in (1147, none)", true},
        {"tag in (south, lab)", true},
        {"tag not in (south, lab) or code=1", false},
        {"not tag in (south)", true},
        {"firmware in (valve, \"Pump station\")", true},
        {"code in (1, 2, 43) and tag=lab", true},
        {"note=a,b or tag=lab", true}, /* a comma ends a value only in a list */
        {"firmware like \"pump*\"", true},
        {"firmware like PUMP*", true},
        {"firmware not like pump*", false},
        {"firmware like pump", false},
        {"firmware like *t*t*n", true},
        {"firmware like *t*t*t*n", false},
        {"firmware like \"Pump?station\"", true},
        {"firmware like \"Pump??station\"", false},
        {"firmware like *", true},
        {"firmware like P??????????", false},
        {"note like \"* ?glise\"", true}, /* ? is a character of two bytes */
        {"note like \"*the ??glise\"", false},
        {"note like \"* \303\211glise\"", false}, /* only ASCII in any case */
        {"tag like no*h", true},
        {"tag like \"*b n*\"", false}, /* one tag */
        {"device like 8665970712345??", true},
        {"last_seen<1790000000000", true},
        {"last_seen>1789308800000", false}, /* exactly then */
        {"last_seen>=1789308800000", true},
        {"last_seen=1789308800000", true},
        {"last_seen>2026-09-13", true},
        {"last_seen<2026-09-13T14:13:20.001Z", true},
        {"last_seen>2026-09-13T22:13:19.999+08:00", true},
        {"last_seen>2026-09-13T22:13:20+08:00", false},
        {"first_seen<2026-09-13", false}, /* never: neither before nor after */
        {"first_seen>2026-09-13", false},
        {"first_seen!=2026-09-13", true},
        {"code=none", false},
        {"code!=none", true},
        {"code>-1", true},
        {"blocked=false and claim=true", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (selects(cases[i].text) != cases[i].selects)
            fail_msg("'%s' %s", cases[i].text, cases[i].selects ? "does not select" : "selects");
}

static void test_errors_name_the_position(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"versin<1147", "character 1: 'versin' is not a field; fields: version, asked, tag, firmware"},
        {"tag=\303\251 and nothing=1", "character 11: 'nothing' is not a field"},
        {"version", "character 8: an operator is missing"},
        {"version 1147", "character 9: an operator is missing"},
        {"version<", "character 9: a value is missing"},
        {"version<abc", "character 9: a version is numbers"},
        {"version<none", "character 8: this condition has only = and !="},
        {"tag<a", "character 4: this condition has only"},
        {"blocked>yes", "character 8: this condition has only"},
        {"last_seen>never", "character 10: this condition has only"},
        {"last_seen>7", "character 11: an age is"},
        {"last_seen>7w", "character 11: an age is"},
        {"last_seen>36501d", "character 11: an age is"},
        {"last_seen>99999999999999999999s", "character 11: an age is"},
        {"code=x", "character 6: a whole number"},
        {"blocked=1", "character 9: yes or no"},
        {"version in 1147", "character 12: '(' is missing"},
        {"version in ()", "character 13: a value is missing"},
        {"version in (1147", "character 17: ',' or ')' is expected"},
        {"version in (1147,)", "character 18: a value is missing"},
        {"version in (1147 1148)", "character 18: ',' or ')' is expected"},
        {"version in (1147, x)", "character 19: a version is numbers"},
        {"tag not a", "character 9: in or like is expected"},
        {"version like 11*", "character 9: this field has no like"},
        {"code not like 4*", "character 6: this field has no like"},
        {"tag like", "character 9: a value is missing"},
        {"last_seen>2026-02-29", "character 11: an age is"},
        {"last_seen>2026-11-01T12:00:00", "character 11: an age is"}, /* no offset */
        {"last_seen>2026-11-01T24:00:00Z", "character 11: an age is"},
        {"last_seen>2026-11-1", "character 11: an age is"},
        {"last_seen>1790000000", "character 11: an age is"}, /* seconds */
        {"tag==a", "character 5: a value is missing"},
        {"tag=\"a", "character 5: the quoted value has no end"},
        {"(tag=a", "character 7: ')' is missing"},
        {"tag=a)", "character 6: 'and', 'or' or the end"},
        {"tag=a tag=b", "character 7: 'and', 'or' or the end"},
        {"tag=a and", "character 10: a condition is missing"},
        {"and", "character 1: 'and' is not a field"},
        {"tag=a or or", "character 10: 'or' is not a field"},
        {"((((((((((((((((( tag=a", "character 17: too many brackets"},
        {"tag=\x01", "without control characters"},
    };
    struct filter filter;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {.text = ""};
        if (filter_parse(slice_of(cases[i].text), &filter_device, &filter, &err))
            fail_msg("'%s' is taken", cases[i].text);
        assert_int_equal(err.code, ERROR_INVALID);
        if (!strstr(err.text, cases[i].says))
            fail_msg("'%s': %s", cases[i].text, err.text);
    }
}

static void test_limits(void **state)
{
    char text[FILTER_TEXT_MAX + 2] = "";
    struct filter filter;
    struct error err;
    (void)state;
    for (int i = 0; i < 33; i++) /* 33 conditions and 32 times "or" */
        snprintf(text + strlen(text), sizeof text - strlen(text), "%stag=a", i ? " or " : "");
    assert_false(filter_parse(slice_of(text), &filter_device, &filter, &err));
    assert_non_null(strstr(err.text, "too many conditions"));
    text[strlen(text) - strlen(" or tag=a")] = '\0';
    assert_true(filter_parse(slice_of(text), &filter_device, &filter, &err));
    assert_int_equal(filter.count, FILTER_STEPS_MAX - 1);
    memset(text, ' ', sizeof text);
    assert_false(filter_parse((struct slice){text, FILTER_TEXT_MAX + 1}, &filter_device, &filter, &err));
    assert_true(filter_parse((struct slice){text, FILTER_TEXT_MAX}, &filter_device, &filter, &err));
}

static void test_a_time_ahead_is_now(void **state)
{
    struct filter_subject subject = subject_of();
    struct filter filter;
    struct error err;
    (void)state;
    subject.last_seen_ms = NOW + DAY_MS;
    assert_true(filter_parse(slice_of("last_seen<1s"), &filter_device, &filter, &err));
    assert_true(filter_selects(&filter, &subject, NOW));
}

/* Patterns with many * cost at most the product of the lengths: no pattern takes long. */
static void test_like_is_bounded(void **state)
{
    char pattern[FILTER_TEXT_MAX + 1] = "note like ", note[20001];
    struct filter_subject subject = subject_of();
    struct filter filter;
    struct error err;
    (void)state;
    memset(note, 'a', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    subject.note = note;
    while (strlen(pattern) < FILTER_TEXT_MAX - 2)
        strcat(pattern, "*a");
    assert_true(filter_parse(slice_of(pattern), &filter_device, &filter, &err));
    assert_true(filter_selects(&filter, &subject, NOW));
    strcat(pattern, "b");
    assert_true(filter_parse(slice_of(pattern), &filter_device, &filter, &err));
    assert_false(filter_selects(&filter, &subject, NOW));
}

/* Another language than that of devices. */
static void read_pair(const void *subject, unsigned field, struct filter_value *ret)
{
    ret->number = ((const int64_t *)subject)[field];
    ret->is_none = ret->number == 7;
}

static void test_another_language(void **state)
{
    static const struct filter_field fields[] = {{"left", FILTER_NUMBER}, {"at", FILTER_TIME}};
    static const struct filter_language language = {fields, 2, read_pair};
    static const struct {
        const char *text;
        int64_t pair[2];
        bool selects;
    } cases[] = {
        {"left>3", {4, 0}, true},           {"left>3", {7, 0}, false},    {"left<=9", {7, 0}, false},
        {"left=none", {7, 0}, true},        {"left!=none", {8, 0}, true}, {"left!=3", {7, 0}, true},
        {"left in (3,none)", {7, 0}, true}, {"at>1d", {0, 0}, true},      {"at=never", {0, 5}, false}};
    struct filter filter;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(filter_parse(slice_of(cases[i].text), &language, &filter, &err));
        if (filter_selects(&filter, cases[i].pair, NOW) != cases[i].selects)
            fail_msg("'%s'", cases[i].text);
    }
    assert_false(filter_parse(slice_of("version=1"), &language, &filter, &err));
    assert_non_null(strstr(err.text, "'version' is not a field; fields: left, at"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),      cmocka_unit_test(test_errors_name_the_position),
        cmocka_unit_test(test_limits),          cmocka_unit_test(test_a_time_ahead_is_now),
        cmocka_unit_test(test_like_is_bounded), cmocka_unit_test(test_another_language),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
