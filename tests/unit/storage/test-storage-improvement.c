/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The order of the queue, and smaller bytes that take the place of larger ones. */
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/image.h"
#include "storage/image_package.h"
#include "storage/improvement.h"
#include "storage/product.h"
#include "tests/unit/storage/test-storage.h"

#define VERSIONS 4

static struct product product;
static struct firmware firmware;
static struct image image[VERSIONS];

static struct sha256 hash_of(const char *text)
{
    struct sha256 hash;
    sha256_of(text, strlen(text), &hash);
    return hash;
}

static int set_scene(void **state)
{
    struct error err;
    bool is_new;
    if (place_make(state) != 0)
        return -1;
    struct db *db = ((struct place *)*state)->db;
    product = (struct product){.product_key = "p", .name = "p", .created_ms = 1};
    assert_ok(product_add(db, &product, &err), err);
    assert_ok(firmware_ensure(db, product.id, "pump", 1, &firmware, &err), err);
    for (int i = 0; i < VERSIONS; i++) {
        image[i] = (struct image){.firmware_id = firmware.id, .size_bytes = 1, .uploaded_ms = 1};
        snprintf(image[i].version, sizeof image[i].version, "%d", i + 1);
        image[i].sha256 = hash_of(image[i].version);
        assert_ok(image_add(db, product.id, &image[i], &is_new, &err), err);
    }
    return 0;
}

static struct package_key key_of(int from, int to)
{
    return (struct package_key){.from = image[from].sha256, .to = image[to].sha256, .format = "bsdiff"};
}

static void queue(struct db *db, int from, int to, int64_t wanted, int64_t now_ms)
{
    struct package_key key = key_of(from, to);
    struct error err;
    assert_ok(package_queue(db, &key, false, wanted, now_ms, &err), err);
}

static struct attempt add_attempt(struct db *db, int device_number, int from, int to, enum attempt_state at)
{
    struct identity identity;
    struct device device;
    struct error err;
    char imei[32];
    snprintf(imei, sizeof imei, "imei:86659707%07d", device_number);
    assert_true(identity_parse(slice_of(imei), &identity));
    assert_ok(device_add(db, product.id, &identity, firmware.id, &device, &err), err);
    struct attempt attempt = {.device_id = device.id, .firmware_id = firmware.id, .created_ms = 1};
    strcpy(attempt.from, image[from].version);
    strcpy(attempt.to, image[to].version);
    strcpy(attempt.target, image[to].version);
    attempt.state = at;
    assert_ok(attempt_add(db, &attempt, &err), err);
    return attempt;
}

static void assert_claimed(struct db *db, bool background, int from, int to)
{
    struct package package;
    struct error err;
    bool found;
    assert_ok(package_claim(db, background, 9, &package, &found, &err), err);
    assert_int_equal(found, from >= 0);
    if (found)
        assert_true(sha256_equal(&package.key.from, &image[from].sha256) &&
                    sha256_equal(&package.key.to, &image[to].sha256));
}

static void test_what_most_devices_wait_for_goes_first(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    queue(db, 0, 1, 1, 1);
    queue(db, 0, 2, 1, 2);
    queue(db, 0, 3, 0, 0);
    queue(db, 1, 2, 0, 1);
    queue(db, 1, 3, 1, 3);
    queue(db, 2, 3, 2, 4);
    add_attempt(db, 1, 0, 2, ATTEMPT_WAITING);
    add_attempt(db, 2, 1, 3, ATTEMPT_WAITING);
    add_attempt(db, 3, 1, 3, ATTEMPT_WAITING);
    add_attempt(db, 4, 0, 1, ATTEMPT_CONFIRMED);
    assert_claimed(db, false, 1, 3);
    assert_claimed(db, false, 0, 2);
    assert_claimed(db, false, 2,
                   3); /* no device waits for the rest: the most wanted first, then the oldest */
    assert_claimed(db, false, 0, 1);
    assert_claimed(db, false, -1, -1);
    assert_claimed(db, true, 0, 3);
    assert_claimed(db, true, 1, 2);
    assert_claimed(db, true, -1, -1);
}

/* ---- Improvements ---- */

static struct package find(struct db *db, int from, int to)
{
    struct package_key key = key_of(from, to);
    struct package package;
    struct error err;
    bool found;
    assert_ok(package_find(db, &key, &package, &found, &err), err);
    assert_true(found);
    return package;
}

static int64_t make(struct db *db, int from, int to, int64_t wanted, int64_t size, enum package_origin origin)
{
    queue(db, from, to, wanted, 1);
    struct package package;
    struct error err;
    bool found;
    char text[32];
    snprintf(text, sizeof text, "%d-%d of %d", from, to, (int)size);
    assert_ok(package_claim(db, wanted == 0, 2, &package, &found, &err), err);
    assert_true(found);
    const struct package_made made = {.size_bytes = size,
                                      .sha256 = hash_of(text),
                                      .origin = origin,
                                      .proven = true,
                                      .effort = origin == PACKAGE_MADE ? EFFORT_QUICK : EFFORT_NONE,
                                      .note = "",
                                      .log = ""};
    assert_ok(package_set_ready(db, package.id, &made, 3, &err), err);
    return package.id;
}

static void assert_list(struct improvement *list, size_t count, const int64_t *ids, size_t expected)
{
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list[i].id, ids[i]);
    free(list);
}

#define IDS(...) (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

static void test_what_may_be_tried_harder(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct improvement *list;
    struct error err;
    size_t count;
    firmware.max_package_bytes = 1000;
    assert_ok(firmware_update(db, &firmware, &err), err);
    int64_t over = make(db, 0, 1, 1, 1150, PACKAGE_MADE), beyond = make(db, 0, 2, 1, 1151, PACKAGE_MADE);
    int64_t fits = make(db, 0, 3, 0, 1000, PACKAGE_MADE), waited = make(db, 1, 2, 0, 1001, PACKAGE_MADE);
    make(db, 1, 3, 1, 1100, PACKAGE_EXTERNAL);
    add_attempt(db, 1, 1, 2, ATTEMPT_WAITING);

    assert_ok(improvement_reachable(db, 9, &list, &count, &err), err);
    assert_list(list, count, IDS(waited, over));
    assert_ok(improvement_list(db, EFFORT_GOOD, 1, 9, &list, &count, &err), err);
    assert_list(list, count, IDS(over, beyond));
    assert_ok(improvement_list(db, EFFORT_GOOD, 0, 9, &list, &count, &err), err);
    assert_list(list, count, IDS(over, beyond, waited, fits));
    assert_ok(improvement_list(db, EFFORT_NONE, 0, 9, &list, &count, &err), err);
    assert_int_equal(count, 0);

    /* After a good effort there is little left to gain. */
    assert_ok(improvement_tried(db, over, EFFORT_GOOD, &err), err);
    assert_ok(improvement_tried(db, waited, EFFORT_GOOD, &err), err);
    assert_ok(improvement_reachable(db, 9, &list, &count, &err), err);
    assert_list(list, count, IDS(waited));
    assert_ok(improvement_tried(db, waited, EFFORT_BEST, &err), err);
    assert_ok(improvement_tried(db, waited, EFFORT_GOOD, &err), err);
    assert_ok(improvement_reachable(db, 9, &list, &count, &err), err);
    assert_int_equal(count, 0);
    assert_ok(improvement_list(db, EFFORT_BEST, 0, 9, &list, &count, &err), err);
    assert_list(list, count, IDS(beyond, over, fits));
}

/* The list of the database and the rule for one package agree. */
static void test_reach_is_the_same_everywhere(void **state)
{
    (void)state;
    assert_true(improvement_may_fit(1150, EFFORT_QUICK, 1000));
    assert_false(improvement_may_fit(1151, EFFORT_QUICK, 1000));
    assert_true(improvement_may_fit(1050, EFFORT_GOOD, 1000));
    assert_false(improvement_may_fit(1051, EFFORT_GOOD, 1000));
    assert_false(improvement_may_fit(1001, EFFORT_BEST, 1000));
    assert_false(improvement_may_fit(1001, EFFORT_NONE, 1000));
    assert_false(improvement_may_fit(1000, EFFORT_QUICK, 1000));
}

static void keep(struct db *db, int64_t id, int64_t size, bool expected, bool expected_had)
{
    char text[32];
    struct sha256 old;
    struct error err;
    bool kept, had;
    snprintf(text, sizeof text, "better of %d", (int)size);
    const struct package_made made = {
        .size_bytes = size, .sha256 = hash_of(text), .effort = EFFORT_GOOD, .note = "", .log = ""};
    assert_ok(improvement_keep(db, id, &made, &kept, &old, &had, &err), err);
    assert_int_equal(kept, expected);
    assert_int_equal(had, expected_had);
}

static void assert_swaps(struct db *db, int64_t since_ms, size_t expected, int64_t expected_waiting)
{
    struct improvement_swap *list;
    struct error err;
    size_t count;
    int64_t waiting;
    assert_ok(improvement_swap_all(db, since_ms, since_ms + 1000000, &list, &count, &waiting, &err), err);
    assert_int_equal(count, expected);
    assert_int_equal(waiting, expected_waiting);
    free(list);
}

static void test_smaller_bytes_wait_for_transfers(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    bool used;
    int64_t id = make(db, 0, 1, 1, 1000, PACKAGE_MADE);
    struct package package = find(db, 0, 1);
    struct attempt attempt = add_attempt(db, 1, 0, 1, ATTEMPT_SENDING);
    attempt.package_sha256 = package.sha256;
    attempt.size_bytes = 1000;
    attempt.active_ms = 50;
    assert_ok(attempt_update(db, &attempt, &err), err);

    keep(db, id, 1000, false, false);
    keep(db, id, 900, true, false);
    keep(db, id, 950, false, false);
    keep(db, id, 800, true, true);
    struct sha256 better = hash_of("better of 800");
    assert_ok(image_uses_blob(db, &better, &used, &err), err);
    assert_true(used);
    assert_swaps(db, 100, 0, 1); /* it is being sent; how long ago that began does not matter */
    /* Both may be resumed from the middle. */
    static const enum attempt_state pinned[] = {ATTEMPT_INTERRUPTED, ATTEMPT_HANDED_OVER};
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        attempt.state = pinned[i];
        assert_ok(attempt_update(db, &attempt, &err), err);
        assert_swaps(db, 49, 0, 1);
    }
    package = find(db, 0, 1);
    assert_int_equal(package.size_bytes, 1000);
    assert_swaps(db, 50, 1, 0);
    package = find(db, 0, 1);
    assert_int_equal(package.size_bytes, 800);
    assert_int_equal(package.effort, EFFORT_GOOD);
    assert_true(sha256_equal(&package.sha256, &better));
    assert_int_equal(package_state(&package), PACKAGE_READY);
    assert_ok(image_uses_blob(db, &attempt.package_sha256, &used, &err), err);
    assert_false(used);
    assert_swaps(db, 50, 0, 0);
}

static void test_what_others_made_is_left_alone(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    int64_t id = make(db, 0, 1, 1, 1000, PACKAGE_EXTERNAL);
    keep(db, id, 900, false, false);
    assert_ok(improvement_tried(db, id, EFFORT_BEST, &err), err);
    assert_int_equal(find(db, 0, 1).tried, EFFORT_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_scene, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_most_devices_wait_for_goes_first),    TEST(test_what_may_be_tried_harder),
        cmocka_unit_test(test_reach_is_the_same_everywhere), TEST(test_smaller_bytes_wait_for_transfers),
        TEST(test_what_others_made_is_left_alone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
