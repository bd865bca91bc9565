/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a transaction puts off: rows of the ledger and budgets are as if they had been stored at once. */
#include <string.h>

#include "base/clock.h"
#include "storage/budget.h"
#include "storage/ledger.h"
#include "tests/unit/storage/test-storage-scene.h"

static struct ledger_row row_of(const char *kind)
{
    struct ledger_row row = {.at_ms = 5, .product = "pumps", .detail = "{}"};
    snprintf(row.kind, sizeof row.kind, "%s", kind);
    return row;
}

static void append(struct db *db, const char *kind)
{
    struct error err;
    const struct ledger_row row = row_of(kind);
    assert_ok(ledger_add(db, &row, &err), err);
}

/* The kinds in the order of the ledger, and that each row has the hash of the row before. */
static void assert_kinds(struct db *db, const char *kinds)
{
    struct ledger_filter filter = {.after = 0};
    struct ledger_row *rows;
    struct chain_check check = {.count = 0};
    struct error err;
    char text[200] = "";
    size_t count;
    assert_ok(ledger_list(db, &filter, 100, &rows, &count, NULL, &err), err);
    for (size_t i = 0; i < count; i++) {
        const struct chain_row row = ledger_chain_row(&rows[i]);
        assert_ok(chain_check_row(&check, &row, &err), err);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", rows[i].kind);
    }
    free(rows);
    assert_ok(chain_check_end(&check, &err), err);
    assert_string_equal(text, kinds);
}

static int64_t count_kind(struct db *db, const char *kind)
{
    struct ledger_filter filter = {.since_ms = 0, .until_ms = 2 * HOUR_MS}; /* whole hours: ledger_hour */
    struct error err;
    int64_t count;
    snprintf(filter.kind, sizeof filter.kind, "%s", kind);
    assert_ok(ledger_count(db, &filter, &count, &err), err);
    return count;
}

static void test_rows_of_a_transaction_are_chained_in_order(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct error err;
    append(db, "a");
    assert_ok(db_begin(db, &err), err);
    append(db, "b");
    append(db, "c");
    assert_kinds(db, "a b c"); /* before the commit too */
    append(db, "b");
    assert_ok(db_commit(db, &err), err);
    assert_kinds(db, "a b c b");
    assert_int_equal(count_kind(db, "b"), 2);
    assert_int_equal(count_kind(db, "c"), 1);
    assert_ok(db_begin(db, &err), err);
    append(db, "d");
    db_rollback(db);
    assert_kinds(db, "a b c b");
}

static void test_rows_of_a_task_that_fails_are_not_stored(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct ledger_row head;
    struct error err;
    assert_ok(db_begin(db, &err), err);
    append(db, "a");
    assert_ok(db_savepoint(db, &err), err);
    append(db, "b");
    assert_ok(ledger_head(db, &head, &err), err); /* stores a and b inside of the savepoint */
    assert_string_equal(head.kind, "b");
    append(db, "c");
    db_rollback_savepoint(db);
    append(db, "d");
    assert_ok(db_commit(db, &err), err);
    assert_kinds(db, "a d");
    assert_int_equal(count_kind(db, "a"), 1);
    assert_int_equal(count_kind(db, "b"), 0);
}

static void test_a_transaction_with_many_rows(void **state)
{
    struct place *place = *state;
    struct ledger_filter filter = {.after = 0};
    struct ledger_row head;
    struct error err;
    int64_t count;
    assert_ok(db_begin(place->db, &err), err);
    for (unsigned i = 0; i < 1500; i++)
        append(place->db, "a");
    assert_ok(db_commit(place->db, &err), err);
    assert_ok(ledger_head(place->db, &head, &err), err);
    assert_int_equal(head.seq, 1500);
    assert_ok(ledger_count(place->db, &filter, &count, &err), err);
    assert_int_equal(count, 1500);
}

static struct budget load(struct db *db, int64_t day)
{
    struct budget budget, left;
    struct error err;
    assert_ok(budget_load(db, BUDGET_PRODUCT, 1, day, &budget, &left, &err), err);
    return budget;
}

static void spend(struct db *db, int64_t day)
{
    struct budget budget = load(db, day);
    struct error err;
    budget.facts++;
    assert_ok(budget_store(db, &budget, &err), err);
}

static void test_a_budget_counts_each_fact_of_a_transaction(void **state)
{
    struct place *place = *state;
    struct db *db = place->db, *reader;
    struct error err;
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    for (int64_t day = 1; day <= 2; day++) {
        for (int64_t round = 1; round <= 2; round++) {
            assert_ok(db_begin(db, &err), err);
            spend(db, day);
            assert_ok(db_savepoint(db, &err), err);
            spend(db, day);
            assert_int_equal(load(db, day).facts, 2 * round);
            db_rollback_savepoint(db);
            spend(db, day);
            assert_ok(db_commit(db, &err), err);
            assert_int_equal(load(reader, day).facts, 2 * round);
        }
    }
    db_close(reader);
}

/* A reader decides about a check-in that stores nothing. What is put off is stored. */
static void test_a_reader_cannot_put_off(void **state)
{
    struct place *place = *state;
    const struct ledger_row row = row_of("a");
    struct db *reader;
    struct error err;
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    assert_ok(db_begin_read(reader, &err), err);
    assert_false(ledger_add(reader, &row, &err));
    db_rollback(reader);
    db_close(reader);
    assert_kinds(place->db, "");
}

/* SQLite has no savepoint to go back to, so nothing of the transaction may be stored. */
static void test_a_whole_transaction_ends_when_a_task_fails(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct product product = {.product_key = "one", .name = "x", .created_ms = 1};
    struct error err;
    bool found;
    assert_ok(db_begin_whole(db, &err), err);
    assert_ok(product_add(db, &product, &err), err);
    append(db, "a");
    assert_ok(db_savepoint(db, &err), err);
    db_rollback_savepoint(db); /* has written nothing */
    assert_true(db_in_transaction(db));
    assert_ok(db_savepoint(db, &err), err);
    strcpy(product.product_key, "two");
    assert_ok(product_add(db, &product, &err), err);
    db_rollback_savepoint(db);
    assert_false(db_in_transaction(db));
    strcpy(product.product_key, "three");
    assert_false(product_add(db, &product, &err)); /* not in a transaction of its own either */
    assert_false(db_commit(db, &err));
    db_rollback(db);
    for (unsigned i = 0; i < 3; i++) {
        assert_ok(product_find(db, (const char *[]){"one", "two", "three"}[i], &product, &found, &err), err);
        assert_false(found);
    }
    assert_kinds(db, "");
    assert_ok(db_begin(db, &err), err); /* has savepoints again */
    assert_ok(db_savepoint(db, &err), err);
    assert_ok(product_add(db, &product, &err), err);
    db_rollback_savepoint(db);
    append(db, "b");
    assert_ok(db_commit(db, &err), err);
    assert_kinds(db, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_of_a_transaction_are_chained_in_order),
        TEST(test_rows_of_a_task_that_fails_are_not_stored),
        TEST(test_a_transaction_with_many_rows),
        TEST(test_a_budget_counts_each_fact_of_a_transaction),
        TEST(test_a_reader_cannot_put_off),
        TEST(test_a_whole_transaction_ends_when_a_task_fails),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
