/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices: how they are found, their attempts, the loop guard, and their rows. */
#include <sqlite3.h>

#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/guard.h"
#include "base/clock.h"
#include "tests/unit/storage/test-storage-scene.h"

#define AHEAD_MS (30LL * 24 * 3600 * 1000)

static int64_t add_id(struct place *place, const struct scene *scene, const char *text)
{
    struct error err;
    struct identity identity;
    struct device device;
    bool found;
    assert_true(identity_parse(slice_of(text), &identity));
    assert_ok(device_find(place->db, scene->product.id, &identity, &device, &found, &err), err);
    if (!found)
        assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, &device, &err),
                  err);
    return device.id;
}

/* The first 14 digits identify the module. A check digit or two digits of a software version may follow. A
   row keeps the form in which it was added, so that rows of an older server are still found. */
static void test_one_imei_is_one_device_in_three_lengths(void **state)
{
    static const char *const forms[] = {"86659707123456", "866597071234569", "8665970712345601",
                                        "8665970712345602"};
    struct place *place = *state;
    struct scene scene;
    set_scene(place->db, &scene);
    for (size_t first = 0; first < 4; first++) {
        char text[24];
        int64_t id = 0;
        for (size_t i = 0; i < 4; i++) {
            const char *form = forms[(first + i) % 4];
            snprintf(text, sizeof text, "8665970%zu%s", first, form + 8); /* another module in each round */
            if (strlen(form) == 15)
                identity_complete_imei(text, text);
            int64_t here = add_id(place, &scene, text);
            assert_true(i == 0 || here == id);
            id = here;
        }
    }
}

/* An older server may have added two rows with the same 14 digits: each is found by its own digits. */
static void test_imeis_that_are_two_rows_remain_two(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct identity identity;
    struct device device;
    struct error err;
    set_scene(place->db, &scene);
    int64_t wrong = add_id(place, &scene, "866597071234567"),
            right = add_id(place, &scene, "866597071234569");
    assert_int_not_equal(wrong, right);
    assert_int_equal(add_id(place, &scene, "8665970712345678"),
                     right); /* the one with the right check digit */
    assert_int_equal(add_id(place, &scene, "86659707123456"), right);
    assert_true(identity_parse(slice_of("86659707123456"), &identity));
    assert_ok(device_add(place->db, scene.product.id, &identity, scene.firmware.id, &device, &err), err);
    assert_int_equal(add_id(place, &scene, "86659707123456"), device.id);
    assert_int_equal(add_id(place, &scene, "866597071234567"), wrong);
    assert_int_equal(add_id(place, &scene, "866597071234569"), right);
    int64_t other = add_id(place, &scene, "86659707123457");
    assert_true(other != wrong && other != right && other != device.id);
}

static int64_t add_row(struct place *place, const struct scene *scene, const char *digits)
{
    struct identity identity = {.kind = ID_IMEI};
    struct device device;
    struct error err;
    strcpy(identity.id, digits);
    assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, &device, &err), err);
    return device.id;
}

/* Rows of an older server, not in the order of their ids. */
static void test_the_best_of_several_rows_is_found(void **state)
{
    struct place *place = *state;
    struct scene scene;
    set_scene(place->db, &scene);
    int64_t oldest = add_row(place, &scene, "8665970712345603");
    add_row(place, &scene, "8665970712345601");
    add_row(place, &scene, "8665970712345602");
    assert_int_equal(add_id(place, &scene, "8665970712345677"), oldest);
    int64_t whole = add_row(place, &scene, "866597071234569");
    assert_int_equal(add_id(place, &scene, "8665970712345677"), whole);
    add_row(place, &scene, "8665970712345698"); /* after the whole one in the order of the digits */
    assert_int_equal(add_id(place, &scene, "8665970712345677"), whole);
    oldest = add_row(place, &scene, "8665970712346299");
    whole = add_row(place, &scene, "866597071234627");
    assert_int_equal(add_id(place, &scene, "8665970712346277"), whole);
}

static void test_a_device_is_looked_up_by_all_readings(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    int64_t id = add_id(place, &scene, "imei:C81234567830");
    assert_ok(device_look_up(place->db, scene.product.id, slice_of("C81234567830"), &device, &found, &err),
              err);
    assert_true(found && device.id == id);
    assert_ok(
        device_look_up(place->db, scene.product.id, slice_of("mac:C81234567830"), &device, &found, &err),
        err);
    assert_false(found);
}

static void test_device_has_one_open_attempt(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    struct attempt attempt = {.device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 1};
    attempt.state = ATTEMPT_WAITING;
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    struct attempt second = attempt;
    assert_false(attempt_add(place->db, &second, &err));
    attempt.state = ATTEMPT_ABANDONED;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_ok(attempt_open_of(place->db, device.id, false, &second, &found, &err), err);
    assert_false(found);
    second.state = ATTEMPT_SENDING;
    second = (struct attempt){.device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 2};
    second.state = ATTEMPT_SENDING;
    assert_ok(attempt_add(place->db, &second, &err), err);
    assert_ok(attempt_interrupt_all(place->db, &err), err);
    assert_ok(attempt_open_of(place->db, device.id, false, &attempt, &found, &err), err);
    assert_true(found);
    assert_int_equal(attempt.state, ATTEMPT_INTERRUPTED);
}

static void test_seen_counts_do_not_overwrite(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(device_seen(place->db, device.id, 3, 100, &err), err);
    strcpy(device.confirmed_version, "9");
    device.confirmed_by = REPORTED_BY_CHECK_IN;
    assert_ok(device_update(place->db, &device, &err), err);
    assert_ok(device_seen(place->db, device.id, 2, 90, &err), err);
    assert_ok(device_by_id(place->db, device.id, &device, &found, &err), err);
    assert_int_equal(device.check_ins, 5);
    assert_int_equal(device.last_seen_ms, 100);
    assert_string_equal(device.confirmed_version, "9");
}

static int64_t number(const struct place *place, const char *query)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return result;
}

/* A check-in that changes the device counts as device_seen() does, in one statement. */
static void test_a_check_in_that_changes_the_device(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device, before;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(device_seen(place->db, device.id, 3, 100, &err), err);
    before = device;
    strcpy(device.confirmed_version, "9");
    assert_ok(device_check_in(place->db, &before, &device, 90, &err), err);
    assert_ok(device_by_id(place->db, device.id, &device, &found, &err), err);
    assert_int_equal(device.check_ins, 4);
    assert_int_equal(device.last_seen_ms, 100);
    assert_string_equal(device.confirmed_version, "9");
    /* Columns of indexes, and a time of a clock that was wrong. */
    before = device;
    device.blocked = true;
    assert_ok(device_seen(place->db, device.id, 1, 100 + 1000 * DAY_MS, &err), err);
    assert_ok(device_check_in(place->db, &before, &device, 200, &err), err);
    assert_ok(device_by_id(place->db, device.id, &device, &found, &err), err);
    assert_int_equal(device.check_ins, 6);
    assert_int_equal(device.last_seen_ms, 200);
    assert_true(device.blocked);
    /* What is stored is not known. */
    device.blocked = false;
    assert_ok(device_check_in(place->db, NULL, &device, 300, &err), err);
    assert_ok(device_by_id(place->db, device.id, &device, &found, &err), err);
    assert_false(device.blocked);
    /* Only pauses of five minutes to a year count. */
    const int64_t at_ms[] = {400, 400 + 600000, 400 + 600000 + 500 * DAY_MS};
    for (size_t i = 0; i < 3; i++)
        assert_ok(device_check_in(place->db, &device, &device, at_ms[i], &err), err);
    assert_int_equal(number(place, "SELECT pauses FROM device"), 1);
    assert_int_equal(number(place, "SELECT pauses_ms FROM device"), 600000);
}

/* A stranger with many addresses does not fill the disk, and does not close the guard for the first 32
   origins. */
static void test_loop_guard_by_origin(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct guard guard;
    struct error err;
    char origin[ORIGIN_SIZE];
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    for (int i = 0; i < 40; i++) {
        snprintf(origin, sizeof origin, "192.0.2.%d", i);
        assert_ok(guard_load(place->db, device.id, origin, 0, 10, &guard, &err), err);
        assert_string_equal(guard.origin, i < 32 ? origin : "others");
        assert_int_equal(guard.begun, i < 32 ? 0 : i - 32);
        assert_ok(guard_add_begun(place->db, device.id, guard.origin, 5, &err), err);
    }
    assert_ok(guard_close(place->db, device.id, "others", &err), err);
    assert_ok(guard_load(place->db, device.id, "192.0.2.7", 0, 10, &guard, &err), err);
    assert_false(guard.closed);
    assert_int_equal(guard.begun, 1);
    assert_ok(guard_load(place->db, device.id, "198.51.100.1", 0, 10, &guard, &err), err);
    assert_true(guard.closed);
    assert_ok(guard_load(place->db, device.id, "", 0, 10, &guard, &err), err); /* no origin: counts all */
    assert_int_equal(guard.begun, 40);
    assert_true(guard.closed);
    assert_ok(guard_open(place->db, device.id, &err), err);
    assert_ok(guard_load(place->db, device.id, "198.51.100.1", 0, 10, &guard, &err), err);
    assert_false(guard.closed);
}

static void test_the_loop_guard_counts_nothing_ahead(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct guard guard;
    struct error err;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(guard_add_begun(place->db, device.id, "192.0.2.1", AHEAD_MS, &err), err);
    assert_ok(guard_load(place->db, device.id, "192.0.2.1", 0, 10, &guard, &err), err);
    assert_int_equal(guard.begun, 0);
    assert_ok(guard_add_begun(place->db, device.id, "192.0.2.1", 10, &err), err); /* deletes it */
    assert_ok(guard_load(place->db, device.id, "192.0.2.1", 0, AHEAD_MS, &guard, &err), err);
    assert_int_equal(guard.begun, 1);
}

/* A device with another value in every column. */
static void fill(const struct scene *scene, struct device *device)
{
    strcpy(device->confirmed_version, "1138");
    device->confirmed_ms = 11;
    device->confirmed_by = REPORTED_BY_TRANSCRIPT;
    device->confirmed_grade = GRADE_ADMIN;
    device->claim = (struct claim){.version = "1147",
                                   .firmware_id = scene->firmware.id,
                                   .at_ms = 12,
                                   .by = REPORTED_BY_HOST,
                                   .grade = GRADE_LINK,
                                   .origin = "192.0.2.1"};
    strcpy(device->asked_version, "1139");
    device->asked_over = ASKED_OVER_TURNKEY;
    device->asked_link = 13;
    strcpy(device->asked_said, "1140");
    strcpy(device->asked_firmware, "demo");
    device->first_seen_ms = 14;
    device->last_code = 206;
    strcpy(device->last_reason, "a reason");
    device->last_answer_ms = 15;
    device->blocked = true;
    strcpy(device->notice, "a notice");
}

static void test_rows_come_back_as_they_were_stored(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device, stored;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    struct device before = device;
    fill(&scene, &device);
    assert_ok(device_update(place->db, &device, &err), err);
    assert_ok(device_by_id(place->db, device.id, &stored, &found, &err), err);
    assert_true(device_equal(&stored, &device));
    assert_int_equal(stored.claim.by, REPORTED_BY_HOST);
    assert_int_equal(stored.claim.grade, GRADE_LINK);
    assert_string_equal(stored.claim.origin, "192.0.2.1");
    assert_int_equal(stored.asked_over, ASKED_OVER_TURNKEY);
    assert_int_equal(stored.last_answer_ms, 15);
    assert_true(stored.blocked);
    assert_string_equal(stored.notice, "a notice");
    assert_ok(device_update(place->db, &before, &err), err);
    assert_ok(device_by_id(place->db, device.id, &stored, &found, &err), err);
    assert_true(device_equal(&stored, &before));
}

/* Bytes between the fields and behind the end of a text do not count. */
static void test_devices_are_compared_by_their_fields(void **state)
{
    struct scene scene = {.firmware = {.id = 1}};
    struct device a, b;
    (void)state;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memset(b.notice, 'x', sizeof b.notice);
    b.notice[0] = '\0';
    assert_true(device_equal(&a, &b));
    fill(&scene, &a);
    fill(&scene, &b);
    assert_true(device_equal(&a, &b));
    b.claim.at_ms++;
    assert_false(device_equal(&a, &b));
    b = a;
    b.asked_over = ASKED_OVER_CORE;
    assert_false(device_equal(&a, &b));
    b = a;
    strcpy(b.asked_said, "1141");
    assert_false(device_equal(&a, &b));
    b = a;
    b.blocked = false;
    assert_false(device_equal(&a, &b));
}

static void test_an_unknown_text_is_an_error(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    sqlite3 *handle;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    struct attempt attempt = {.device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 1};
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, "UPDATE attempt SET state = 'lost'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    assert_false(attempt_by_id(place->db, attempt.id, &attempt, &found, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_non_null(strstr(err.text, "column state has the unknown value 'lost'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_imei_is_one_device_in_three_lengths),
        TEST(test_imeis_that_are_two_rows_remain_two),
        TEST(test_the_best_of_several_rows_is_found),
        TEST(test_a_device_is_looked_up_by_all_readings),
        TEST(test_device_has_one_open_attempt),
        TEST(test_seen_counts_do_not_overwrite),
        TEST(test_a_check_in_that_changes_the_device),
        TEST(test_loop_guard_by_origin),
        TEST(test_the_loop_guard_counts_nothing_ahead),
        TEST(test_rows_come_back_as_they_were_stored),
        TEST(test_devices_are_compared_by_their_fields),
        TEST(test_an_unknown_text_is_an_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
