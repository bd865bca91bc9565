/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The canary: a package that no device has confirmed goes to one device at a time, and out of service when that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "upgrade/canary.h"

static const struct {
    const char *what;
    struct trial trial;
    struct trial_limits limits;
    enum canary canary;
} decisions[] = {
    {"nobody has tried it", {.confirmed = 0}, {1, 2}, CANARY_FREE},
    {"another device tries it", {.other_tries = true}, {1, 2}, CANARY_OTHER},
    {"one confirmed it, one is enough", {.confirmed = 1}, {1, 2}, CANARY_OVER},
    {"… also while others are on the way", {.confirmed = 1, .other_tries = true}, {1, 2}, CANARY_OVER},
    {"one of two confirmed it", {.confirmed = 1}, {2, 2}, CANARY_FREE},
    {"… and a second device tries it", {.confirmed = 1, .other_tries = true}, {2, 2}, CANARY_OTHER},
    {"no canary is asked for", {.other_tries = true}, {0, 2}, CANARY_OVER},
    {"out of service", {.quarantined = true, .confirmed = 5}, {1, 2}, CANARY_QUARANTINED},
    {"out of service without a canary", {.quarantined = true}, {0, 2}, CANARY_QUARANTINED},
};

static const struct {
    const char *what;
    struct trial trial;
    struct trial_limits limits;
    bool quarantines;
} failures[] = {
    {"the canary came back with the old version", {.not_applied = 1}, {1, 2}, true},
    {"the second canary did", {.confirmed = 1, .not_applied = 1}, {2, 3}, true},
    {"one device after the canary", {.confirmed = 1, .not_applied = 1}, {1, 2}, false},
    {"two devices after the canary", {.confirmed = 1, .not_applied = 2}, {1, 2}, true},
    {"one without a canary", {.not_applied = 1}, {0, 2}, false},
    {"two without a canary", {.not_applied = 2}, {0, 2}, true},
    {"nobody", {.confirmed = 0}, {1, 1}, false},
    {"out of service already", {.quarantined = true, .not_applied = 3}, {1, 2}, false},
};

static void test_decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++)
        if (canary_decide(&decisions[i].trial, &decisions[i].limits) != decisions[i].canary)
            fail_msg("%s", decisions[i].what);
}

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (canary_quarantines(&failures[i].trial, &failures[i].limits) != failures[i].quarantines)
            fail_msg("%s", failures[i].what);
}

/* A random fleet asks, downloads, and reports good or bad: never two devices try a package that is not confirmed often
   enough, and none gets the package after its quarantine. */
static void test_random_fleets(void **state)
{
    enum { DEVICES = 20 };
    (void)state;
    srand(17);
    for (int round = 0; round < 2000; round++) {
        struct trial_limits limits = {(unsigned)(rand() % 4), 1 + (unsigned)(rand() % 4)};
        struct trial trial = {.confirmed = 0};
        enum { ASKS, TRIES, DONE } device[DEVICES] = {ASKS};
        unsigned trying = 0;
        for (int step = 0; step < 200; step++) {
            int i = rand() % DEVICES;
            if (device[i] == ASKS) {
                trial.other_tries = trying > 0;
                enum canary canary = canary_decide(&trial, &limits);
                if (canary != CANARY_OVER && canary != CANARY_FREE)
                    continue;
                assert_false(trial.quarantined);
                assert_true(trying == 0 || trial.confirmed >= limits.canary_confirmations);
                device[i] = TRIES;
                trying++;
            } else if (device[i] == TRIES) {
                device[i] = DONE;
                trying--;
                if (rand() % 2) {
                    trial.confirmed++;
                    continue;
                }
                trial.not_applied++;
                if (canary_quarantines(&trial, &limits))
                    trial.quarantined = true;
                assert_true(trial.quarantined || (trial.confirmed >= limits.canary_confirmations &&
                                                  trial.not_applied < limits.quarantine_after));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_random_fleets),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
