/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The write-ahead log of a server that was killed: damage is told from what a power cut leaves. */
#include <sqlite3.h>

#include "storage/product.h"
#include "storage/wal.h"
#include "tests/unit/storage/test-storage.h"

struct bytes_of {
    unsigned char *bytes;
    size_t size;
};

static struct bytes_of load(const char *path)
{
    struct bytes_of file = {NULL, 0};
    FILE *open = fopen(path, "r");
    assert_non_null(open);
    assert_int_equal(fseek(open, 0, SEEK_END), 0);
    file.size = (size_t)ftell(open);
    rewind(open);
    file.bytes = malloc(file.size + 1);
    assert_non_null(file.bytes);
    assert_int_equal(fread(file.bytes, 1, file.size, open), file.size);
    fclose(open);
    return file;
}

static void store(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *open = fopen(path, "w");
    assert_non_null(open);
    assert_int_equal(fwrite(bytes, 1, size, open), size);
    assert_int_equal(fclose(open), 0);
}

/* What a killed server leaves: copies of its files, made while they are open. */
struct killed {
    struct place *place;
    char path[300], wal_path[310], shm_path[310];
    struct bytes_of wal, shm;
};

static void copy(const struct place *place, const char *ending, const char *to)
{
    char from[310];
    snprintf(from, sizeof from, "%s%s", place->file, ending);
    struct bytes_of file = load(from);
    store(to, file.bytes, file.size);
    free(file.bytes);
}

static void add_products(struct place *place, unsigned count)
{
    struct error err;
    for (unsigned i = 0; i < count; i++) {
        struct product product = {.created_ms = 1};
        snprintf(product.product_key, sizeof product.product_key, "p%u", i);
        snprintf(product.name, sizeof product.name, "product %u", i);
        assert_ok(db_begin(place->db, &err) && product_add(place->db, &product, &err) &&
                      db_commit(place->db, &err),
                  err);
    }
}

static void kill_server(struct place *place, struct killed *ret)
{
    ret->place = place;
    snprintf(ret->path, sizeof ret->path, "%s/killed.db", place->directory);
    snprintf(ret->wal_path, sizeof ret->wal_path, "%s-wal", ret->path);
    snprintf(ret->shm_path, sizeof ret->shm_path, "%s-shm", ret->path);
    copy(place, "", ret->path);
    copy(place, "-wal", ret->wal_path);
    copy(place, "-shm", ret->shm_path);
    ret->wal = load(ret->wal_path);
    ret->shm = load(ret->shm_path);
    assert_true(ret->wal.size > 10000);
}

static void end_killed(struct killed *killed)
{
    free(killed->wal.bytes);
    free(killed->shm.bytes);
}

static void assert_whole(const struct killed *killed)
{
    struct error err;
    assert_ok(wal_check(killed->path, &err), err);
}

static void assert_damaged(const struct killed *killed)
{
    struct error err;
    assert_false(wal_check(killed->path, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
}

static void test_what_a_kill_leaves_is_whole(void **state)
{
    struct killed killed;
    struct db *db;
    struct product product;
    struct error err;
    bool found;
    assert_true(wal_check("/nowhere/at-all.db", &err));
    add_products(*state, 20);
    kill_server(*state, &killed);
    assert_whole(&killed);
    /* A transaction that was not committed, half of it written. */
    unsigned char *longer = calloc(1, killed.wal.size + 6000);
    memcpy(longer, killed.wal.bytes, killed.wal.size);
    memcpy(longer + killed.wal.size, killed.wal.bytes + 32, 6000);
    store(killed.wal_path, longer, killed.wal.size + 6000);
    free(longer);
    assert_whole(&killed);
    /* After a power cut the file beside the log may be of any age, or missing. */
    store(killed.shm_path, killed.shm.bytes, 0);
    assert_whole(&killed);
    memset(killed.shm.bytes, 0x5A, killed.shm.size);
    store(killed.shm_path, killed.shm.bytes, killed.shm.size);
    assert_whole(&killed);
    assert_ok(db_open_writer(killed.path, &db, &err), err);
    assert_ok(product_find(db, "p19", &product, &found, &err), err);
    assert_true(found);
    db_close(db);
    end_killed(&killed);
}

static void test_each_flipped_bit_is_found(void **state)
{
    struct killed killed;
    struct db *db;
    struct error err;
    add_products(*state, 10);
    kill_server(*state, &killed);
    for (size_t at = 0; at < killed.wal.size; at += at < 4200 ? 1 : 97) {
        killed.wal.bytes[at] ^= (unsigned char)(1 << at % 8);
        store(killed.wal_path, killed.wal.bytes, killed.wal.size);
        assert_damaged(&killed);
        killed.wal.bytes[at] ^= (unsigned char)(1 << at % 8);
    }
    killed.wal.bytes[killed.wal.size - 1] ^= 1; /* in the last commit */
    store(killed.wal_path, killed.wal.bytes, killed.wal.size);
    assert_false(db_open_writer(killed.path, &db, &err));
    assert_non_null(strstr(err.text, killed.path));
    assert_non_null(strstr(err.text, "backup"));
    struct bytes_of still = load(killed.wal_path);
    assert_int_equal(still.size, killed.wal.size);
    assert_memory_equal(still.bytes, killed.wal.bytes, still.size);
    free(still.bytes);
    end_killed(&killed);
}

static void test_each_cut_is_found(void **state)
{
    struct killed killed;
    add_products(*state, 10);
    kill_server(*state, &killed);
    for (size_t size = 0; size < killed.wal.size; size += 173) {
        store(killed.wal_path, killed.wal.bytes, size);
        assert_damaged(&killed);
    }
    assert_int_equal(remove(killed.wal_path), 0);
    assert_damaged(&killed);
    end_killed(&killed);
}

static void test_a_log_that_was_begun_anew_is_whole(void **state)
{
    struct killed before, after;
    add_products(*state, 10);
    kill_server(*state, &before);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(((struct place *)*state)->file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(RESTART)", NULL, NULL, NULL), SQLITE_OK);
    kill_server(*state, &after); /* all frames are moved, the next commit begins the log anew */
    assert_whole(&after);
    assert_int_equal(
        sqlite3_exec(
            other, "INSERT INTO product (id, product_key, name, created_ms) VALUES (999, 'last', 'last', 1)",
            NULL, NULL, NULL),
        SQLITE_OK);
    end_killed(&after);
    kill_server(*state, &after);
    assert_whole(&after);
    /* An older file beside the log, as a power cut may leave it. */
    store(after.shm_path, before.shm.bytes, before.shm.size);
    assert_whole(&after);
    sqlite3_close(other);
    end_killed(&before);
    end_killed(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_a_kill_leaves_is_whole, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_each_flipped_bit_is_found, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_each_cut_is_found, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_log_that_was_begun_anew_is_whole, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
