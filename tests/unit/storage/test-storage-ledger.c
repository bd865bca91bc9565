/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The ledger: its chain, what a check of it finds, what removing old rows leaves. */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include "storage/ledger.h"
#include "tests/unit/storage/test-storage.h"

#define SECOND 1000

static void append(struct db *db, int64_t at_ms, const char *kind, const char *device)
{
    struct error err;
    struct ledger_row row = {.at_ms = at_ms, .product = "pumps", .detail = "{}"};
    snprintf(row.kind, sizeof row.kind, "%s", kind);
    snprintf(row.device, sizeof row.device, "%s", device);
    assert_ok(ledger_add(db, &row, &err), err);
}

static void append_many(struct db *db, int count)
{
    for (int i = 1; i <= count; i++)
        append(db, i * SECOND, i % 2 ? "check-in" : "target-set", i % 3 ? "" : "imei:866597071234567");
}

static void seal(struct db *db, const struct ledger_removed *removed)
{
    struct error err;
    char hex[SHA256_HEX_SIZE];
    struct ledger_row row = {.at_ms = 99 * SECOND, .kind = CHAIN_CHECKPOINT};
    sha256_hex(&removed->hash, hex);
    snprintf(row.detail, sizeof row.detail, "{\"count\":%" PRId64 ",\"hash\":\"%s\",\"last\":%" PRId64 "}",
             removed->count, hex, removed->last);
    assert_ok(ledger_add(db, &row, &err), err);
}

/* Reads all rows as the check does, two at a time. False, with err: something is wrong. */
static bool verify(struct db *db, const struct chain_head *against, struct chain_check *ret,
                   struct error *err)
{
    struct ledger_filter filter = {.after = 0};
    size_t count;
    memset(ret, 0, sizeof *ret);
    if (against) {
        ret->compares = true;
        ret->against = *against;
    }
    do {
        struct ledger_row *rows;
        assert_ok(ledger_list(db, &filter, 2, &rows, &count, NULL, err), *err);
        for (size_t i = 0; i < count; i++) {
            struct chain_row row = ledger_chain_row(&rows[i]);
            filter.after = row.seq;
            if (!chain_check_row(ret, &row, err)) {
                free(rows);
                return false;
            }
        }
        free(rows);
    } while (count);
    return chain_check_end(ret, err);
}

static void assert_whole(struct db *db, int64_t count)
{
    struct chain_check check;
    struct error err;
    assert_ok(verify(db, NULL, &check, &err), err);
    assert_int_equal(check.count, count);
}

static void assert_found(struct db *db, const struct chain_head *against, const char *what)
{
    struct chain_check check;
    struct error err;
    assert_false(verify(db, against, &check, &err));
    if (!strstr(err.text, what))
        fail_msg("'%s' does not say '%s'", err.text, what);
}

static void spoil(struct place *place, const char *statement)
{
    sqlite3 *handle;
    char *why = NULL;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, statement, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", statement, why);
    sqlite3_close(handle);
}

/* The worked example of doc/ledger.md, for people who write a verifier. */
static void test_the_bytes_that_are_hashed(void **state)
{
    (void)state;
    struct chain_row row = {.seq = 1,
                            .at_ms = 1795370263000,
                            .kind = "target-set",
                            .product = "pumps",
                            .firmware = "村泵",
                            .device = "",
                            .package = "",
                            .detail = "{\"version\":\"1162\"}"};
    static const char bytes[] =
        "14:dfota ledger 1,1:1,13:1795370263000,10:target-set,5:pumps,6:村泵,0:,1:0,0:,"
        "18:{\"version\":\"1162\"},"
        "64:0000000000000000000000000000000000000000000000000000000000000000,";
    struct sha256 expected, hash;
    sha256_of(bytes, sizeof bytes - 1, &expected);
    chain_hash(&row, &hash);
    assert_true(sha256_equal(&hash, &expected));
}

static void test_every_field_counts(void **state)
{
    (void)state;
    const struct chain_row row = {1, 2, "k", "p", "f", "d", 3, "s", "{}", {{0}}, {{0}}};
    struct chain_row other[10];
    struct sha256 hash, changed;
    for (unsigned i = 0; i < 10; i++)
        other[i] = row;
    other[0].seq = 2;
    other[1].at_ms = 3;
    other[2].kind = "l";
    other[3].product = "pf";
    other[3].firmware = ""; /* the same letters, split differently */
    other[4].firmware = "g";
    other[5].device = "e";
    other[6].attempt = 4;
    other[7].package = "t";
    other[8].detail = "{ }";
    other[9].prev.byte[31] = 1;
    chain_hash(&row, &hash);
    for (unsigned i = 0; i < 10; i++) {
        chain_hash(&other[i], &changed);
        assert_false(sha256_equal(&hash, &changed));
    }
}

static void test_a_chain_is_whole(void **state)
{
    struct place *place = *state;
    struct ledger_row head;
    struct chain_check check;
    struct error err;
    assert_whole(place->db, 0);
    assert_ok(ledger_head(place->db, &head, &err), err);
    assert_int_equal(head.seq, 0);
    append_many(place->db, 7);
    assert_whole(place->db, 7);
    assert_ok(ledger_head(place->db, &head, &err), err);
    struct chain_head against = {head.seq, head.hash};
    append_many(place->db, 3);
    assert_ok(verify(place->db, &against, &check, &err), err);
    assert_int_equal(check.last.seq, 10);
}

static void test_what_is_rolled_back_was_never_there(void **state)
{
    struct place *place = *state;
    struct error err;
    assert_ok(db_begin(place->db, &err), err);
    append(place->db, 1, "check-in", "");
    assert_ok(db_savepoint(place->db, &err), err);
    append(place->db, 2, "check-in", "");
    db_rollback_savepoint(place->db);
    append(place->db, 3, "check-in", "");
    assert_ok(db_commit(place->db, &err), err);
    assert_ok(db_begin(place->db, &err), err);
    append(place->db, 4, "check-in", "");
    db_rollback(place->db);
    append(place->db, 5, "check-in", "");
    assert_whole(place->db, 3);
}

static void test_damage_is_found(void **state)
{
    static const struct {
        const char *statement, *says;
    } cases[] = {
        {"UPDATE ledger SET at_ms = at_ms + 1 WHERE seq = 4", "row 4 was changed"},
        {"UPDATE ledger SET detail = '{ }' WHERE seq = 1", "row 1 was changed"},
        {"UPDATE ledger SET device = 'imei:866597071234568' WHERE seq = 3", "row 3 was changed"},
        {"UPDATE ledger SET hash = randomblob(32) WHERE seq = 9", "row 9 was changed"},
        {"UPDATE ledger SET prev = randomblob(32) WHERE seq = 9", "row 9 was changed"},
        {"DELETE FROM ledger WHERE seq = 5", "row 5 is missing"},
        {"DELETE FROM ledger WHERE seq IN (5, 6)", "rows 5 to 6 are missing"},
        {"DELETE FROM ledger WHERE seq < 3", "rows 1 to 2 are missing"},
        {"UPDATE ledger SET seq = seq + 100 WHERE seq IN (4, 5);"
         "UPDATE ledger SET seq = CASE seq WHEN 104 THEN 5 ELSE 4 END WHERE seq > 100",
         "row 4 was changed"},
        {"DELETE FROM ledger WHERE seq > 7; UPDATE ledger SET seq = 8 WHERE seq = 7", "row 7 is missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *made = NULL;
        place_make(&made);
        struct place *place = made;
        append_many(place->db, 9);
        assert_whole(place->db, 9);
        spoil(place, cases[i].statement);
        assert_found(place->db, NULL, cases[i].says);
        place_remove(&made);
    }
}

static void test_a_cut_end_is_found_by_a_head(void **state)
{
    struct place *place = *state;
    struct ledger_row head;
    struct error err;
    append_many(place->db, 5);
    assert_ok(ledger_head(place->db, &head, &err), err);
    struct chain_head against = {head.seq, head.hash};
    spoil(place, "DELETE FROM ledger WHERE seq > 3");
    assert_whole(place->db, 3); /* the rows alone do not show it */
    assert_found(place->db, &against, "the end is missing");
    append_many(place->db, 4);
    assert_whole(place->db, 7);
    assert_found(place->db, &against, "computed again");
}

static void test_old_rows_are_removed_under_a_checkpoint(void **state)
{
    struct place *place = *state;
    struct ledger_removed removed;
    struct ledger_row head;
    struct chain_check check;
    struct error err;
    append_many(place->db, 9);
    append(place->db, 2 * SECOND, "check-in", ""); /* the clock had been set back */
    append(place->db, 11 * SECOND, "check-in", "");
    assert_ok(ledger_head(place->db, &head, &err), err);
    struct chain_head against = {4, {{0}}};
    assert_ok(ledger_remove(place->db, 5 * SECOND, 1000 * SECOND, 3, &removed, &err), err);
    assert_int_equal(removed.count, 3);
    seal(place->db, &removed);
    assert_whole(place->db, 9);
    assert_ok(ledger_remove(place->db, 5 * SECOND, 1000 * SECOND, 3, &removed, &err), err);
    assert_int_equal(removed.first, 4);
    assert_int_equal(removed.count, 1);
    seal(place->db, &removed);
    assert_whole(place->db, 9);
    assert_ok(ledger_remove(place->db, 5 * SECOND, 1000 * SECOND, 3, &removed, &err), err);
    assert_int_equal(removed.count, 0);

    assert_found(place->db, &against, "row 4, which a checkpoint removed, differs");
    assert_ok(verify(place->db, NULL, &check, &err), err);
    against.hash = check.removed.hash;
    assert_ok(verify(place->db, &against, &check, &err), err);
    against.seq = 2;
    assert_found(place->db, &against, "use a later head");

    spoil(place, "DELETE FROM ledger WHERE seq = 5");
    assert_found(place->db, NULL, "begins with row 6");
}

static void test_the_newest_row_stays(void **state)
{
    struct place *place = *state;
    struct ledger_removed removed;
    struct error err;
    assert_ok(ledger_remove(place->db, INT64_MAX, 1000 * SECOND, 100, &removed, &err), err);
    assert_int_equal(removed.count, 0);
    append_many(place->db, 4);
    assert_ok(ledger_remove(place->db, INT64_MAX, 1000 * SECOND, 100, &removed, &err), err);
    assert_int_equal(removed.count, 3);
    seal(place->db, &removed);
    assert_whole(place->db, 2);
}

static void assert_listed(struct db *db, struct ledger_filter filter, int64_t limit, const char *expected)
{
    struct ledger_row *rows;
    struct error err;
    size_t count;
    char seen[200] = "";
    assert_ok(ledger_list(db, &filter, limit, &rows, &count, NULL, &err), err);
    for (size_t i = 0; i < count; i++)
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%" PRId64, i ? " " : "", rows[i].seq);
    free(rows);
    assert_string_equal(seen, expected);
}

static void test_the_list_is_filtered(void **state)
{
    struct place *place = *state;
    append_many(place->db, 12);
    assert_listed(place->db, (struct ledger_filter){.after = 3}, 4, "4 5 6 7");
    assert_listed(place->db, (struct ledger_filter){.kind = "target-set"}, 3, "2 4 6");
    assert_listed(place->db, (struct ledger_filter){.device = "imei:866597071234567"}, 9, "3 6 9 12");
    assert_listed(place->db, (struct ledger_filter){.device = "imei:866597071234567", .kind = "check-in"}, 9,
                  "3 9");
    assert_listed(place->db, (struct ledger_filter){.device = "imei:866597071234567", .after = 6}, 1, "9");
    assert_listed(place->db, (struct ledger_filter){.since_ms = 4 * SECOND, .until_ms = 7 * SECOND}, 9,
                  "4 5 6");
    assert_listed(place->db, (struct ledger_filter){.since_ms = 13 * SECOND}, 9, "");
    assert_listed(place->db, (struct ledger_filter){.product = "pumps", .since_ms = 12 * SECOND}, 9, "12");
    assert_listed(place->db, (struct ledger_filter){.product = "others"}, 9, "");
    append(place->db, 5 * SECOND, "check-in", "");
    assert_listed(place->db, (struct ledger_filter){.since_ms = 11 * SECOND}, 9, "11 12");
}

#define HOUR (3600 * SECOND)

/* The list and the count agree with a count by brute force over `of`. */
static void assert_counted(struct db *db, const struct ledger_row *of, size_t of_count,
                           struct ledger_filter filter)
{
    struct ledger_row *rows;
    struct error err;
    size_t count;
    int64_t expected = 0, counted, until;
    for (size_t i = 0; i < of_count; i++)
        expected += (!filter.kind[0] || strcmp(of[i].kind, filter.kind) == 0) &&
                    (!filter.product[0] || strcmp(of[i].product, filter.product) == 0) &&
                    (!filter.device[0] || strcmp(of[i].device, filter.device) == 0) &&
                    of[i].at_ms >= filter.since_ms && (!filter.until_ms || of[i].at_ms < filter.until_ms);
    assert_ok(ledger_count(db, &filter, &counted, &err), err);
    assert_ok(ledger_list(db, &filter, 1000, &rows, &count, &until, &err), err);
    free(rows);
    if (counted != expected || (int64_t)count != expected || until != INT64_MAX)
        fail_msg("%s/%s/%s from %" PRId64 " until %" PRId64 ": counted %" PRId64 ", listed %zu of %" PRId64,
                 filter.product, filter.kind, filter.device, filter.since_ms, filter.until_ms, counted, count,
                 expected);
}

static const char *const some_kinds[] = {"", "check-in", "target-set", "other"};
static const char *const some_products[] = {"", "pumps", "lamps"};
static const char *const some_devices[] = {"", "imei:866597071234567"};

static void append_any(struct db *db, unsigned random, int64_t at_ms)
{
    struct ledger_row row = {.at_ms = at_ms, .detail = "{}"};
    struct error err;
    strcpy(row.kind, some_kinds[1 + (random >> 16) % 2]);
    strcpy(row.product, some_products[(random >> 20) % 3]);
    strcpy(row.device, some_devices[(random >> 24) % 2]);
    assert_ok(ledger_add(db, &row, &err), err);
}

static void assert_all_counted(struct db *db, const struct ledger_row *rows, size_t count)
{
    const int64_t times[] = {
        0, 9 * HOUR, 13 * HOUR, 13 * HOUR + 5 * SECOND, 13 * HOUR + 9 * SECOND, 17 * HOUR + 1, 99 * HOUR};
    for (size_t i = 0; i < 4 * 3 * 2 * 7 * 7; i++) {
        struct ledger_filter filter = {.since_ms = times[i / 24 % 7], .until_ms = times[i / 168]};
        strcpy(filter.kind, some_kinds[i % 4]);
        strcpy(filter.product, some_products[i / 4 % 3]);
        strcpy(filter.device, some_devices[i / 12 % 2]);
        assert_counted(db, rows, count, filter);
    }
}

/* The clock goes back and forth, and old rows are removed: the counts by hour still agree with the rows. */
static void test_counts_agree_with_the_rows(void **state)
{
    struct place *place = *state;
    struct ledger_filter all = {.after = 0};
    struct ledger_removed removed;
    struct ledger_row *rows;
    struct error err;
    size_t count;
    unsigned random = 7;
    for (int i = 0; i < 400; i++) {
        random = random * 1103515245u + 12345u;
        append_any(place->db, random, HOUR * (10 + i / 40) + (int64_t)(random >> 8) % (3 * HOUR) - HOUR);
        if (i == 300)
            assert_ok(ledger_remove(place->db, 14 * HOUR, 99 * HOUR, 1000, &removed, &err), err);
    }
    assert_true(removed.count > 20);
    assert_ok(ledger_list(place->db, &all, 1000, &rows, &count, NULL, &err), err);
    assert_all_counted(place->db, rows, count);
    free(rows);
}

/* Rows in memory, as an attacker who knows the rules would make them. */
static struct chain_row forge(int64_t seq, const char *kind, const char *detail, const struct sha256 *prev)
{
    struct chain_row row = {.seq = seq,
                            .kind = kind,
                            .product = "",
                            .firmware = "",
                            .device = "",
                            .package = "",
                            .detail = detail,
                            .prev = *prev};
    chain_hash(&row, &row.hash);
    return row;
}

static void test_a_row_that_was_replaced_with_its_hash_is_found(void **state)
{
    (void)state;
    struct chain_check check = {.compares = false};
    struct error err;
    const struct sha256 none = {{0}};
    struct chain_row one = forge(1, "a", "{}", &none), other = forge(1, "b", "{}", &none);
    struct chain_row two = forge(2, "a", "{}", &one.hash);
    assert_true(chain_check_row(&check, &other, &err));
    assert_false(chain_check_row(&check, &two, &err));
    assert_non_null(strstr(err.text, "row 2 does not follow row 1"));
}

static void test_a_beginning_must_be_the_one_that_the_checkpoint_left(void **state)
{
    (void)state;
    const struct sha256 none = {{0}}, real = {{1}}, false_one = {{2}};
    char hex[SHA256_HEX_SIZE], detail[160];
    struct error err;
    sha256_hex(&real, hex);
    snprintf(detail, sizeof detail, "{\"count\":4,\"hash\":\"%s\",\"last\":4}", hex);
    for (int is_false = 0; is_false < 2; is_false++) {
        struct chain_check check = {.compares = false};
        struct chain_row first = forge(5, "a", "{}", is_false ? &false_one : &real);
        struct chain_row seal = forge(6, CHAIN_CHECKPOINT, detail, &first.hash);
        assert_true(chain_check_row(&check, &first, &err) && chain_check_row(&check, &seal, &err));
        assert_int_equal(chain_check_end(&check, &err), !is_false);
    }
    assert_non_null(strstr(err.text, "its checkpoint removed the rows up to 4"));

    struct chain_check check = {.compares = false};
    struct chain_row bad = forge(1, CHAIN_CHECKPOINT, "{\"hash\":1}", &none);
    assert_false(chain_check_row(&check, &bad, &err));
    assert_non_null(strstr(err.text, "a checkpoint that cannot be read"));

    check = (struct chain_check){.compares = false};
    bad = forge(1, "a", "{}", &real);
    assert_true(chain_check_row(&check, &bad, &err));
    assert_false(chain_check_end(&check, &err));
    assert_non_null(strstr(err.text, "row 1 is not the beginning of a chain"));
}

static void test_an_exported_head_is_read(void **state)
{
    (void)state;
    static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct chain_head head;
    char text[200];
    snprintf(text, sizeof text, "{\n  \"at\": 5,\n  \"hash\": \"%s\",\n  \"seq\": 12\n}\n", hex);
    assert_true(chain_head_read(text, &head));
    assert_int_equal(head.seq, 12);
    assert_int_equal(head.hash.byte[31], 0xff);
    snprintf(text, sizeof text, "{\"seq\":12,\"hash\":\"%.62s\"}", hex);
    assert_false(chain_head_read(text, &head));
    snprintf(text, sizeof text, "{\"seq\":\"12\",\"hash\":\"%s\"}", hex);
    assert_false(chain_head_read(text, &head));
    snprintf(text, sizeof text, "{\"note\":\"\\\"seq\\\":12\",\"hash\":\"%s\"}", hex);
    assert_false(chain_head_read(text, &head));
    assert_false(chain_head_read("", &head));
}

static void test_kinds_fit_their_column(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEDGER_KIND_COUNT; i++) {
        const char *name = ledger_kind_name((enum ledger_kind)i);
        assert_true(strlen(name) < LEDGER_KIND_SIZE);
        assert_true(ledger_kind_is_known(name));
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(name, ledger_kind_name((enum ledger_kind)other));
    }
    assert_false(ledger_kind_is_known("checkin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes_that_are_hashed),
        cmocka_unit_test(test_every_field_counts),
        cmocka_unit_test_setup_teardown(test_a_chain_is_whole, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_what_is_rolled_back_was_never_there, place_make, place_remove),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test_setup_teardown(test_a_cut_end_is_found_by_a_head, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_old_rows_are_removed_under_a_checkpoint, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_the_newest_row_stays, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_the_list_is_filtered, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_counts_agree_with_the_rows, place_make, place_remove),
        cmocka_unit_test(test_a_row_that_was_replaced_with_its_hash_is_found),
        cmocka_unit_test(test_a_beginning_must_be_the_one_that_the_checkpoint_left),
        cmocka_unit_test(test_an_exported_head_is_read),
        cmocka_unit_test(test_kinds_fit_their_column),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
