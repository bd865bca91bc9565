/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an admin decides of a package holds for one firmware: its release, and an upload. Two firmwares of
   two products have the same two images here. And the migration gives what was decided before to the
   firmware that the ledger names. */
#include "storage/image.h"
#include "storage/package.h"
#include "storage/product.h"
#include "tests/unit/storage/test-storage-old.h"

#define BEFORE "012-release-per-firmware"

struct pair {
    struct product product[2];
    struct firmware firmware[2];
    struct image from[2], to[2];
};

static struct sha256 hash_of(const char *text)
{
    struct sha256 hash;
    sha256_of(text, strlen(text), &hash);
    return hash;
}

static struct image add_image(struct db *db, const struct pair *pair, int which, const char *version,
                              const char *bytes)
{
    struct image image = {
        .firmware_id = pair->firmware[which].id, .sha256 = hash_of(bytes), .size_bytes = 4, .uploaded_ms = 1};
    struct error err;
    bool is_new;
    strcpy(image.version, version);
    assert_ok(image_add(db, pair->product[which].id, &image, &is_new, &err), err);
    return image;
}

static void set_pair(struct db *db, struct pair *ret)
{
    struct error err;
    for (int i = 0; i < 2; i++) {
        ret->product[i] = (struct product){.created_ms = 1};
        strcpy(ret->product[i].product_key, i ? "taps" : "pumps");
        strcpy(ret->product[i].name, "x");
        assert_ok(product_add(db, &ret->product[i], &err), err);
        assert_ok(firmware_ensure(db, ret->product[i].id, "pump", 1, &ret->firmware[i], &err), err);
        ret->from[i] = add_image(db, ret, i, "1", "old");
        ret->to[i] = add_image(db, ret, i, "2", "new");
    }
}

static struct package_key key_of(const struct pair *pair, int which)
{
    return (struct package_key){.from = pair->from[which].sha256,
                                .to = pair->to[which].sha256,
                                .format = "bsdiff",
                                .firmware_id = pair->firmware[which].id};
}

static enum package_state state_of(struct place *place, const struct pair *pair, int which,
                                   struct package *ret)
{
    struct package_key key = key_of(pair, which);
    struct error err;
    bool found;
    assert_ok(package_find(place->db, &key, ret, &found, &err), err);
    return found ? package_state(ret) : PACKAGE_NONE;
}

static bool is_servable(struct place *place, const struct pair *pair, int which, const char *bytes)
{
    struct sha256 hash = hash_of(bytes);
    struct error err;
    bool servable;
    assert_ok(package_is_servable(place->db, &hash, pair->firmware[which].id, &servable, &(int64_t){0}, &err),
              err);
    return servable;
}

struct edge {
    struct package_edge row;
    int servable, count;
};

static bool take_edge(void *cls)
{
    struct edge *edge = cls;
    edge->count++;
    edge->servable += edge->row.servable;
    return true;
}

static int servable_edges(struct place *place, const struct pair *pair, int which)
{
    struct edge edge = {.count = 0};
    struct error err;
    const struct package_key key = {.format = "bsdiff", .firmware_id = pair->firmware[which].id};
    assert_ok(package_edges(place->db, &key, &edge.row, take_edge, &edge, &err), err);
    assert_int_equal(edge.count, 1); /* never both the shared package and the upload */
    return edge.servable;
}

/* An external command made the package: both firmwares share it. */
static void make(struct place *place, const struct pair *pair, const char *bytes)
{
    const struct package_made made = {
        .size_bytes = 5, .sha256 = hash_of(bytes), .origin = PACKAGE_EXTERNAL, .note = "", .log = ""};
    struct package_key key = key_of(pair, 0);
    struct package claimed;
    struct error err;
    bool found;
    assert_ok(package_queue(place->db, &key, false, 1, 3, &err), err);
    assert_ok(package_claim(place->db, false, 4, &claimed, &found, &err), err);
    assert_true(found);
    assert_ok(package_set_ready(place->db, claimed.id, &made, 8, &err), err);
}

static void test_release(void **state)
{
    struct place *place = *state;
    struct pair pair;
    struct package first, second;
    struct error err;
    set_pair(place->db, &pair);
    make(place, &pair, "unproven");
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_UNPROVEN);
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_UNPROVEN);
    assert_int_equal(first.id, second.id);
    uint64_t changes = db_changes(place->db);
    assert_ok(package_release(place->db, first.id, pair.firmware[0].id, "Jan", "why", 9, &err), err);
    assert_true(db_changes(place->db) > changes); /* plans are made again */
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_READY);
    assert_string_equal(first.released_by, "Jan");
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_UNPROVEN);
    assert_string_equal(second.released_by, "");
    assert_true(is_servable(place, &pair, 0, "unproven"));
    assert_false(is_servable(place, &pair, 1, "unproven"));
    assert_int_equal(servable_edges(place, &pair, 0), 1);
    assert_int_equal(servable_edges(place, &pair, 1), 0);
    /* Each release is taken back separately. */
    assert_ok(package_release(place->db, first.id, pair.firmware[1].id, "Ann", "too", 9, &err), err);
    assert_ok(package_take_back(place->db, first.id, pair.firmware[0].id, &err), err);
    assert_false(is_servable(place, &pair, 0, "unproven"));
    assert_true(is_servable(place, &pair, 1, "unproven"));
    /* Made again: no admin has released the new bytes. */
    struct sha256 hash = hash_of("unproven");
    assert_ok(package_make_again(place->db, &hash, 10, &err), err);
    make(place, &pair, "unproven");
    assert_false(is_servable(place, &pair, 1, "unproven"));
}

static void upload(struct place *place, const struct pair *pair, int which, const char *bytes)
{
    const struct package_made made = {
        .size_bytes = 5, .sha256 = hash_of(bytes), .proven = true, .note = "", .log = ""};
    struct package_key key = key_of(pair, which);
    struct error err;
    assert_ok(package_put_uploaded(place->db, &key, &made, "Ann", 9, &err), err);
}

static void test_upload(void **state)
{
    struct place *place = *state;
    struct pair pair;
    struct package first, second;
    struct error err;
    set_pair(place->db, &pair);
    upload(place, &pair, 0, "uploaded");
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_READY);
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_NONE);
    assert_true(is_servable(place, &pair, 0, "uploaded"));
    assert_false(is_servable(place, &pair, 1, "uploaded"));
    /* A request for the pair changes nothing for the firmware that has an upload. */
    struct package_key key = key_of(&pair, 0);
    assert_ok(package_queue(place->db, &key, false, 1, 3, &err), err);
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_NONE);
    key = key_of(&pair, 1);
    assert_ok(package_queue(place->db, &key, false, 1, 3, &err), err);
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_READY);
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_QUEUED);
    assert_int_equal(servable_edges(place, &pair, 0), 1);
    assert_int_equal(servable_edges(place, &pair, 1), 0);
    /* The upload for one firmware does not end the job of the other. After it is deleted, the shared
       package counts again. */
    upload(place, &pair, 0, "another");
    assert_int_equal(state_of(place, &pair, 1, &second), PACKAGE_QUEUED);
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_READY);
    assert_ok(package_forget(place->db, first.id, &err), err);
    assert_int_equal(state_of(place, &pair, 0, &first), PACKAGE_QUEUED);
    assert_int_equal(first.id, second.id);
}

/* A firmware that loses the image loses its uploads and releases too, although another firmware has the
   same bytes. */
static void test_image_is_deleted(void **state)
{
    struct place *place = *state;
    struct pair pair;
    struct package package;
    struct sha256 *gone;
    struct error err;
    size_t count;
    set_pair(place->db, &pair);
    make(place, &pair, "unproven");
    state_of(place, &pair, 0, &package);
    assert_ok(package_release(place->db, package.id, pair.firmware[0].id, "Jan", "why", 9, &err), err);
    assert_ok(package_release(place->db, package.id, pair.firmware[1].id, "Jan", "why", 9, &err), err);
    upload(place, &pair, 1, "uploaded");
    assert_ok(image_remove(place->db, &pair.to[1], &err), err);
    assert_ok(package_forget_image(place->db, &pair.to[1].sha256, &gone, &count, &err), err);
    assert_int_equal(count, 1);
    free(gone);
    pair.to[1] = add_image(place->db, &pair, 1, "2", "new");
    assert_false(is_servable(place, &pair, 1, "uploaded"));
    assert_false(is_servable(place, &pair, 1, "unproven"));
    assert_true(is_servable(place, &pair, 0, "unproven"));
}

/* ---- The migration ---- */

static void make_old(const char *file)
{
    sqlite3 *handle = old_make(file, BEFORE);
    /* Both products have the images 01 and 02; only the second has 03 too. */
    old_run(
        handle,
        "INSERT INTO product (id, product_key, name, created_ms) VALUES (1, 'pumps', 'x', 1), (2, 'taps', 'x', 1);"
        "INSERT INTO firmware (id, product_id, name, max_package_bytes, created_ms) VALUES (1, 1, 'pump', 9, 1), (2, 2, 'pump', 9, 1);"
        "INSERT INTO image (firmware_id, version, sha256, size_bytes, uploaded_ms) VALUES "
        "(1, '1', x'01', 1, 1), (1, '2', x'02', 1, 1), (2, '1', x'01', 1, 1), (2, '2', x'02', 1, 1), (2, '3', x'03', 1, 1);"
        "INSERT INTO package (id, from_sha256, to_sha256, format, state, size_bytes, sha256, origin, uploaded_by, proven, "
        "released_ms, released_by, released_note, queued_ms) VALUES "
        "(1, x'01', x'02', 'bsdiff', 'ready', 5, x'aa', 'external', NULL, 0, 7, 'Jan', 'known', 1),"
        "(2, x'01', x'02', 'raw', 'ready', 5, x'bb', 'external', NULL, 0, 7, 'Jan', 'not known', 1),"
        "(3, x'02', x'01', 'bsdiff', 'ready', 5, x'cc', 'uploaded', 'Ann', 1, NULL, NULL, NULL, 1),"
        "(4, x'01', x'03', 'bsdiff', 'ready', 5, x'dd', 'uploaded', 'Ann', 1, NULL, NULL, NULL, 1),"
        "(5, x'02', x'01', 'raw', 'ready', 5, x'ee', 'uploaded', 'Ann', 1, NULL, NULL, NULL, 1),"
        "(6, x'02', x'03', 'bsdiff', 'ready', 5, x'ff', 'made', NULL, 1, NULL, NULL, NULL, 1);"
        "INSERT INTO ledger VALUES (1, 1, 'package-released', 'taps', 'pump', '', 0, 'aa', '{}', x'', x''),"
        "(2, 1, 'package-uploaded', 'pumps', 'pump', '', 0, 'cc', '{}', x'', x'')");
    sqlite3_close(handle);
}

static int take_row(void *cls, int columns, char **values, char **names)
{
    char *text = cls;
    (void)names;
    for (int i = 0; i < columns; i++)
        sprintf(text + strlen(text), "%s%s", values[i], i + 1 < columns ? "," : ";");
    return 0;
}

static void test_migration(void **state)
{
    struct place *place = *state;
    struct error err;
    char text[512] = "";
    sqlite3 *handle;
    db_close(place->db);
    place->db = NULL;
    strcat(place->file, "-old");
    make_old(place->file);
    assert_ok(db_open_writer(place->file, &place->db, &err), err);
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    /* Upload 3 by the ledger, 4 because only one firmware has its images; 5 belongs to no firmware and is
       deleted. */
    sqlite3_exec(handle, "SELECT id, firmware_id FROM package ORDER BY id", take_row, text, NULL);
    assert_string_equal(text, "1,0;2,0;3,1;4,2;6,0;");
    text[0] = '\0';
    sqlite3_exec(handle, "SELECT package_id, firmware_id, released_by, released_note FROM package_release",
                 take_row, text, NULL);
    assert_string_equal(text, "1,2,Jan,known;");
    sqlite3_close(handle);
}

/* Older servers had not compared the place of an uploaded script. The migration needs columns that are here already, so
   only its last statement runs. */
static void test_uploads_for_luatos_are_not_proven_any_more(void **state)
{
    struct place *place = *state;
    const char *update = NULL;
    char text[512] = "";
    sqlite3 *handle;
    for (unsigned i = 0; i < db_migration_count; i++)
        if (strcmp(db_migrations[i].name, "039-image-script") == 0)
            update = strstr(db_migrations[i].sql, "UPDATE package");
    assert_non_null(update);
    assert_int_equal(sqlite3_open(place->file, &handle), SQLITE_OK);
    old_run(
        handle,
        "INSERT INTO package (id, firmware_id, from_sha256, to_sha256, format, state, size_bytes, sha256, origin, proven, queued_ms) VALUES "
        "(1, 1, x'01', x'02', 'ec618-luatos', 'ready', 5, x'aa', 'uploaded', 1, 1),"
        "(2, 0, x'01', x'03', 'ec618-luatos', 'ready', 5, x'bb', 'made', 1, 1),"
        "(3, 1, x'01', x'04', 'ec618-csdk', 'ready', 5, x'cc', 'uploaded', 1, 1)");
    old_run(handle, update);
    sqlite3_exec(handle, "SELECT id, proven FROM package ORDER BY id", take_row, text, NULL);
    assert_string_equal(text, "1,0;2,1;3,1;");
    sqlite3_close(handle);
}

static void test_keys_are_compared_by_their_fields(void **state)
{
    (void)state;
    struct package_key a, b;
    memset(&a, 0x00, sizeof a);
    memset(&b, 0xff, sizeof b);
    memset(&a.from, 1, sizeof a.from), memset(&b.from, 1, sizeof b.from);
    memset(&a.to, 2, sizeof a.to), memset(&b.to, 2, sizeof b.to);
    strcpy(a.format, "bsdiff"), strcpy(b.format, "bsdiff");
    strcpy(a.recipe, ""), strcpy(b.recipe, "");
    a.firmware_id = b.firmware_id = 3;
    assert_true(package_key_equal(&a, &b));
    b.firmware_id = 4;
    assert_false(package_key_equal(&a, &b));
    b.firmware_id = 3, strcpy(b.recipe, "x");
    assert_false(package_key_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_compared_by_their_fields),
        cmocka_unit_test_setup_teardown(test_release, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_upload, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_image_is_deleted, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_migration, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_uploads_for_luatos_are_not_proven_any_more, place_make,
                                        place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-release", tests, NULL, NULL);
}
