/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The grade of a report by its source, and which report counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/grade.h"

static void test_sources(void **state)
{
    (void)state;
    assert_int_equal(grade_of_check_in(false), GRADE_UNAUTHENTICATED);
    assert_int_equal(grade_of_check_in(true), GRADE_HOST);
    static const struct {
        bool handed_out, trusted;
        enum grade grade;
    } links[] = {
        {false, false, GRADE_HOST},
        {false, true, GRADE_HOST},
        {true, false, GRADE_UNAUTHENTICATED}, /* such a link is only for fetching */
        {true, true, GRADE_LINK},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_int_equal(grade_of_link(links[i].handed_out, links[i].trusted), links[i].grade);
}

static void test_a_secret_raises_the_grade(void **state)
{
    static const struct {
        enum secret_kind secret;
        enum grade without, with;
    } table[] = {
        {SECRET_NONE, GRADE_UNAUTHENTICATED, GRADE_UNAUTHENTICATED},
        {SECRET_OF_PRODUCT, GRADE_UNAUTHENTICATED, GRADE_PRODUCT_SECRET},
        {SECRET_OF_PRODUCT, GRADE_HOST, GRADE_HOST}, /* never lowers it */
        {SECRET_OF_DEVICE, GRADE_UNAUTHENTICATED, GRADE_DEVICE_SECRET},
        {SECRET_OF_DEVICE, GRADE_HOST, GRADE_DEVICE_SECRET},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(grade_with_secret(table[i].without, table[i].secret), table[i].with);
}

static void test_a_lower_grade_never_counts(void **state)
{
    (void)state;
    for (unsigned said = 0; said < GRADE_COUNT; said++)
        for (unsigned known = 0; known < GRADE_COUNT; known++)
            assert_int_equal(grade_counts((enum grade)said, (enum grade)known), said >= known);
}

static void test_names(void **state)
{
    static const char *const names[GRADE_COUNT] = {
        "", "unauthenticated", "product-secret", "link", "host-report", "admin", "device-secret"};
    unsigned found;
    (void)state;
    for (unsigned grade = 0; grade < GRADE_COUNT; grade++) {
        assert_string_equal(grade_name((enum grade)grade), names[grade]);
        assert_true(enum_find(&grade_names, slice_of(names[grade]), &found));
        assert_int_equal(found, grade);
    }
    assert_false(enum_find(&grade_names, slice_of("Admin"), &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_a_secret_raises_the_grade),
        cmocka_unit_test(test_a_lower_grade_never_counts),
        cmocka_unit_test(test_names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("grade", tests, NULL, NULL);
}
