/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The counts of check-ins: what was counted is stored exactly once, whatever commits fail and however many threads count. */
#include "tests/unit/storage/test-storage-scene.h"

#include <pthread.h>
#include "server/checkin/counters.h"
#include "storage/ledger.h"

#define THREADS 2
#define EACH    20000

static void store(struct checkin_counters *counters, struct db *db, bool commits)
{
    struct error err;
    assert_ok(db_begin(db, &err), err);
    assert_ok(checkin_counters_store(counters, db, &err), err);
    if (commits)
        assert_ok(db_commit(db, &err), err);
    else
        db_rollback(db);
    checkin_counters_flushed(counters, commits);
}

static void assert_stored(struct db *db, int64_t id, int64_t check_ins, int64_t quiet)
{
    struct device device;
    struct ledger_day *day;
    struct error err;
    size_t count;
    bool found;
    assert_ok(device_by_id(db, id, &device, &found, &err), err);
    assert_int_equal(device.check_ins, check_ins);
    assert_ok(ledger_day_list(db, id, 10, &day, &count, &err), err);
    assert_int_equal(count, quiet > 0);
    if (quiet)
        assert_int_equal(day->count, quiet);
    free(day);
}

static void test_each_check_in_is_stored_once(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct checkin_counters *counters;
    struct error err;
    int64_t check_ins = 0, seen_ms = 0;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(checkin_counters_open(&counters, &err), err);
    checkin_counters_add(counters, device.id, 1000, false);
    checkin_counters_add(counters, device.id, 2000, true);
    store(counters, place->db, false);
    assert_stored(place->db, device.id, 0, 0);
    checkin_counters_look(counters, device.id, &check_ins, &seen_ms);
    assert_int_equal(check_ins, 2);
    assert_int_equal(seen_ms, 2000);
    checkin_counters_add(counters, device.id, 3000, false);
    store(counters, place->db, false);
    store(counters, place->db, true);
    assert_stored(place->db, device.id, 3, 2);
    store(counters, place->db, true);
    assert_stored(place->db, device.id, 3, 2);
    check_ins = 0;
    checkin_counters_look(counters, device.id, &check_ins, &seen_ms);
    assert_int_equal(check_ins, 0);
    checkin_counters_close(counters);
}

static struct checkin_counters *open_counters(struct place *place, struct device *ret)
{
    struct scene scene;
    struct checkin_counters *counters;
    struct error err;
    set_scene(place->db, &scene);
    add_device(place, &scene, ret);
    assert_ok(checkin_counters_open(&counters, &err), err);
    return counters;
}

static void check_in(struct place *place, struct device *device, const char *version, int64_t at_ms)
{
    const struct device before = *device;
    struct error err;
    strcpy(device->confirmed_version, version);
    assert_ok(device_check_in(place->db, &before, device, at_ms, &err), err);
}

static void assert_seen(struct place *place, const struct checkin_counters *counters, int64_t id,
                        int64_t check_ins, int64_t seen_ms)
{
    struct device device;
    struct error err;
    bool found;
    assert_ok(device_by_id(place->db, id, &device, &found, &err), err);
    checkin_counters_look((struct checkin_counters *)counters, id, &device.check_ins, &device.last_seen_ms);
    assert_int_equal(device.check_ins, check_ins);
    assert_int_equal(device.last_seen_ms, seen_ms);
}

/* A change is stored at once, with the check-in. Only the day still counts a check-in that the ledger does not have. */
static void test_a_check_in_that_was_stored_counts_once(void **state)
{
    struct place *place = *state;
    struct device device;
    struct checkin_counters *counters = open_counters(place, &device);
    checkin_counters_add(counters, device.id, 1000, true);
    check_in(place, &device, "9", 2000);
    checkin_counters_stored(counters, device.id, 2000, false);
    assert_seen(place, counters, device.id, 2, 2000);
    store(counters, place->db, true);
    assert_stored(place->db, device.id, 2, 1);
    checkin_counters_stored(counters, device.id, 3000, false);
    assert_seen(place, counters, device.id, 2, 2000);
    store(counters, place->db, true);
    assert_stored(place->db, device.id, 2, 2);
    checkin_counters_close(counters);
}

static void test_the_clock_is_set_back_before_a_change(void **state)
{
    struct place *place = *state;
    struct device device;
    struct checkin_counters *counters = open_counters(place, &device);
    for (unsigned noted = 0; noted < 2; noted++) {
        checkin_counters_add(counters, device.id, 600 * 1000, true);
        check_in(place, &device, noted ? "9" : "8", 1000);
        checkin_counters_stored(counters, device.id, 1000, noted);
        assert_seen(place, counters, device.id, 2 + 2 * noted, 1000);
        store(counters, place->db, true);
        assert_seen(place, counters, device.id, 2 + 2 * noted, 1000);
    }
    checkin_counters_close(counters);
}

/* The counters ask for a flush once, while there is still room. The database does not have these devices. */
static void test_a_crowd_hurries_the_flush(void **state)
{
    struct place *place = *state;
    struct checkin_counters *counters;
    struct error err;
    assert_ok(checkin_counters_open(&counters, &err), err);
    for (unsigned flush = 0; flush < 2; flush++) {
        unsigned hurries = 0;
        int64_t last = 0;
        for (int64_t id = 1; id <= 40000; id++)
            if (checkin_counters_add(counters, id, 1000, true)) {
                hurries++;
                last = id;
            }
        assert_int_equal(hurries, 1);
        assert_in_range(last, 1, 36000);
        store(counters, place->db, true);
    }
    checkin_counters_close(counters);
}

struct counting {
    struct checkin_counters *counters;
    int64_t device_id;
};

static void *count(void *cls)
{
    const struct counting *counting = cls;
    for (int i = 0; i < EACH; i++)
        checkin_counters_add(counting->counters, counting->device_id, 1000, false);
    return NULL;
}

/* A flush runs all the time; each other commit fails. */
static void test_threads_count_while_a_flush_runs(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct counting counting;
    struct error err;
    pthread_t thread[THREADS];
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(checkin_counters_open(&counting.counters, &err), err);
    counting.device_id = device.id;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count, &counting), 0);
    for (int i = 0; i < 50; i++)
        store(counting.counters, place->db, i % 2);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    store(counting.counters, place->db, true);
    assert_stored(place->db, device.id, THREADS * EACH, THREADS * EACH);
    checkin_counters_close(counting.counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_check_in_is_stored_once),          TEST(test_a_check_in_that_was_stored_counts_once),
        TEST(test_the_clock_is_set_back_before_a_change), TEST(test_a_crowd_hurries_the_flush),
        TEST(test_threads_count_while_a_flush_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
