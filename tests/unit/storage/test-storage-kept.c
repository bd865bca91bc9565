/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Rows that are kept in memory are those of the database: after changes over this connection, after changes over another
   one, after rollbacks, and inside of a transaction that is not committed yet. */
#include <sqlite3.h>

#include "storage/sqlite.h"
#include "tests/unit/storage/test-storage-scene.h"

#define ROUNDS 3000

struct model { /* what the database must say */
    char name[2][PRODUCT_NAME_SIZE];
    int64_t limit;
};

struct kept_test {
    struct db *db;
    sqlite3 *other;
    struct scene scene;
    struct product product[2];
    struct model model;
};

static unsigned seed = 1;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 12) % below;
}

static void run(sqlite3 *handle, const char *format, ...)
{
    va_list arguments;
    char *why = NULL;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (sqlite3_exec(handle, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_free(sql);
}

static void check(struct kept_test *test)
{
    struct error err;
    struct firmware firmware;
    bool found;
    for (unsigned i = 0; i < 2; i++) {
        struct product product;
        assert_ok(product_find(test->db, test->product[i].product_key, &product, &found, &err), err);
        assert_string_equal(product.name, test->model.name[i]);
    }
    assert_ok(firmware_by_id(test->db, test->scene.firmware.id, &firmware, &found, &err), err);
    assert_int_equal(firmware.max_package_bytes, test->model.limit);
    assert_string_equal(firmware.target, test->scene.firmware.target);
}

static void change(struct kept_test *test)
{
    struct error err;
    unsigned i = any(2), number = any(1000);
    struct product *product = &test->product[i];
    if (any(2)) {
        snprintf(product->name, sizeof product->name, "name %u", number);
        assert_ok(product_update(test->db, product, &err), err);
        memcpy(test->model.name[i], product->name, sizeof test->model.name[i]);
    } else {
        test->scene.firmware.max_package_bytes = test->model.limit = 1000 + number;
        assert_ok(firmware_update(test->db, &test->scene.firmware, &err), err);
    }
}

static void change_over_other(struct kept_test *test)
{
    unsigned i = any(2), number = any(1000);
    if (any(2)) {
        snprintf(test->model.name[i], sizeof test->model.name[i], "other %u", number);
        run(test->other, "UPDATE product SET name = %Q WHERE id = %lld", test->model.name[i],
            (long long)test->product[i].id);
    } else {
        test->model.limit = 5000 + number;
        run(test->other, "UPDATE firmware SET max_package_bytes = %lld WHERE id = %lld",
            (long long)test->model.limit, (long long)test->scene.firmware.id);
    }
}

static void run_task(struct kept_test *test)
{
    struct model before = test->model;
    struct error err;
    assert_ok(db_savepoint(test->db, &err), err);
    check(test);
    if (any(3) == 0)
        change(test);
    check(test);
    if (any(3)) {
        assert_ok(db_release(test->db, &err), err);
    } else {
        db_rollback_savepoint(test->db);
        test->model = before;
    }
    check(test);
}

static void run_transaction(struct kept_test *test)
{
    struct model before = test->model;
    struct error err;
    assert_ok(db_begin(test->db, &err), err);
    for (unsigned tasks = 1 + any(4); tasks; tasks--)
        run_task(test);
    if (any(4)) {
        assert_ok(db_commit(test->db, &err), err);
    } else {
        db_rollback(test->db);
        test->model = before;
    }
}

static void test_kept_rows_are_those_of_the_database(void **state)
{
    struct place *place = *state;
    struct kept_test test = {.db = place->db};
    struct error err;
    set_scene(place->db, &test.scene);
    test.product[0] = test.scene.product;
    test.product[1] = (struct product){.product_key = "second", .name = "second", .created_ms = 1};
    assert_ok(product_add(place->db, &test.product[1], &err), err);
    for (unsigned i = 0; i < 2; i++)
        memcpy(test.model.name[i], test.product[i].name, sizeof test.model.name[i]);
    test.model.limit = test.scene.firmware.max_package_bytes;
    assert_int_equal(sqlite3_open(place->file, &test.other), SQLITE_OK);
    for (unsigned i = 0; i < ROUNDS; i++) {
        run_transaction(&test);
        if (any(3) == 0)
            change_over_other(&test);
    }
    assert_true(kept_hits(place->db) > ROUNDS); /* else the test says nothing */
    sqlite3_close(test.other);
}

/* A reader keeps rows too, and sees what the writer commits. */
static void test_a_reader_sees_each_commit(void **state)
{
    struct place *place = *state;
    struct product product = {.product_key = "meter", .name = "", .created_ms = 1}, seen;
    struct error err;
    struct db *reader;
    bool found;
    assert_ok(product_add(place->db, &product, &err), err);
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(product.name, sizeof product.name, "name %u", i / 10);
        if (i % 10 == 0)
            assert_ok(product_update(place->db, &product, &err), err);
        assert_ok(db_begin_read(reader, &err), err);
        assert_ok(product_find(reader, "meter", &seen, &found, &err), err);
        assert_string_equal(seen.name, product.name);
        db_rollback(reader);
    }
    assert_int_equal(kept_hits(reader), 90);
    db_close(reader);
}

/* A reader that was refused to write keeps rows as before. */
static void test_a_reader_that_may_not_write(void **state)
{
    struct place *place = *state;
    struct product product = {.product_key = "meter", .name = "a", .created_ms = 1};
    struct error err;
    struct db *reader;
    bool found;
    assert_ok(product_add(place->db, &product, &err), err);
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    for (unsigned i = 0; i < 10; i++) {
        assert_ok(db_begin_read(reader, &err), err);
        assert_ok(product_find(reader, "meter", &product, &found, &err), err);
        assert_false(product_update(reader, &product, &err));
        db_rollback(reader);
    }
    assert_int_equal(kept_hits(reader), 9);
    db_close(reader);
}

/* A task changes a row. In the next one SQLite rolls back by itself, as after some errors. */
static void change_and_lose(struct place *place, struct product *product)
{
    struct product seen;
    struct error err;
    bool found;
    *product = (struct product){.product_key = "meter", .name = "old", .created_ms = 1};
    assert_ok(product_add(place->db, product, &err), err);
    assert_ok(db_begin(place->db, &err) && db_savepoint(place->db, &err), err);
    strcpy(product->name, "new");
    assert_ok(product_update(place->db, product, &err), err);
    assert_ok(product_find(place->db, "meter", &seen, &found, &err), err);
    assert_string_equal(seen.name, "new");
    assert_ok(db_release(place->db, &err) && db_savepoint(place->db, &err), err);
    assert_int_equal(sqlite3_exec(place->db->handle, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

static void test_a_rollback_by_sqlite_itself(void **state)
{
    struct place *place = *state;
    struct product product;
    struct error err;
    bool found;
    change_and_lose(place, &product);
    assert_false(db_release(place->db, &err)); /* whoever ignored the error is told here */
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_ok(db_begin(place->db, &err), err);
    assert_ok(product_find(place->db, "meter", &product, &found, &err), err);
    assert_string_equal(product.name, "old");
    db_rollback(place->db);
}

/* Nothing that a task writes after that is stored. */
static void test_no_write_after_a_rollback_by_sqlite_itself(void **state)
{
    struct place *place = *state;
    struct product product;
    struct error err;
    bool found;
    change_and_lose(place, &product);
    assert_false(product_update(place->db, &product, &err));
    assert_false(db_in_transaction(place->db));
    db_rollback(place->db);
    assert_ok(product_find(place->db, "meter", &product, &found, &err), err);
    assert_string_equal(product.name, "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_kept_rows_are_those_of_the_database), TEST(test_a_reader_sees_each_commit),
        TEST(test_a_reader_that_may_not_write), TEST(test_a_rollback_by_sqlite_itself),
        TEST(test_no_write_after_a_rollback_by_sqlite_itself)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
