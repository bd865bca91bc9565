/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Every statement of every entity can be prepared, and uses an index unless it is known to read a whole
   table. */
#include <sqlite3.h>

#include "tests/unit/storage/test-storage.h"

/* Statements that read all of a table. None of these tables grows with the number of devices, attempts or rows
   of the ledger. */
static const char *const may_scan[] = {
    "SELECT sha256 FROM package_outdated",     /* once, at start */
    "SELECT name, scope, product_key, sha256", /* tokens of the admin API: few */
    "SELECT count(*) FROM admin_token",
    "SELECT sha256, max(size_bytes), min(what)", /* once for each backup */
    "SELECT sha256, token_sha256",               /* at most 256 sessions, once, at start */
    "SELECT count(*) FROM product",
    "DELETE FROM outbox WHERE webhook_id IN", /* at most 16 webhooks, when a product is deleted */
    "DELETE FROM webhook WHERE product_id",
    "SELECT count(*) FROM quarantine", /* hops out of service: few */
    "SELECT coalesce(sum(g.devices)",  /* firmwares */
    "SELECT id FROM firmware ORDER BY id",
    "SELECT p.product_key, f.name, coalesce(a.version, ''), coalesce(a.variant", /* hops out of service: few */
    "SELECT count(*) FILTER",
    "SELECT p.format, count(*)",
    "SELECT id FROM firmware WHERE format",              /* once, at start */
    "SELECT id FROM package WHERE state = 'generating'", /* once, at start */
    "SELECT id, product_key, name, unknown_devices, device_secret, created_ms, check_ins_trusted_ms FROM product ORDER BY id",
    "SELECT id, product, kind, firmware, text, code, count", /* at most a thousand rows */
    "DELETE FROM unknown",
    "SELECT count(*) FROM webhook", /* at most 16 rows */
    "SELECT id FROM webhook WHERE enabled",
    "SELECT id, product_id, created_ms, created_by, name, url_sealed, secret_sealed",
    "SELECT result, made_ms, ended_ms", /* at most three rows */
    /* Once a day, on a connection for reading. */
    "SELECT (SELECT count(*) FROM image), (SELECT count(*) FROM package), (SELECT count(*) FROM device)",
    "SELECT device_id FROM attempt WHERE device_id > $1 GROUP BY",
    "SELECT c.id FROM campaign c WHERE c.plain = 1",
    "DELETE FROM admission WHERE day",           /* a row for each product and day */
    "SELECT sha256, since_ms FROM blob_unknown", /* at most 10,000 rows */
    "SELECT page_count * page_size",
    /* For /metrics, at most once in 5 seconds: groups of devices, and at most 10000 rows of the outbox. */
    "SELECT coalesce(sum(devices), 0) FROM fleet_group",
    "SELECT state, sum(devices) FROM fleet_group",
    "SELECT p.product_key, f.name, g.confirmed_version, sum(g.devices)",
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox",
};

/* Partial indexes that have only rows that are looked for, and subqueries of one page. */
static const char *const may_walk[] = {"USING INDEX package_queued",
                                       "USING INDEX attempt_sending",
                                       "USING INDEX attempt_open",
                                       "USING INDEX package_made",
                                       "USING INDEX device_conflict",
                                       "USING INDEX device_stale_link",
                                       "USING COVERING INDEX device_stale_link",
                                       "USING INDEX campaign_live",
                                       "SCAN v", /* versions with several builds */
                                       "SCAN (subquery"};

/* Tables that grow with the fleet, and columns that many of their rows share. An index range that only such
   columns bound is as long as the fleet. */
static const char *const fleet_tables[] = {
    "device",  "attempt",      "ledger", "link",   "fleet_member", "transcript", "evidence",
    "turnkey", "check_in_day", "begun",  "budget", "device_said",  "awaited",    "guard_closed",
};
static const char *const broad_columns[] = {
    "product_id", "firmware_id", "target_version", "to_version", "from_version", "state",    "marks",
    "kind",       "product",     "at_ms",          "group_id",   "day",          "since_ms", "id",
    "seq",        "rowid",       "beside"};

/* Statements that read such a range without a LIMIT, and why they may. */
static const struct {
    const char *sql, *reason;
} may_range[] = {
    {"UPDATE link SET created_ms", "an admin trusts the check-ins of a product"},
    {"SELECT (SELECT coalesce(sum(devices), 0) FROM fleet_group", "an admin deletes an image"},
    {"SELECT id, device_id, firmware_id, from_version, created_ms", "transfers that run, at start"},
    {"SELECT count(*) FROM ledger WHERE at_ms >= $1", "at most the rows of one hour"},
    {"DELETE FROM budget", "once a day"},
    {"SELECT count(*) FROM device WHERE claim_version", "devices with a claim"},
    {"SELECT runs, is_out, devices FROM", "devices that are held out"},
    {"SELECT (SELECT count(*) FROM image WHERE firmware_id = $1), (SELECT count(*) FROM device",
     "an admin deletes a firmware"},
    {"SELECT d.confirmed_version, d.build_sha256, count(*) FROM",
     "the effect of a target with several builds"},
    {"SELECT v.version", "the overview, for versions with several builds and no default"},
    {"SELECT d.build_sha256, count(*) FROM fleet_member", "outcomes of a version with several builds"},
    {"SELECT count(*) FROM device WHERE product_id", "an admin deletes a product"},
    {"SELECT seq, package, detail FROM ledger WHERE kind", "the evidence of a campaign, one at a time"},
    {"SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM ledger", "the evidence of a campaign"},
};

static bool begins_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(text, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

static bool is_allowed(const char *sql, const char *detail)
{
    for (size_t i = 0; i < sizeof may_walk / sizeof *may_walk; i++)
        if (strstr(detail, may_walk[i]))
            return true;
    return begins_one_of(sql, may_scan, sizeof may_scan / sizeof *may_scan);
}

static bool is_of_fleet(sqlite3 *handle, const char *index, size_t len)
{
    sqlite3_stmt *find;
    bool found = false;
    assert_int_equal(
        sqlite3_prepare_v2(handle, "SELECT tbl_name FROM sqlite_master WHERE name = ?", -1, &find, NULL),
        SQLITE_OK);
    sqlite3_bind_text(find, 1, index, (int)len, SQLITE_STATIC);
    if (sqlite3_step(find) == SQLITE_ROW)
        for (size_t i = 0; i < sizeof fleet_tables / sizeof *fleet_tables; i++)
            found |= strcmp((const char *)sqlite3_column_text(find, 0), fleet_tables[i]) == 0;
    sqlite3_finalize(find);
    return found;
}

/* "(firmware_id=? AND id>?)" */
static bool are_broad(const char *columns)
{
    while (*columns == '(' || *columns == ' ') {
        columns++;
        /* When a device was last seen: many at one time, or all since. */
        if (strncmp(columns, "<expr>", 6) == 0)
            columns += 5;
        size_t len = strcspn(columns, "=<>");
        bool broad = len == 0;
        for (size_t i = 0; i < sizeof broad_columns / sizeof *broad_columns; i++)
            broad |= strlen(broad_columns[i]) == len && strncmp(columns, broad_columns[i], len) == 0;
        /* A row id that is equal to something is one row. */
        if (!broad ||
            (columns[len] == '=' && (strncmp(columns, "id=", 3) == 0 || strncmp(columns, "seq=", 4) == 0 ||
                                     strncmp(columns, "rowid=", 6) == 0)))
            return false;
        columns = strstr(columns, " AND ") ? strstr(columns, " AND ") + 4 : "";
    }
    return true;
}

static bool is_long_range(sqlite3 *handle, const char *detail)
{
    const char *index = strstr(detail, " INDEX "), *columns = strchr(detail, '(');
    if (strncmp(detail, "SEARCH", 6) != 0 || !index || !columns)
        return false;
    index += strlen(" INDEX ");
    return is_of_fleet(handle, index, strcspn(index, " ")) && are_broad(columns);
}

static bool may_read_range(const char *sql)
{
    for (size_t i = 0; i < sizeof may_range / sizeof *may_range; i++)
        if (strncmp(sql, may_range[i].sql, strlen(may_range[i].sql)) == 0)
            return true;
    /* A LIMIT does not help when no row matches: a statement about one device reads the rows of this device. */
    return strstr(sql, "LIMIT") && !strstr(sql, "a.device_id = $1");
}

static void assert_no_scan(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *plan;
    bool reads_long = false;
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(sqlite3_prepare_v2(handle, explain, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(detail, "SCAN", 4) == 0 && !strstr(detail, "CONSTANT ROW") && !is_allowed(sql, detail))
            fail_msg("reads a whole table: %s\n  %s", sql, detail);
        reads_long |= is_long_range(handle, detail);
        if (reads_long && strstr(sql, "LIMIT") && strcmp(detail, "USE TEMP B-TREE FOR ORDER BY") == 0)
            fail_msg("sorts a range as long as the fleet: %s", sql);
        if (is_long_range(handle, detail) && !may_read_range(sql))
            fail_msg("reads a range as long as the fleet: %s\n  %s", sql, detail);
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

static unsigned count_opcode(sqlite3 *handle, const char *sql, const char *opcode)
{
    sqlite3_stmt *program;
    unsigned count = 0;
    char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
    assert_int_equal(sqlite3_prepare_v2(handle, explain, -1, &program, NULL), SQLITE_OK);
    while (sqlite3_step(program) == SQLITE_ROW)
        count += strcmp((const char *)sqlite3_column_text(program, 1), opcode) == 0;
    sqlite3_finalize(program);
    sqlite3_free(explain);
    return count;
}

/* A device or an attempt is stored by two statements: one for the columns of indexes, which runs only when one of these
   differs, and one for the other columns. */
static void test_plain_columns_are_in_no_index(void **state)
{
    struct place *place = *state;
    static const char *const plain[] = {"UPDATE device SET confirmed_version = ",
                                        "UPDATE attempt SET campaign_id = "};
    sqlite3 *handle;
    unsigned seen = 0;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    for (unsigned t = 0; t < db_table_count; t++)
        for (unsigned s = 0; s < db_tables[t]->count; s++)
            for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
                if (strncmp(db_tables[t]->sql[s], plain[i], strlen(plain[i])) != 0)
                    continue;
                bool counts = strstr(db_tables[t]->sql[s], "last_seen_ms = "); /* in device_by_last_seen */
                assert_int_equal(count_opcode(handle, db_tables[t]->sql[s], "OpenWrite"), counts ? 2 : 1);
                assert_int_equal(count_opcode(handle, db_tables[t]->sql[s], "FkIfZero"), 0);
                seen++;
            }
    assert_int_equal(seen, 3);
    sqlite3_close(handle);
}

/* A condition with IN and more than two constants makes a table in memory each time the statement runs. CHECK conditions and
   those of indexes count too. */
static void test_a_check_in_makes_no_table_in_memory(void **state)
{
    struct place *place = *state;
    static const char *const every_time[] = {
        "INSERT INTO device ",
        "UPDATE device SET ",
        "INSERT INTO attempt ",
        "UPDATE attempt SET to_version",
        "INSERT INTO budget ",
        "UPDATE budget SET ",
        "INSERT INTO ledger ",
        "INSERT INTO fleet_",
        "UPDATE fleet_",
        "INSERT INTO device_said ",
        "INSERT INTO campaign_device (",
        "SELECT id, product_id, id_kind, device, last_seen_ms, check_ins",
        "SELECT id, device_id, firmware_id, from_version",
    };
    sqlite3 *handle;
    unsigned seen = 0;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    for (unsigned t = 0; t < db_table_count; t++)
        for (unsigned s = 0; s < db_tables[t]->count; s++)
            if (begins_one_of(db_tables[t]->sql[s], every_time, sizeof every_time / sizeof *every_time)) {
                unsigned tables = count_opcode(handle, db_tables[t]->sql[s], "OpenEphemeral");
                if (tables && !strstr(db_tables[t]->sql[s], " SELECT $1, device_id, rank"))
                    fail_msg("%u tables in memory: %s", tables, db_tables[t]->sql[s]);
                seen++;
            }
    assert_true(seen > 25);
    sqlite3_close(handle);
}

/* Migration 043 writes these conditions in another way. They still hold. */
static void test_conditions_of_columns(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *sql;
        int result;
    } tries[] = {
        {"INSERT INTO product (id, product_key, name, created_ms) VALUES (1, 'p', 'p', 1)", SQLITE_OK},
        {"INSERT INTO firmware (id, product_id, name, max_package_bytes, created_ms) VALUES (1, 1, 'f', 1, 1)",
         SQLITE_OK},
        {"INSERT INTO device (product_id, id_kind, device, firmware_id) VALUES (1, 'uid', 'x', 1)",
         SQLITE_OK},
        {"INSERT INTO device (product_id, id_kind, device, firmware_id) VALUES (1, 'imsi', 'x', 1)",
         SQLITE_CONSTRAINT},
        {"UPDATE device SET confirmed_by = 'list'", SQLITE_OK},
        {"UPDATE device SET confirmed_by = NULL", SQLITE_OK},
        {"UPDATE device SET confirmed_by = 'guess'", SQLITE_CONSTRAINT},
        {"INSERT INTO budget (subject, subject_id, day, facts) VALUES ('link', 1, 1, 1)", SQLITE_OK},
        {"INSERT INTO budget (subject, subject_id, day, facts) VALUES ('token', 1, 1, 1)", SQLITE_CONSTRAINT},
    };
    char schema[64];
    sqlite3 *handle;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (sqlite3_exec(handle, tries[i].sql, NULL, NULL, NULL) != tries[i].result)
            fail_msg("%s: %s", tries[i].sql, sqlite3_errmsg(handle));
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    snprintf(schema, sizeof schema, "%s", (const char *)sqlite3_column_text(statement, 0));
    assert_string_equal(schema, "ok");
    sqlite3_finalize(statement);
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

/* Another branch of the development has as many migrations, but others. */
static void test_other_schema_is_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *change, *says;
    } cases[] = {
        {"UPDATE migration SET name = '021-branch' WHERE number = 21",
         "its migration 21 is 021-branch, here"},
        {"UPDATE migration SET name = '003-other' WHERE number = 3",
         "its migration 3 is 003-other, here it is "
         "003-ledger; install the version"},
        {"DELETE FROM migration WHERE number = 2", "its migration 2 is nothing, here it is 002-packages"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct db *db;
        struct error err;
        sqlite3 *handle;
        assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
        assert_int_equal(sqlite3_exec(handle, cases[i].change, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(handle);
        assert_false(db_open_writer(place->file, &db, &err));
        assert_int_equal(err.code, ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.text, cases[i].says));
    }
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
        cmocka_unit_test_setup_teardown(test_plain_columns_are_in_no_index, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_check_in_makes_no_table_in_memory, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_conditions_of_columns, place_make, place_remove),
        cmocka_unit_test(test_parameters_are_numbered_in_order_of_appearance),
        cmocka_unit_test_setup_teardown(test_reader_cannot_write, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_newer_schema_is_refused, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_other_schema_is_refused, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_damaged_file_is_refused, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
