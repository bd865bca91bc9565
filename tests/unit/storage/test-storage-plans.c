/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What plans are made of: when they no longer hold, what packages lead between images, which hops a device
   has gone. */
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"
#include "storage/product.h"
#include "tests/unit/storage/test-storage.h"

struct scene {
    struct place *place;
    struct db *db;
    struct product product;
    struct firmware firmware;
    struct image image[2];
    struct device device;
};

static void add_image(struct scene *scene, unsigned n, const char *version)
{
    struct image *image = &scene->image[n];
    struct error err;
    bool is_new;
    *image = (struct image){.firmware_id = scene->firmware.id, .size_bytes = 100, .uploaded_ms = 1};
    sha256_of(version, strlen(version), &image->sha256);
    strcpy(image->version, version);
    assert_ok(image_add(scene->db, scene->product.id, image, &is_new, &err), err);
}

static struct scene scene_of(void **state)
{
    struct place *place = *state;
    struct scene scene = {
        .place = place, .db = place->db, .product = {.product_key = "pumps", .created_ms = 1}};
    struct identity identity;
    struct error err;
    strcpy(scene.product.name, "pumps");
    assert_ok(product_add(scene.db, &scene.product, &err), err);
    assert_ok(firmware_ensure(scene.db, scene.product.id, "pump", 1, &scene.firmware, &err), err);
    add_image(&scene, 0, "9");
    add_image(&scene, 1, "10");
    assert_true(identity_parse(slice_of("866597071234567"), &identity));
    assert_ok(device_add(scene.db, scene.product.id, &identity, scene.firmware.id, &scene.device, &err), err);
    return scene;
}

static struct package_key key_of(const struct scene *scene)
{
    struct package_key key = {
        .from = scene->image[0].sha256, .to = scene->image[1].sha256, .format = "bsdiff"};
    return key;
}

static void queue(struct scene *scene)
{
    const struct package_key key = key_of(scene);
    struct error err;
    assert_ok(package_queue(scene->db, &key, false, 1, 5, &err), err);
}

/* ---- db_changes() ---- */

static void test_changes_of_what_plans_are_made_of_are_counted(void **state)
{
    struct scene scene = scene_of(state);
    struct error err;
    uint64_t before = db_changes(scene.db);
    assert_ok(device_seen(scene.db, scene.device.id, 3, 7, &err), err);
    assert_ok(device_update(scene.db, &scene.device, &err), err);
    assert_true(db_changes(scene.db) == before); /* else each device that waits would drop all plans */
    uint64_t images = db_image_changes(scene.db);
    queue(&scene);
    assert_true(db_changes(scene.db) > before && db_image_changes(scene.db) == images);
    before = db_changes(scene.db);
    queue(&scene); /* it is queued already */
    assert_true(db_changes(scene.db) == before);
    assert_ok(firmware_update(scene.db, &scene.firmware, &err), err);
    assert_true(db_changes(scene.db) > before && db_image_changes(scene.db) > images);
    before = db_changes(scene.db);
    scene.image[0].withdrawn_ms = 9;
    strcpy(scene.image[0].withdrawn_reason, "no");
    assert_ok(image_update(scene.db, &scene.image[0], &err), err);
    assert_true(db_changes(scene.db) > before);
    before = db_changes(scene.db);
    assert_ok(image_remove(scene.db, &scene.image[0], &err), err);
    assert_true(db_changes(scene.db) > before);
}

static void test_what_is_taken_back_counts_again(void **state)
{
    struct scene scene = scene_of(state);
    struct error err;
    uint64_t before, between;
    assert_ok(db_begin(scene.db, &err), err);
    before = db_changes(scene.db);
    assert_ok(db_savepoint(scene.db, &err), err);
    db_rollback_savepoint(scene.db);
    assert_true(db_changes(scene.db) == before); /* there was nothing to roll back */
    assert_ok(db_savepoint(scene.db, &err), err);
    queue(&scene);
    between = db_changes(scene.db);
    db_rollback_savepoint(scene.db);
    assert_true(between > before && db_changes(scene.db) > between);
    queue(&scene);
    between = db_changes(scene.db);
    db_rollback(scene.db);
    assert_true(db_changes(scene.db) > between);
    between = db_changes(scene.db);
    assert_ok(db_begin(scene.db, &err), err);
    db_rollback(scene.db);
    assert_true(db_changes(scene.db) == between);
}

/* ---- package_edges() ---- */

struct edges {
    struct package_edge row, last;
    unsigned count;
};

static bool note_edge(void *cls)
{
    struct edges *edges = cls;
    edges->last = edges->row;
    edges->count++;
    return true;
}

static struct edges edges_of(struct scene *scene, const char *format, const char *recipe)
{
    struct edges edges = {.count = 0};
    struct error err;
    struct package_key key = {.firmware_id = scene->firmware.id};
    strcpy(key.format, format);
    strcpy(key.recipe, recipe);
    assert_ok(package_edges(scene->db, &key, &edges.row, note_edge, &edges, &err), err);
    return edges;
}

static void test_edges_are_of_one_format_and_recipe(void **state)
{
    struct scene scene = scene_of(state);
    struct package_made made = {.size_bytes = 77,
                                .origin = PACKAGE_MADE,
                                .proven = false,
                                .effort = EFFORT_GOOD,
                                .note = "",
                                .log = ""};
    struct package package;
    struct error err;
    bool found;
    queue(&scene);
    assert_int_equal(edges_of(&scene, "ec618-at", "").count, 0);
    assert_int_equal(edges_of(&scene, "bsdiff", "0123456789abcdef").count, 0);
    struct edges edges = edges_of(&scene, "bsdiff", "");
    assert_int_equal(edges.count, 1);
    assert_true(edges.last.from_id == scene.image[0].id && edges.last.to_id == scene.image[1].id);
    assert_int_equal(edges.last.state, PACKAGE_QUEUED);
    assert_ok(package_claim(scene.db, false, 6, &package, &found, &err), err);
    assert_ok(package_set_ready(scene.db, package.id, &made, 7, &err), err);
    edges = edges_of(&scene, "bsdiff", "");
    assert_int_equal(edges.last.state, PACKAGE_READY);
    assert_true(edges.last.size_bytes == 77 && !edges.last.servable);
}

/* ---- image_required_between() ---- */

static bool is_required_between(struct scene *scene, const char *a, const char *b)
{
    struct version from, to;
    struct error err;
    bool required;
    assert_true(version_parse(slice_of(a), &from) && version_parse(slice_of(b), &to));
    assert_ok(image_required_between(scene->db, scene->firmware.id, &from, &to, &required, &err), err);
    return required;
}

static void test_required_between(void **state)
{
    struct scene scene = scene_of(state);
    struct error err;
    assert_false(is_required_between(&scene, "8", "12"));
    scene.image[1].waypoint = WAYPOINT_REQUIRED; /* version 10 */
    strcpy(scene.image[1].waypoint_reason, "it moves the settings");
    assert_ok(image_update(scene.db, &scene.image[1], &err), err);
    assert_true(is_required_between(&scene, "8", "12"));
    assert_true(is_required_between(&scene, "12", "9"));
    assert_false(is_required_between(&scene, "8", "10"));
    assert_false(is_required_between(&scene, "10", "12"));
    assert_false(is_required_between(&scene, "8", "9"));
}

/* ---- attempt_count_completed() ---- */

static void add_attempt(struct scene *scene, const char *from, const char *to,
                        enum attempt_state attempt_state, int64_t sent_ms)
{
    struct attempt attempt = {.device_id = scene->device.id,
                              .firmware_id = scene->firmware.id,
                              .target = "1162",
                              .state = ATTEMPT_WAITING,
                              .reason = "",
                              .created_ms = 1};
    struct error err;
    strcpy(attempt.from, from);
    strcpy(attempt.to, "1150");
    assert_ok(attempt_add(scene->db, &attempt, &err), err);
    strcpy(attempt.to, to); /* a waiting attempt may get another hop */
    attempt.state = attempt_state;
    attempt.sent_ms = sent_ms;
    attempt.ended_ms = sent_ms + 1;
    assert_ok(attempt_update(scene->db, &attempt, &err), err);
}

static int64_t completed(struct scene *scene, const char *from, const char *to, int64_t since_ms)
{
    struct error err;
    int64_t count = -1;
    const struct attempt_filter filter = {from, to, since_ms, since_ms + 1000000};
    assert_ok(attempt_count_completed(scene->db, scene->device.id, &filter, &count, &err), err);
    return count;
}

static void test_other_hops_that_were_gone(void **state)
{
    struct scene scene = scene_of(state);
    add_attempt(&scene, "1138", "1147", ATTEMPT_CONFIRMED, 100);
    add_attempt(&scene, "1138", "1147", ATTEMPT_CONFIRMED, 200); /* the same hop again: counts once */
    add_attempt(&scene, "1147", "1150", ATTEMPT_NOT_APPLIED, 300);
    assert_int_equal(completed(&scene, "1147", "1162", 50), 1);
    assert_int_equal(completed(&scene, "1138", "1147", 50), 0); /* it is the hop itself */
    assert_int_equal(completed(&scene, "1147", "1162", 200), 0);
    add_attempt(&scene, "1147", "1162", ATTEMPT_CONFIRMED, 400);
    assert_int_equal(completed(&scene, "1162", "1170", 50), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_changes_of_what_plans_are_made_of_are_counted),
        TEST(test_what_is_taken_back_counts_again),
        TEST(test_edges_are_of_one_format_and_recipe),
        TEST(test_required_between),
        TEST(test_other_hops_that_were_gone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
