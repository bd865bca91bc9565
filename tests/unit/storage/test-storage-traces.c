/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What traces_of() says of a device is what the functions find that it saves. */
#include "storage/traces.h"
#include "storage/attempt.h"
#include "storage/campaign_device.h"
#include "storage/guard.h"
#include "tests/unit/storage/test-storage-scene.h"

static struct place *place;
static struct scene scene;
static struct device device;

static int start(void **state)
{
    struct error err;
    const struct identity identity = {.kind = ID_UID, .id = "unit-1"},
                          other = {.kind = ID_UID, .id = "unit-2"};
    struct device beside;
    place_make(state);
    place = *state;
    set_scene(place->db, &scene);
    assert_ok(device_add(place->db, scene.product.id, &identity, scene.firmware.id, &device, &err), err);
    assert_ok(device_add(place->db, scene.product.id, &other, scene.firmware.id, &beside, &err), err);
    return 0;
}

static struct traces look(void)
{
    struct traces traces;
    struct attempt pair[2], silent;
    struct error err;
    bool open[2], is_silent;
    assert_ok(traces_of(place->db, device.id, &traces, &err), err);
    assert_int_equal(traces.said.device_id, device.id);
    assert_ok(attempt_open_pair(place->db, device.id, pair, open, &err), err);
    assert_true(traces.open == (open[0] || open[1]));
    assert_ok(attempt_silent_of(place->db, device.id, &silent, &is_silent, &err), err);
    assert_true(traces.silent == is_silent);
    return traces;
}

static void test_a_new_device_has_none(void **state)
{
    (void)state;
    const struct traces traces = look();
    assert_false(traces.in_campaign || traces.guarded || traces.open || traces.silent);
    assert_true(!traces.said.forms && !traces.said.version[0] && !traces.said.shared_ms);
}

static void test_said(void **state)
{
    (void)state;
    struct error err;
    const struct said said = {.device_id = device.id,
                              .forms = SAID_15_DIGITS | SAID_16_DIGITS,
                              .version = "1.2",
                              .since_ms = 7,
                              .before = "1.1",
                              .before_ms = 5,
                              .shared_ms = 8};
    assert_ok(said_set(place->db, &said, &err), err);
    const struct traces traces = look();
    assert_int_equal(traces.said.forms, said.forms);
    assert_string_equal(traces.said.version, "1.2");
    assert_string_equal(traces.said.before, "1.1");
    assert_true(traces.said.since_ms == 7 && traces.said.before_ms == 5 && traces.said.shared_ms == 8);
}

static void test_guarded(void **state)
{
    (void)state;
    struct error err;
    assert_ok(guard_add_begun(place->db, device.id, "192.0.2.1", 5, &err), err);
    assert_true(look().guarded);
    assert_ok(guard_open(place->db, device.id, &err), err);
    assert_false(look().guarded);
    assert_ok(guard_close(place->db, device.id, "192.0.2.1", &err), err);
    assert_true(look().guarded);
}

static struct attempt begin(bool beside)
{
    struct error err;
    struct attempt attempt = {
        .device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 1, .beside = beside};
    strcpy(attempt.from, "1");
    strcpy(attempt.to, "2");
    strcpy(attempt.target, "2");
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    return attempt;
}

static void set(struct attempt *attempt, enum attempt_state state)
{
    struct error err;
    attempt->state = state;
    attempt->ended_ms = attempt_is_open(state) ? 0 : 9;
    assert_ok(attempt_update(place->db, attempt, &err), err);
}

static void test_attempts(void **state)
{
    (void)state;
    struct attempt first = begin(false);
    for (enum attempt_state at = 0; at < ATTEMPT_STATE_COUNT; at++) {
        set(&first, at);
        const struct traces traces = look();
        assert_true(traces.open == attempt_is_open(at));
        assert_true(traces.silent == (at == ATTEMPT_SILENT));
    }
    set(&first, ATTEMPT_SILENT);
    struct attempt beside = begin(true);
    assert_true(look().open && look().silent);
    set(&beside, ATTEMPT_CONFIRMED);
    assert_true(!look().open && look().silent);
    struct attempt last = begin(false);
    set(&last, ATTEMPT_CONFIRMED);
    assert_false(look().silent);
}

static void test_in_campaign(void **state)
{
    (void)state;
    struct error err;
    bool is_new;
    struct campaign made = {.firmware_id = scene.firmware.id,
                            .state = CAMPAIGN_RUNNING,
                            .audience = AUDIENCE_LIST,
                            .name = "c",
                            .target = "2",
                            .created_ms = 1};
    assert_ok(campaign_add(place->db, &made, &err), err);
    const struct campaign_device row = {
        .campaign_id = made.id, .device_id = device.id, .rank = 1, .outcome = OUTCOME_WAITING};
    assert_ok(campaign_device_add(place->db, &row, &is_new, &err), err);
    assert_true(look().in_campaign);
}

static void test_no_device(void **state)
{
    (void)state;
    struct traces traces;
    struct error err;
    assert_ok(traces_of(place->db, 99, &traces, &err), err);
    assert_false(traces.in_campaign || traces.guarded || traces.open || traces.silent);
}

#define OF_DEVICE(name) cmocka_unit_test_setup_teardown(name, start, place_remove)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OF_DEVICE(test_a_new_device_has_none),
        OF_DEVICE(test_said),
        OF_DEVICE(test_guarded),
        OF_DEVICE(test_attempts),
        OF_DEVICE(test_in_campaign),
        OF_DEVICE(test_no_device),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-traces", tests, NULL, NULL);
}
