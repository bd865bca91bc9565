/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The requests of one turn read one snapshot, and each finds what the writer had committed before. */
#include <sys/stat.h>

#include "tests/unit/storage/test-storage.h"

#include "server/db/turn_reader.h"
#include "storage/product.h"

static struct place *place;
static struct reader_pool *reader_pool;
static struct writer *writer;

static int start(void **state)
{
    struct error err;
    place_make(state);
    place = *state;
    assert_ok(reader_pool_open(place->file, &reader_pool, &err), err);
    assert_ok(writer_start(place->db, NULL, &writer, &err), err);
    place->db = NULL; /* the writer's */
    return 0;
}

static int stop(void **state)
{
    writer_stop(writer);
    reader_pool_close(reader_pool);
    return place_remove(state);
}

static bool add_product(void *cls, struct db *db, struct error *err)
{
    struct product product = {.name = "p", .created_ms = 1};
    snprintf(product.product_key, sizeof product.product_key, "%s", (const char *)cls);
    return product_add(db, &product, err);
}

static void commit_elsewhere(const char *key)
{
    struct db *other;
    struct error err;
    assert_ok(db_open_writer(place->file, &other, &err), err);
    assert_ok(db_begin(other, &err), err);
    assert_ok(add_product((void *)(uintptr_t)key, other, &err), err);
    assert_ok(db_commit(other, &err), err);
    db_close(other);
}

static struct db *take(void **turn)
{
    struct db *db;
    struct error err;
    assert_ok(turn_reader_take(turn, reader_pool, writer, &db, &err), err);
    assert_true(db_in_transaction(db));
    return db;
}

static bool is_seen(void **turn, const char *key)
{
    struct product product;
    struct error err;
    bool found;
    assert_ok(product_find(take(turn), key, &product, &found, &err), err);
    return found;
}

static void test_one_snapshot(void **state)
{
    (void)state;
    void *turn = NULL;
    assert_false(is_seen(&turn, "theirs"));
    commit_elsewhere("theirs");
    assert_false(is_seen(&turn, "theirs"));
    turn_reader_end(turn);
    turn = NULL;
    assert_true(is_seen(&turn, "theirs"));
    turn_reader_end(turn);
}

static void test_a_commit_of_the_writer_is_seen(void **state)
{
    (void)state;
    struct error err;
    void *turn = NULL;
    assert_false(is_seen(&turn, "ours"));
    assert_ok(writer_call(writer, add_product, "ours", &err), err);
    assert_true(is_seen(&turn, "ours"));
    turn_reader_end(turn);
}

static void test_an_error_has_ended_the_transaction(void **state)
{
    (void)state;
    void *turn = NULL;
    db_rollback(take(&turn));
    take(&turn);
    turn_reader_end(turn);
}

static off_t log_bytes(void)
{
    char path[300];
    struct stat info;
    snprintf(path, sizeof path, "%s-wal", place->file);
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

/* Requests come all the time, and each commit finds the snapshot of a turn. */
static void test_the_log_begins_anew(void **state)
{
    (void)state;
    struct error err;
    char key[16];
    void *turn = NULL;
    for (unsigned i = 0; i < 2000; i++) {
        take(&turn);
        turn_reader_leave(turn, writer);
        snprintf(key, sizeof key, "p%u", i);
        assert_ok(writer_call(writer, add_product, key, &err), err);
        turn_reader_end(turn);
        turn = NULL;
        take(&turn);
        turn_reader_leave(turn, writer);
    }
    turn_reader_end(turn);
    assert_true(log_bytes() > 1000 * 4096);
    assert_true(log_bytes() < 1200 * 4096);
}

static void test_the_connection_goes_back(void **state)
{
    (void)state;
    struct db *again;
    struct error err;
    void *turn = NULL;
    struct db *db = take(&turn);
    assert_ptr_equal(take(&turn), db);
    turn_reader_end(turn);
    assert_ok(reader_pool_take(reader_pool, &again, &err), err);
    assert_ptr_equal(again, db);
    assert_false(db_in_transaction(again));
    reader_pool_give(reader_pool, again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_one_snapshot),
        TEST(test_a_commit_of_the_writer_is_seen),
        TEST(test_an_error_has_ended_the_transaction),
        TEST(test_the_connection_goes_back),
        TEST(test_the_log_begins_anew),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("turn-reader", tests, NULL, NULL);
}
