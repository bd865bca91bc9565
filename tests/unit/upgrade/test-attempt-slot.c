/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The attempt of a request: a request of a stranger never changes the download of another origin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/attempt_slot.h"

#define NONE                                                                                                 \
    {                                                                                                        \
        false, false, true, false                                                                            \
    }
#define IDLE                                                                                                 \
    {                                                                                                        \
        true, false, false, true                                                                             \
    }
#define OWN                                                                                                  \
    {                                                                                                        \
        true, true, true, true                                                                               \
    } /* begun by the origin of the request */
#define OTHERS                                                                                               \
    {                                                                                                        \
        true, true, false, true                                                                              \
    } /* begun by another origin */
#define ALIEN                                                                                                \
    {                                                                                                        \
        true, true, false, false                                                                             \
    } /* … and from another version than is asked from */

static const struct {
    const char *what;
    struct slot_question question;
    enum attempt_slot slot;
} cases[] = {
    {"nothing is open", {.main = NONE, .beside = NONE}, SLOT_MAIN},
    {"its own is open", {.main = OWN, .beside = NONE}, SLOT_MAIN},
    {"another origin's is live", {.main = OTHERS, .beside = NONE}, SLOT_BESIDE},
    {"another origin's is live, and its own beside", {.main = OTHERS, .beside = OWN}, SLOT_BESIDE},
    {"another origin's is live, and a third one's beside", {.main = OTHERS, .beside = OTHERS}, SLOT_BESIDE},
    {"another origin's of another version is live", {.main = ALIEN, .beside = NONE}, SLOT_BESIDE},
    {"another origin's cannot be continued", {.main = IDLE, .beside = NONE}, SLOT_MAIN},
    {"an admin's link comes first", {.by_link = true, .main = OTHERS, .beside = NONE}, SLOT_MAIN},
    {"anybody, of a device with better evidence", {.lower = true, .main = NONE, .beside = NONE}, SLOT_BESIDE},
    {"the same from its own origin", {.lower = true, .main = OWN, .beside = NONE}, SLOT_BESIDE},

    {"continues its own", {.continues = true, .main = OWN, .beside = OTHERS}, SLOT_MAIN},
    {"continues its own beside", {.continues = true, .main = OTHERS, .beside = OWN}, SLOT_BESIDE},
    {"continues at a new address", {.continues = true, .main = OTHERS, .beside = NONE}, SLOT_MAIN},
    {"… the one that fits", {.continues = true, .main = ALIEN, .beside = OTHERS}, SLOT_BESIDE},
    {"… two of the same bytes",
     {.continues = true, .same_bytes = true, .main = OTHERS, .beside = OTHERS},
     SLOT_MAIN},
    {"… two of different bytes", {.continues = true, .main = OTHERS, .beside = OTHERS}, SLOT_UNCLEAR},
    {"anybody continues nothing of the device's",
     {.continues = true, .lower = true, .main = OTHERS, .beside = NONE},
     SLOT_BESIDE},
    {"anybody continues what anybody began",
     {.continues = true, .lower = true, .main = OTHERS, .beside = OTHERS},
     SLOT_BESIDE},
    {"but a device its own, begun before the better evidence came",
     {.continues = true, .lower = true, .main = OWN, .beside = NONE},
     SLOT_MAIN},
    {"nothing to continue", {.continues = true, .main = NONE, .beside = NONE}, SLOT_MAIN},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (attempt_slot_choose(&cases[i].question) != cases[i].slot)
            fail_msg("%s: %d", cases[i].what, attempt_slot_choose(&cases[i].question));
}

/* In every state, a request from the start changes a live main attempt only if it has the same origin or
   came over an admin's link. */
static void test_never_ends_what_another_continues(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1u << 12; bits++) {
        struct slot_question question = {
            .lower = bits & 1,
            .continues = bits & 2,
            .by_link = bits & 4,
            .same_bytes = bits & 8,
            .main = {bits & 16, bits & 32, bits & 64, bits & 128},
            .beside = {bits & 256, bits & 512, bits & 1024, bits & 2048},
        };
        if (question.lower && question.by_link)
            continue; /* only the admin's host has this link */
        enum attempt_slot place = attempt_slot_choose(&question);
        bool live = question.main.open && question.main.live && !question.main.same_origin;
        if (!question.continues && live && !question.by_link)
            assert_int_equal(place, SLOT_BESIDE);
        if (question.lower && place == SLOT_MAIN)
            assert_true(question.continues && question.main.same_origin && question.main.fits);
        if (place == SLOT_UNCLEAR)
            assert_true(question.continues && !question.same_bytes && question.main.live &&
                        question.beside.live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_never_ends_what_another_continues),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("attempt-slot", tests, NULL, NULL);
}
