/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The codes of the dialect, as the vendor publishes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/slice.h"
#include "upgrade/answer.h"

static void test_codes_and_words(void **state)
{
    static const struct {
        enum answer answer;
        int code;
        const char *msg;
    } published[] = {
        {ANSWER_BAD_DEVICE, 3, "无效的设备"},    {ANSWER_NOT_TOGETHER, 17, "无权限"},
        {ANSWER_NOT_ALLOWED, 21, "不允许升级"},  {ANSWER_BAD_PRODUCT, 25, "无效的项目"},
        {ANSWER_BAD_FIRMWARE, 26, "无效的固件"}, {ANSWER_UP_TO_DATE, 27, "已是最新版本"},
        {ANSWER_LOOP, 40, "循环升级"},           {ANSWER_WAIT, 43, "请等待"},
        {ANSWER_NO_BASE, 44, "基础版本缺失"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        assert_int_equal(answer_code(published[i].answer), published[i].code);
        assert_string_equal(answer_msg(published[i].answer), published[i].msg);
    }
    assert_int_equal(ANSWER_COUNT, sizeof published / sizeof *published + 4); /* 200, 206, 416, 404 */
    assert_int_equal(answer_code(ANSWER_FULL), 200);
    assert_int_equal(answer_code(ANSWER_PART), 206);
    assert_int_equal(answer_code(ANSWER_BAD_RANGE), 416);
    assert_int_equal(answer_code(ANSWER_NO_PATH), 404);
}

/* {"code": …, "msg": "…"} with six bytes for each character that is not ASCII has to fit into 200. */
static void test_every_refusal_fits_a_module(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ANSWER_COUNT; i++) {
        const char *msg = answer_msg((enum answer)i);
        size_t length = sizeof "{\"code\": 416, \"msg\": \"\"}";
        assert_true(slice_is_clean_utf8(slice_of(msg)));
        for (; *msg; msg++)
            length += (*msg & 0xC0) == 0x80 ? 0 : (*msg & 0x80) ? 6 : 1;
        assert_true(length <= 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_and_words),
        cmocka_unit_test(test_every_refusal_fits_a_module),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
