/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer in memory still holds: what a commit of the writer changes, of one device or of all, and what another process
   commits. */
#include "tests/unit/storage/test-storage.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/db/writer.h"
#include "storage/device.h"
#include "storage/file_watch.h"
#include "storage/firmware.h"
#include "storage/product.h"
#include "storage/said.h"

#define DEVICE 1
#define OTHER  2

static struct place *place;
static struct writer *writer;

struct change {
    struct writer_task task; /* first */
    bool (*make)(struct db *db, struct error *err);
    bool fails;
};

static bool run(struct writer_task *task, struct db *db, struct error *err)
{
    const struct change *change = (struct change *)task;
    return change->make(db, err) && (!change->fails || error_set(err, ERROR_INVALID, "a failure"));
}

static void done(struct writer_task *task, const struct error *err)
{
    assert_int_equal(!err, !((struct change *)task)->fails);
}

static bool nothing(void *cls, struct db *db, struct error *err)
{
    (void)cls, (void)db, (void)err;
    return true;
}

/* A task that says which device it changes. */
static void commit(int64_t device_id, bool (*make)(struct db *db, struct error *err), bool fails)
{
    struct error err;
    struct change change = {.task = {.run = run, .done = done, .repeatable = true, .device_id = device_id},
                            .make = make,
                            .fails = fails};
    writer_add(writer, &change.task);
    assert_ok(writer_call(writer, nothing, NULL, &err), err); /* it is over then */
}

static bool change_words(struct db *db, struct error *err)
{
    static int64_t times;
    struct said said = {.device_id = DEVICE, .since_ms = ++times};
    return said_set(db, &said, err);
}

static bool change_nothing(struct db *db, struct error *err)
{
    struct said said;
    return said_of(db, DEVICE, &said, err);
}

static bool change_product(struct db *db, struct error *err)
{
    struct product product = {.name = "p", .created_ms = 1};
    static int number;
    snprintf(product.product_key, sizeof product.product_key, "product-%d", number++);
    return product_add(db, &product, err);
}

static bool add_devices(void *cls, struct db *db, struct error *err)
{
    struct product product = {.name = "p", .product_key = "first", .created_ms = 1};
    struct firmware firmware;
    (void)cls;
    if (!product_add(db, &product, err))
        return false;
    if (!firmware_ensure(db, product.id, "f", 1, &firmware, err))
        return false;
    for (int i = 0; i < 2; i++) {
        struct identity identity = {.kind = ID_IMEI};
        struct device device;
        snprintf(identity.id, sizeof identity.id, "86600000000000%d", i);
        if (!device_add(db, product.id, &identity, firmware.id, &device, err))
            return false;
        assert_int_equal(device.id, i ? OTHER : DEVICE);
    }
    return true;
}

static bool is_unchanged_within(int64_t span_ms, int64_t device_id, uint64_t commits)
{
    for (int64_t end_ms = clock_boot_ms() + span_ms; clock_boot_ms() < end_ms; usleep(200))
        if (writer_is_unchanged(writer, device_id, commits))
            return true;
    return false;
}

/* The writer looks soon after the first question. */
static bool becomes_unchanged(int64_t device_id, uint64_t commits)
{
    return is_unchanged_within(10000, device_id, commits);
}

static bool stays_changed(int64_t device_id, uint64_t commits)
{
    return !is_unchanged_within(100, device_id, commits);
}

static int start(void **state)
{
    struct error err;
    place_make(state);
    place = *state;
    assert_ok(writer_start(place->db, NULL, &writer, &err), err);
    place->db = NULL; /* the writer's */
    assert_ok(writer_call(writer, add_devices, NULL, &err), err);
    return 0;
}

static int stop(void **state)
{
    writer_stop(writer);
    return place_remove(state);
}

static void test_one_device(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    assert_true(becomes_unchanged(DEVICE, before));
    commit(DEVICE, change_words, false);
    assert_true(stays_changed(DEVICE, before));
    assert_true(becomes_unchanged(OTHER, before));
    assert_true(becomes_unchanged(DEVICE, writer_commits(writer)));
}

static void test_no_device(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    commit(WRITER_NO_DEVICE, change_words, false);
    commit(0, change_nothing, false);
    assert_true(becomes_unchanged(DEVICE, before));
}

static void test_any_device(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    commit(0, change_words, false);
    assert_true(stays_changed(DEVICE, before));
    assert_true(stays_changed(OTHER, before));
    assert_true(becomes_unchanged(OTHER, writer_commits(writer)));
}

/* The task says that it changes one device, and it changes a row that all devices share, too. */
static void test_shared_rows(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    commit(DEVICE, change_product, false);
    assert_true(stays_changed(OTHER, before));
    before = writer_commits(writer);
    commit(WRITER_NO_DEVICE, change_product, false);
    assert_true(stays_changed(OTHER, before));
}

/* Whether something was stored need not be known. */
static void test_a_failure(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    commit(DEVICE, change_words, true);
    assert_true(stays_changed(DEVICE, before));
    assert_true(becomes_unchanged(DEVICE, writer_commits(writer)));
}

static void commit_elsewhere(bool (*make)(struct db *db, struct error *err))
{
    struct db *other;
    struct error err;
    assert_ok(db_open_writer(place->file, &other, &err), err);
    assert_ok(db_begin(other, &err), err);
    assert_ok(make(other, &err), err);
    assert_ok(db_commit(other, &err), err);
    db_close(other);
}

/* The answer may hold for 5 ms more. Then it does not, without any commit of this writer. */
static void test_another_process(void **state)
{
    (void)state;
    uint64_t before = writer_commits(writer);
    assert_true(becomes_unchanged(DEVICE, before));
    commit_elsewhere(change_words);
    int64_t end_ms = clock_boot_ms() + 10000;
    while (writer_is_unchanged(writer, DEVICE, before) && clock_boot_ms() < end_ms)
        usleep(200);
    assert_true(stays_changed(DEVICE, before));
    assert_true(becomes_unchanged(DEVICE, writer_commits(writer)));
}

/* Another file may have taken its place, with other rows. */
static void test_a_file_that_is_gone(void **state)
{
    (void)state;
    uint64_t before;
    struct error err;
    struct file_watch *file_watch;
    writer_stop(writer);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    assert_ok(file_watch_open(&file_watch, &err), err);
    assert_ok(file_watch_add(file_watch, place->file, &err), err);
    db_watch(place->db, file_watch);
    assert_ok(writer_start(place->db, NULL, &writer, &err), err);
    place->db = NULL;
    assert_ok(writer_call(writer, nothing, NULL, &err), err);
    before = writer_commits(writer);
    assert_true(becomes_unchanged(DEVICE, before));
    assert_int_equal(unlink(place->file), 0);
    while (writer_is_unchanged(writer, DEVICE, before))
        usleep(200);
    assert_true(stays_changed(DEVICE, writer_commits(writer)));
    writer_stop(writer);
    writer = NULL;
    file_watch_close(file_watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_device, start, stop),
        cmocka_unit_test_setup_teardown(test_no_device, start, stop),
        cmocka_unit_test_setup_teardown(test_any_device, start, stop),
        cmocka_unit_test_setup_teardown(test_shared_rows, start, stop),
        cmocka_unit_test_setup_teardown(test_a_failure, start, stop),
        cmocka_unit_test_setup_teardown(test_another_process, start, stop),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_gone, start, stop),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
