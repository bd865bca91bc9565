/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Every statement of every entity can be prepared, and uses an index unless it is known to read a whole
   table. */
#include <sqlite3.h>

#include "tests/unit/storage/test-storage.h"

/* Only statements that list or count a table for the admin read all of it. */
static const char *const may_scan[] = {
    "SELECT sha256 FROM package_outdated", /* once, at start */
    "SELECT sha256 FROM admin_token",
    "SELECT count(*) FROM product",
    "SELECT count(*) FROM device",
    "DELETE FROM outbox WHERE webhook_id IN", /* at most 16 webhooks, when a product is deleted */
    "DELETE FROM webhook WHERE product_id",
    "SELECT count(*) FROM quarantine", /* hops out of service: few */
    "SELECT count(*) FILTER",
    "SELECT p.format, count(*)",
    "SELECT id FROM firmware WHERE format",              /* once, at start */
    "SELECT id FROM package WHERE state = 'generating'", /* once, at start */
    "SELECT id, product_key, name, unknown_devices, created_ms, check_ins_trusted_ms FROM product ORDER BY id",
    "SELECT id, product, kind, firmware, text, code, count", /* at most a thousand rows */
    "DELETE FROM unknown",
    "SELECT count(*) FROM webhook", /* at most 16 rows */
    "SELECT id FROM webhook WHERE enabled",
    "SELECT id, product_id, created_ms, created_by, name, url, secret",
};

/* Partial indexes that have only rows that are looked for. */
static const char *const may_walk[] = {"USING INDEX package_queued",     "USING INDEX attempt_sending",
                                       "USING INDEX attempt_open",       "USING INDEX device_conflict",
                                       "USING INDEX device_said_shared", "USING INDEX package_made"};

static bool is_allowed(const char *sql, const char *detail)
{
    for (size_t i = 0; i < sizeof may_walk / sizeof *may_walk; i++)
        if (strstr(detail, may_walk[i]))
            return true;
    for (size_t i = 0; i < sizeof may_scan / sizeof *may_scan; i++)
        if (strncmp(sql, may_scan[i], strlen(may_scan[i])) == 0)
            return true;
    return false;
}

static void assert_no_scan(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *plan;
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_prepare_v2(handle, explain, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(detail, "SCAN", 4) == 0 && !strstr(detail, "CONSTANT ROW") && !is_allowed(sql, detail))
            fail_msg("reads a whole table: %s\n  %s", sql, detail);
    }
    sqlite3_finalize(plan);
    sqlite3_free(explain);
}

static void test_no_statement_scans(void **state)
{
    struct place *place = *state;
    sqlite3 *handle;
    unsigned seen = 0;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    for (unsigned t = 0; t < db_table_count; t++) {
        assert_int_equal(db_tables[t]->number, t);
        for (unsigned s = 0; s < db_tables[t]->count; s++, seen++) {
            assert_non_null(db_tables[t]->sql[s]);
            assert_no_scan(handle, db_tables[t]->sql[s]);
        }
    }
    assert_true(seen > 40);
    sqlite3_close(handle);
}

static void test_parameters_are_numbered_in_order_of_appearance(void **state)
{
    (void)state;
    for (unsigned t = 0; t < db_table_count; t++)
        for (unsigned s = 0; s < db_tables[t]->count; s++) {
            unsigned long highest = 0;
            for (const char *at = db_tables[t]->sql[s]; (at = strchr(at, '$'));) {
                unsigned long number = strtoul(++at, NULL, 10);
                if (number > highest + 1)
                    fail_msg("$%lu comes before $%lu: %s", number, highest + 1, db_tables[t]->sql[s]);
                if (number > highest)
                    highest = number;
            }
        }
}

static void test_reader_cannot_write(void **state)
{
    struct place *place = *state;
    const struct db_query query = {db_tables[0], 0, PARAMS(P_TEXT("x"), P_INT(1)), NO_FIELDS};
    struct db *reader;
    struct error err;
    assert_ok(db_open_reader(place->file, &reader, &err), err);
    assert_false(db_begin(reader, &err) && db_do(reader, &query, NULL, &err));
    db_close(reader);
}

static void test_newer_schema_is_refused(void **state)
{
    struct place *place = *state;
    struct db *db;
    struct error err;
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(handle, "INSERT INTO migration VALUES (9999, 'later', 1)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    assert_false(db_open_writer(place->file, &db, &err));
    assert_non_null(strstr(err.text, "newer dfotad"));
}

static void test_damaged_file_is_refused(void **state)
{
    struct place *place = *state;
    struct db *db;
    struct error err;
    db_close(place->db);
    place->db = NULL;
    FILE *file = fopen(place->file, "r+");
    assert_non_null(file);
    for (long page = 1; page < 6; page++) {
        fseek(file, page * 4096, SEEK_SET);
        for (int i = 0; i < 4096; i++)
            fputc(0x5A, file);
    }
    fclose(file);
    assert_false(db_open_writer(place->file, &db, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_statement_scans, place_make, place_remove),
        cmocka_unit_test(test_parameters_are_numbered_in_order_of_appearance),
        cmocka_unit_test_setup_teardown(test_reader_cannot_write, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_newer_schema_is_refused, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_damaged_file_is_refused, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
