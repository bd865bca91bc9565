/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The life of a package: queued, made, uploaded, released, deleted. */
#include "storage/package.h"
#include "tests/unit/storage/test-storage-scene.h"

/* The result is valid until the next call. */
static const struct package_key *key_of(const struct sha256 *from, const struct sha256 *to)
{
    static struct package_key key;
    key = (struct package_key){.from = *from, .to = *to, .format = "bsdiff", .firmware_id = 1};
    return &key;
}

static void set_ready(struct place *place, const struct package *package, struct package_made made)
{
    struct error err;
    made.note = made.log = "";
    assert_ok(package_set_ready(place->db, package->id, &made, 8, &err), err);
}

static void claim(struct place *place, struct package *ret, bool expected)
{
    struct error err;
    bool found;
    assert_ok(package_claim(place->db, false, 5, ret, &found, &err), err);
    assert_int_equal(found, expected);
}

static void find(struct place *place, const struct scene *scene, struct package *ret)
{
    struct error err;
    bool found;
    assert_ok(package_find(place->db, key_of(&scene->v1.sha256, &scene->v2.sha256), ret, &found, &err), err);
    assert_true(found);
}

static void test_package_is_claimed_once(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct error err;
    set_scene(place->db, &scene);
    for (int i = 0; i < 2; i++)
        assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err),
                  err);
    claim(place, &package, true);
    assert_int_equal(package_state(&package), PACKAGE_GENERATING);
    claim(place, &package, false);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), true, 1, 3, &err), err);
    claim(place, &package, false);
}

static void test_third_crash_fails_a_package(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct error err;
    bool failed = false;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    for (int crash = 1; crash <= 3; crash++) {
        assert_false(failed);
        claim(place, &package, true);
        assert_ok(package_crashed(place->db, package.id, "killed by signal 9", 6, &failed, &err), err);
    }
    assert_true(failed);
    claim(place, &package, false);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_FAILED);
    assert_string_equal(package.error, "killed by signal 9");
    assert_int_equal(package.crashes, 3);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 7, &err), err);
    claim(place, &package, false); /* a request of a device does not try it again */
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), true, 1, 7, &err), err);
    claim(place, &package, true);
    assert_int_equal(package.crashes, 0);
}

static void test_putting_back_is_no_crash(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct error err;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    for (int i = 0; i < 5; i++) {
        claim(place, &package, true);
        assert_int_equal(package.crashes, 0);
        assert_ok(package_put_back(place->db, package.id, &err), err);
    }
}

static void test_package_put_last_lets_others_go_first(void **state)
{
    struct place *place = *state;
    struct error err;
    struct package first, second;
    struct sha256 sum[3];
    for (unsigned i = 0; i < 3; i++)
        sha256_of(&i, sizeof i, &sum[i]);
    assert_ok(package_queue(place->db, key_of(&sum[0], &sum[1]), false, 1, 3, &err), err);
    assert_ok(package_queue(place->db, key_of(&sum[0], &sum[2]), false, 1, 4, &err), err);
    claim(place, &first, true);
    assert_ok(package_put_last(place->db, first.id, 5, &err), err);
    claim(place, &second, true);
    assert_int_not_equal(second.id, first.id);
    claim(place, &second, true);
    assert_int_equal(second.id, first.id);
    assert_int_equal(second.crashes, 0);
}

static void test_damaged_package_is_made_again(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct sha256 bytes = hash_of("package");
    struct error err;
    bool ready;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    claim(place, &package, true);
    set_ready(place, &package, (struct package_made){.size_bytes = 77, .sha256 = bytes, .proven = true});
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &ready, &(int64_t){0}, &err), err);
    assert_true(ready);
    assert_ok(package_make_again(place->db, &bytes, 9, &err), err);
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &ready, &(int64_t){0}, &err), err);
    assert_false(ready);
    claim(place, &package, true);
}

static void test_what_is_not_proven_is_not_served(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct sha256 bytes = hash_of("package");
    struct error err;
    bool servable;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    claim(place, &package, true);
    set_ready(place, &package,
              (struct package_made){.size_bytes = 77, .sha256 = bytes, .origin = PACKAGE_EXTERNAL});
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_UNPROVEN);
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &servable, &(int64_t){0}, &err), err);
    assert_false(servable);
}

static void put(struct place *place, const struct scene *scene, const struct sha256 *bytes, bool proven)
{
    struct error err;
    const struct package_made made = {
        .size_bytes = 5, .sha256 = *bytes, .proven = proven, .note = "", .log = ""};
    assert_ok(
        package_put_uploaded(place->db, key_of(&scene->v1.sha256, &scene->v2.sha256), &made, "Ann", 9, &err),
        err);
}

/* In every state of the row, and whatever the job does that makes it. */
static void test_an_uploaded_package_stays(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package claimed, package;
    struct sha256 bytes = hash_of("uploaded"), others = hash_of("made");
    struct error err;
    bool failed;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    claim(place, &claimed, true);
    put(place, &scene, &bytes, true);
    set_ready(place, &claimed, (struct package_made){.size_bytes = 77, .sha256 = others, .proven = true});
    assert_ok(package_set_failed(place->db, claimed.id, "no", 9, &err), err);
    assert_ok(package_crashed(place->db, claimed.id, "no", 9, &failed, &err), err);
    assert_ok(package_keep_log(place->db, claimed.id, "no", &err), err);
    assert_ok(package_put_back(place->db, claimed.id, &err), err);
    assert_ok(package_put_last(place->db, claimed.id, 9, &err), err);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_READY);
    assert_true(sha256_equal(&package.sha256, &bytes));
    assert_int_equal(package.origin, PACKAGE_UPLOADED);
    assert_string_equal(package.uploaded_by, "Ann");
    assert_int_equal(package.effort, EFFORT_NONE);
    assert_string_equal(package.error, "");
}

/* A job that still runs for a deleted row must not find another row with the same id. */
static void test_a_forgotten_package_leaves_no_number_behind(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package claimed, package;
    struct sha256 bytes = hash_of("uploaded");
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), false, 1, 3, &err), err);
    claim(place, &claimed, true);
    assert_ok(package_forget(place->db, claimed.id, &err), err);
    find(place, &scene, &package); /* still there: it was not uploaded */
    put(place, &scene, &bytes, true);
    find(place, &scene, &package);
    assert_int_not_equal(package.id, claimed.id);
    assert_ok(package_forget(place->db, package.id, &err), err);
    assert_ok(package_find(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), &package, &found, &err),
              err);
    assert_false(found);
    assert_ok(package_queue(place->db, key_of(&scene.v2.sha256, &scene.v1.sha256), false, 1, 3, &err), err);
    claim(place, &package, true);
    assert_int_not_equal(package.id, claimed.id);
}

static void test_a_release_is_for_the_very_bytes(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct sha256 bytes = hash_of("unproven"), others = hash_of("others");
    struct error err;
    bool servable;
    set_scene(place->db, &scene);
    put(place, &scene, &bytes, false);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_UNPROVEN);
    assert_ok(package_release(place->db, package.id, scene.firmware.id, "Jan", "why", 11, &err), err);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_READY);
    assert_string_equal(package.released_by, "Jan");
    assert_string_equal(package.released_note, "why");
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &servable, &(int64_t){0}, &err), err);
    assert_true(servable);
    put(place, &scene, &others, false);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_UNPROVEN);
    assert_string_equal(package.released_by, "");
    assert_ok(package_release(place->db, package.id, scene.firmware.id, "Jan", "why", 11, &err), err);
    assert_ok(package_take_back(place->db, package.id, scene.firmware.id, &err), err);
    assert_ok(package_is_servable(place->db, &others, scene.firmware.id, &servable, &(int64_t){0}, &err),
              err);
    assert_false(servable);
}

/* The server cannot make an upload again: it is failed until an admin uploads it again or asks for a made
   one. */
static void test_a_damaged_uploaded_package_fails(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct package package;
    struct sha256 bytes = hash_of("uploaded");
    struct error err;
    set_scene(place->db, &scene);
    put(place, &scene, &bytes, true);
    assert_ok(package_make_again(place->db, &bytes, 12, &err), err);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_FAILED);
    assert_int_equal(package.size_bytes, 0);
    claim(place, &package, false);
    assert_ok(package_queue(place->db, key_of(&scene.v1.sha256, &scene.v2.sha256), true, 1, 13, &err), err);
    claim(place, &package, true);
    assert_int_equal(package.origin, PACKAGE_MADE);
    assert_string_equal(package.uploaded_by, "");
}

static void test_what_is_wanted_goes_before_the_matrix(void **state)
{
    struct place *place = *state;
    struct error err;
    struct package claimed;
    struct sha256 sum[4];
    for (unsigned i = 0; i < 4; i++)
        sha256_of(&i, sizeof i, &sum[i]);
    for (unsigned i = 1; i < 4; i++)
        assert_ok(package_queue(place->db, key_of(&sum[0], &sum[i]), false, i == 2, i, &err), err);
    claim(place, &claimed, true);
    assert_true(sha256_equal(&claimed.key.to, &sum[2]));
    assert_ok(package_queue(place->db, key_of(&sum[0], &sum[3]), false, 1, 9, &err), err);
    claim(place, &claimed, true);
    assert_true(sha256_equal(&claimed.key.to, &sum[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_package_is_claimed_once),
        TEST(test_third_crash_fails_a_package),
        TEST(test_putting_back_is_no_crash),
        TEST(test_package_put_last_lets_others_go_first),
        TEST(test_damaged_package_is_made_again),
        TEST(test_what_is_not_proven_is_not_served),
        TEST(test_an_uploaded_package_stays),
        TEST(test_a_forgotten_package_leaves_no_number_behind),
        TEST(test_a_release_is_for_the_very_bytes),
        TEST(test_a_damaged_uploaded_package_fails),
        TEST(test_what_is_wanted_goes_before_the_matrix),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
