/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The key file, sealed texts, and the database of an older server that has secrets as they are. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "storage/link.h"
#include "storage/seal.h"
#include "storage/webhook.h"
#include "tests/unit/storage/test-storage-old.h"

#define SECRET "correct-horse-battery-staple"
#define TOKEN  "abcdefghijklmnopqrstuvwxyz"
#define URL    "https://robot.example/hook/0123456789"

static const char *const left[] = {"dfota.db", "dfota.db-wal", "dfota.db-shm", SEAL_FILE};
static const struct slice secret = {SECRET, sizeof SECRET - 1};

static void in_place(const struct place *place, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", place->directory, name);
}

static void test_the_key_is_made_once_and_only_for_its_owner(void **state)
{
    struct place *place = *state;
    char path[128], before[SEAL_MAC_SIZE], after[SEAL_MAC_SIZE];
    struct seal *seal;
    struct stat info;
    struct error err;
    in_place(place, SEAL_FILE, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, 65);
    assert_ok(seal_open(place->file, &seal, &err), err);
    seal_check_value(seal, before);
    seal_free(seal);
    db_close(place->db);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    assert_ok(seal_open(place->file, &seal, &err), err);
    seal_check_value(seal, after);
    seal_free(seal);
    assert_string_equal(before, after);
}

static void test_a_sealed_text_opens_with_its_key_only(void **state)
{
    struct place *place = *state;
    struct seal *ours, *other;
    struct error err;
    uint8_t one[sizeof SECRET + SEAL_EXTRA], two[sizeof one];
    const struct slice sealed = {(const char *)one, secret.len + SEAL_EXTRA};
    char text[sizeof SECRET], mac[SEAL_MAC_SIZE], again[SEAL_MAC_SIZE], folder[128];
    assert_ok(seal_open(place->file, &ours, &err), err);
    in_place(place, "other", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    in_place(place, "other/dfota.db", folder);
    assert_ok(seal_make(folder, &other, &err), err);
    assert_ok(seal_close(ours, secret, one, &err), err);
    assert_ok(seal_close(ours, secret, two, &err), err);
    assert_memory_not_equal(one, two, sealed.len);
    assert_ok(seal_break(ours, sealed, text, sizeof text, &err), err);
    assert_string_equal(text, SECRET);
    assert_false(seal_break(other, sealed, text, sizeof text, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_string_equal(text, "");
    assert_false(seal_break(ours, sealed, text, sizeof text - 1, &err));
    assert_false(seal_break(ours, (struct slice){sealed.ptr, SEAL_EXTRA - 1}, text, sizeof text, &err));
    for (size_t at = 0; at < sealed.len; at++) {
        one[at] ^= 1;
        assert_false(seal_break(ours, sealed, text, sizeof text, &err));
        one[at] ^= 1;
    }
    seal_mac(ours, secret, mac);
    seal_mac(ours, secret, again);
    assert_string_equal(mac, again);
    seal_mac(other, secret, again);
    assert_string_not_equal(mac, again);
    seal_free(ours);
    seal_free(other);
}

/* Runs SQL beside the driver. */
static void run_sql(const struct place *place, const char *sql)
{
    sqlite3 *handle;
    char *error = NULL;
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
    sqlite3_close(handle);
}

static bool has_bytes(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    static char bytes[4 << 20];
    size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    return len && memmem(bytes, len, text, strlen(text));
}

static bool is_anywhere(const struct place *place, const char *text)
{
    char log[128];
    in_place(place, "dfota.db-wal", log);
    return has_bytes(place->file, text) || has_bytes(log, text);
}

/* What a server of before stored, opened by this one. */
static void make_older(struct place *place)
{
    struct error err;
    db_close(place->db);
    place->db = NULL;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char path[128];
        in_place(place, left[i], path);
        unlink(path);
    }
    sqlite3_close(old_make(place->file, "033-seal"));
    run_sql(
        place,
        "INSERT INTO admin_token (sha256, created_ms, name) VALUES (zeroblob(32), 1, 'admin');"
        "INSERT INTO product (id, product_key, name, created_ms) VALUES (1, 'p', 'p', 1);"
        "INSERT INTO firmware (id, product_id, name, max_package_bytes, created_ms) VALUES (1, 1, 'f', 1, 1);"
        "INSERT INTO device (id, product_id, id_kind, device, firmware_id) VALUES (7, 1, 'imei', '1', 1);"
        "INSERT INTO link (id, token, device_id, firmware_id, created_ms) VALUES (3, '" TOKEN
        "', 7, 1, 1);"
        "INSERT INTO webhook (id, name, url, secret, kinds, created_ms, created_by) VALUES "
        "(1, 'robot', '" URL "', '" SECRET
        "', '', 1, 'x'), (2, 'unsigned', 'http://b', NULL, '', 1, 'x');"
        "INSERT INTO outbox (webhook_id, event_id, kind, order_key, facts, since_ms) "
        "VALUES (1, 'e', 'test', 'k', '{\"url\":\"/d/" TOKEN "\"}', 1)");
    assert_true(is_anywhere(place, TOKEN) && is_anywhere(place, SECRET));
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
}

static void test_secrets_of_an_older_server_are_sealed_at_the_next_start(void **state)
{
    struct place *place = *state;
    struct webhook webhook;
    struct link link;
    struct error err;
    bool found;
    make_older(place);
    assert_false(is_anywhere(place, TOKEN));
    assert_false(is_anywhere(place, SECRET));
    assert_false(is_anywhere(place, URL));
    assert_ok(link_find(place->db, TOKEN, &link, &found, &err), err);
    assert_true(found && link.id == 3);
    assert_string_equal(link.token, TOKEN);
    assert_ok(webhook_get(place->db, 1, &webhook, &err), err);
    assert_string_equal(webhook.url, URL);
    assert_string_equal(webhook.secret, SECRET);
    assert_ok(webhook_get(place->db, 2, &webhook, &err), err);
    assert_string_equal(webhook.secret, "");
}

/* The migration is one transaction. What follows it, the cleaning of the file, is repeated by the next start. */
static void test_a_start_that_was_cut_off_cleans_the_file_later(void **state)
{
    struct place *place = *state;
    struct error err;
    make_older(place);
    db_close(place->db);
    place->db = NULL;
    run_sql(place,
            "PRAGMA secure_delete=OFF; CREATE TABLE spare (text TEXT); INSERT INTO spare VALUES ('" SECRET
            "'); DROP TABLE spare;"
            "UPDATE secret_key SET cleaned = 0");
    assert_true(is_anywhere(place, SECRET));
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    assert_false(is_anywhere(place, SECRET));
}

static void test_a_missing_or_wrong_key_is_refused(void **state)
{
    struct place *place = *state;
    char path[128], kept[128];
    struct seal *seal;
    struct db *db;
    struct error err;
    in_place(place, SEAL_FILE, path);
    in_place(place, "kept", kept);
    db_close(place->db);
    place->db = NULL;
    assert_int_equal(rename(path, kept), 0);
    assert_false(db_open_writer(place->file, &db, &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.text, SEAL_FILE " beside the database is missing"));
    assert_int_equal(access(path, F_OK), -1);
    assert_ok(seal_make(place->file, &seal, &err), err);
    seal_free(seal);
    assert_false(db_open_writer(place->file, &db, &err));
    assert_non_null(strstr(err.text, "does not belong to this database"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("no key\n", file);
    fclose(file);
    assert_false(db_open_writer(place->file, &db, &err));
    assert_non_null(strstr(err.text, "is not a key of dfotad"));
    assert_int_equal(rename(kept, path), 0);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_key_is_made_once_and_only_for_its_owner, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_a_sealed_text_opens_with_its_key_only, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_secrets_of_an_older_server_are_sealed_at_the_next_start,
                                        place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_start_that_was_cut_off_cleans_the_file_later, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_a_missing_or_wrong_key_is_refused, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
