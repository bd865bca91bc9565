/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Transcripts as they are kept; and that their migration keeps what was there. */

#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/link.h"
#include "storage/product.h"
#include "storage/transcript.h"
#include "tests/unit/storage/test-storage-old.h"

#define BEFORE "004-transcript"

static struct device add_device(struct db *db)
{
    struct identity identity;
    struct product product;
    struct firmware firmware;
    struct device device;
    struct error err;
    bool found;
    if (!product_find(db, "pumps", &product, &found, &err) || !found) {
        product = (struct product){.product_key = "pumps", .name = "Pumps", .created_ms = 1};
        assert_ok(product_add(db, &product, &err), err);
        assert_ok(firmware_ensure(db, product.id, "AirM2M_780E_LTE_AT", 1, &firmware, &err), err);
    }
    assert_ok(firmware_find(db, product.id, "AirM2M_780E_LTE_AT", &firmware, &found, &err), err);
    static unsigned number = 0;
    char imei[20];
    snprintf(imei, sizeof imei, "8665970712%05u", number++);
    assert_true(identity_normalise(ID_IMEI, slice_of(imei), &identity));
    assert_ok(device_add(db, product.id, &identity, firmware.id, &device, &err), err);
    return device;
}

static struct transcript_row add(struct db *db, int64_t device_id, const char *text, size_t len)
{
    struct transcript_row row = {.device_id = device_id, .source = TRANSCRIPT_OF_HOST, .received_ms = 5};
    struct error err;
    sha256_of(text, len, &row.sha256);
    assert_ok(transcript_add(db, &row, (struct slice){text, len}, &err), err);
    return row;
}

static void test_bytes_come_back(void **state)
{
    static const char text[] = "ATI\r\n\0\xff\xfe nothing of it is UTF-8 \x80\r\n";
    struct db *db = ((struct place *)*state)->db;
    struct device device = add_device(db);
    struct transcript_row row = {.device_id = device.id,
                                 .source = TRANSCRIPT_OF_ADMIN,
                                 .received_ms = 5,
                                 .captured_ms = 4,
                                 .seen_ms = 3,
                                 .counted = 1};
    struct transcript_row again;
    struct slice bytes;
    struct error err;
    bool found;
    strcpy(row.firmware, "AirM2M_780E_LTE_AT");
    strcpy(row.version, "1147");
    sha256_of(text, sizeof text, &row.sha256);
    assert_ok(transcript_add(db, &row, (struct slice){text, sizeof text}, &err), err);
    assert_ok(transcript_find(db, device.id, &row.sha256, &again, &found, &err), err);
    assert_true(found);
    assert_int_equal(again.id, row.id);
    assert_ok(transcript_get(db, device.id, row.id, &again, &err), err);
    assert_string_equal(again.version, "1147");
    assert_int_equal(again.captured_ms + again.seen_ms + again.counted, 8);
    assert_int_equal(again.size_bytes, sizeof text);
    assert_ok(transcript_text(db, row.id, &bytes, &err), err);
    assert_int_equal(bytes.len, sizeof text);
    assert_memory_equal(bytes.ptr, text, sizeof text);
    free((char *)bytes.ptr);

    struct device other = add_device(db);
    assert_false(transcript_get(db, other.id, row.id, &again, &err)); /* of another device */
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_ok(transcript_find(db, other.id, &row.sha256, &again, &found, &err), err);
    assert_false(found);
}

static void test_same_bytes_once(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct device device = add_device(db), other = add_device(db);
    struct transcript_row row = add(db, device.id, "RDY\r\n", 5);
    struct error err;
    assert_false(transcript_add(db, &row, (struct slice){"RDY\r\n", 5}, &err));
    add(db, other.id, "RDY\r\n", 5);
}

static void test_oldest_are_forgotten_with_what_they_said(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct device device = add_device(db), other = add_device(db);
    struct attempt attempt = {.device_id = device.id, .firmware_id = device.firmware_id, .created_ms = 1};
    struct transcript_row *list;
    struct evidence *evidence;
    struct error err;
    size_t count;
    char *text = calloc(1, TRANSCRIPT_MAX_BYTES);
    assert_non_null(text);
    add(db, other.id, "RDY\r\n", 5);
    strcpy(attempt.from, "1138");
    strcpy(attempt.to, "1147");
    strcpy(attempt.target, "1147");
    attempt.state = ATTEMPT_DELIVERED;
    assert_ok(attempt_add(db, &attempt, &err), err);
    for (int i = 0; i < 6; i++) {
        text[0] = (char)('a' + i);
        struct transcript_row row = add(db, device.id, text, TRANSCRIPT_MAX_BYTES);
        struct evidence said = {attempt.id, row.id, 0, OUTCOME_FAILED, CAUSE_NETWORK, ""};
        snprintf(said.words, sizeof said.words, "words %d", i);
        assert_ok(evidence_add(db, &said, &err), err);
    }
    free(text);
    assert_ok(transcript_list(db, device.id, &list, &count, &err), err);
    assert_int_equal(count, TRANSCRIPTS_MAX_BYTES / TRANSCRIPT_MAX_BYTES);
    assert_true(list[0].id > list[1].id);
    assert_ok(evidence_list(db, device.id, &evidence, &count, &err), err);
    assert_int_equal(count, TRANSCRIPTS_MAX_BYTES / TRANSCRIPT_MAX_BYTES);
    assert_string_equal(evidence[0].words, "words 2");
    assert_int_equal(evidence[count - 1].transcript_id, list[0].id);
    free(list);
    free(evidence);
    assert_ok(transcript_list(db, other.id, &list, &count, &err), err);
    assert_int_equal(count, 1);
    free(list);
}

static void test_so_many_are_kept(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct device device = add_device(db);
    struct transcript_row *list;
    struct error err;
    size_t count;
    int64_t last = 0;
    for (int i = 0; i < TRANSCRIPTS_MAX + 3; i++) {
        char text[16];
        last = add(db, device.id, text, (size_t)snprintf(text, sizeof text, "%d\n", i)).id;
    }
    assert_ok(transcript_list(db, device.id, &list, &count, &err), err);
    assert_int_equal(count, TRANSCRIPTS_MAX);
    assert_int_equal(list[0].id, last);
    free(list);
}

/* A database as it was before a migration, with a product and a firmware. */
static void make_before(const char *file, const char *name)
{
    sqlite3 *handle = old_make(file, name);
    old_run(
        handle,
        "INSERT INTO product VALUES (1, 'pumps', 'Pumps', 1);"
        "INSERT INTO firmware (id, product_id, name, max_package_bytes, created_ms) VALUES (1, 1, 'pump', 1, "
        "1);");
    sqlite3_close(handle);
}

/* … and a device with a row of each table that points to devices. */
static void make_old(const char *file)
{
    sqlite3 *handle;
    make_before(file, BEFORE);
    assert_int_equal(sqlite3_open(file, &handle), SQLITE_OK);
    old_run(
        handle,
        "INSERT INTO device (id, product_id, id_kind, device, firmware_id, confirmed_version, confirmed_ms, "
        "confirmed_by, confirmed_authenticated, notice) "
        "VALUES (7, 1, 'uid', 'x', 1, '1138', 99, 'host-report', 1, 'look'), (8, 1, 'uid', 'y', 1, NULL, "
        "NULL, NULL, "
        "NULL, NULL);"
        "INSERT INTO link (id, token, device_id, firmware_id, created_ms) VALUES (1, 't', 7, 1, 1);"
        "INSERT INTO begun (device_id, begun_ms) VALUES (7, 5);"
        "INSERT INTO attempt (id, device_id, firmware_id, from_version, to_version, target_version, state, "
        "reason, "
        "created_ms) VALUES (1, 7, 1, '1', '2', '2', 'waiting', '', 1)");
    sqlite3_close(handle);
}

static void test_migration_keeps_devices(void **state)
{
    struct place *place = *state;
    struct device device;
    struct error err;
    bool found;
    db_close(place->db);
    place->db = NULL;
    strcat(place->file, "-old");
    make_old(place->file);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    assert_ok(device_by_id(place->db, 7, &device, &found, &err), err);
    assert_true(found);
    assert_string_equal(device.confirmed_version, "1138");
    assert_int_equal(device.confirmed_by, REPORTED_BY_HOST);
    assert_int_equal(device.confirmed_ms, 99);
    assert_int_equal(device.confirmed_grade, GRADE_HOST);
    assert_true(device_is_authenticated(&device));
    assert_string_equal(device.notice, "look");
    for (unsigned by = 0; by < reported_by_names.count; by++) {
        device.confirmed_by = (enum reported_by)by;
        assert_ok(device_update(place->db, &device, &err), err);
    }
    assert_ok(device_by_id(place->db, 8, &device, &found, &err), err);
    assert_int_equal(device.confirmed_by, REPORTED_BY_NONE);
    struct attempt attempt;
    assert_ok(attempt_open_of(place->db, 7, false, &attempt, &found, &err), err);
    assert_true(found);
}

/* Each confirmation gets the grade that its recorded source proves. */
static void test_migration_grades(void **state)
{
    static const struct {
        int64_t id;
        const char *by, *transcript;
        bool handed_out;
        const char *grade;
    } cases[] = {
        {11, "check-in", NULL, false, "unauthenticated"},
        {12, "host-report", NULL, false, "host-report"},
        {13, "host-report", NULL, true, "unauthenticated"}, /* the report may have come over that link */
        {14, "list", NULL, true, "admin"},
        {15, "transcript", "admin", false, "admin"},
        {16, "transcript", "host", false, "host-report"},
        {17, "transcript", "host", true, "unauthenticated"},
        {18, NULL, NULL, false, ""},
    };
    struct place *place = *state;
    struct device device;
    struct link link;
    struct error err;
    sqlite3 *handle;
    bool found;
    db_close(place->db);
    place->db = NULL;
    strcat(place->file, "-old");
    make_before(place->file, "011-evidence");
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[900];
        long long id = cases[i].id;
        snprintf(
            sql, sizeof sql,
            "INSERT INTO device (id, product_id, id_kind, device, firmware_id, confirmed_version, confirmed_ms, "
            "confirmed_by) VALUES (%lld, 1, 'uid', 'm%lld', 1, %s, 9, %s%s%s);"
            "INSERT INTO link (id, token, device_id, firmware_id, created_ms) VALUES (%lld, 'l%lld', %lld, 1, 1);",
            id, id, cases[i].by ? "'1138'" : "NULL", cases[i].by ? "'" : "",
            cases[i].by ? cases[i].by : "NULL", cases[i].by ? "'" : "", id, id, id);
        old_run(handle, sql);
        if (cases[i].handed_out) {
            snprintf(sql, sizeof sql, "INSERT INTO turnkey_link VALUES (%lld, 1, %lld)", id, id);
            old_run(handle, sql);
        }
        if (!cases[i].transcript)
            continue;
        snprintf(sql, sizeof sql,
                 "INSERT INTO transcript (device_id, sha256, source, received_ms, counted, size_bytes, text) "
                 "VALUES (%lld, x'01', '%s', 9, 1, 1, x'00')",
                 id, cases[i].transcript);
        old_run(handle, sql);
    }
    sqlite3_close(handle);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char token[24];
        snprintf(token, sizeof token, "l%lld", (long long)cases[i].id);
        assert_ok(device_by_id(place->db, cases[i].id, &device, &found, &err), err);
        assert_string_equal(grade_name(device.confirmed_grade), cases[i].grade);
        assert_ok(link_find(place->db, token, &link, &found, &err), err);
        assert_int_equal(link.handed_out, cases[i].handed_out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_come_back, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_same_bytes_once, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_oldest_are_forgotten_with_what_they_said, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_so_many_are_kept, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_migration_grades, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_migration_keeps_devices, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage transcript", tests, NULL, NULL);
}
