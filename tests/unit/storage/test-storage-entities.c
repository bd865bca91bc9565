/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the entities promise beyond storing a row: products, firmwares, images, links. */
#include "storage/attempt.h"
#include "storage/image_package.h"
#include "storage/link.h"
#include "storage/turnkey.h"
#include "tests/unit/storage/test-storage-scene.h"

#define AHEAD_MS (30LL * 24 * 3600 * 1000)

static void test_product_key_is_taken_once(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct product again;
    struct error err;
    set_scene(place->db, &scene);
    assert_ok(product_get(place->db, "pumps", &again, &err), err);
    assert_string_equal(again.name, "村泵");
    assert_false(product_add(place->db, &again, &err));
    assert_int_equal(err.code, ERROR_PRODUCT_EXISTS);
    assert_false(product_get(place->db, "nobody", &again, &err));
    assert_int_equal(err.code, ERROR_PRODUCT_NOT_FOUND);
}

static void test_format_by_name(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct firmware firmware;
    struct error err;
    set_scene(place->db, &scene);
    assert_string_equal(scene.firmware.format, "bsdiff");
    assert_int_equal(scene.firmware.max_package_bytes, 491520);
    assert_ok(firmware_ensure(place->db, scene.product.id, "AirM2M_780E_LTE_AT", 1, &firmware, &err), err);
    assert_string_equal(firmware.format, "");
    strcpy(firmware.format, "bsdiff");
    assert_ok(firmware_update(place->db, &firmware, &err), err);
    assert_ok(firmware_ensure(place->db, scene.product.id, "AirM2M_780E_LTE_AT", 2, &firmware, &err), err);
    assert_string_equal(firmware.format, "bsdiff");
}

static void test_images(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct image *list, other;
    size_t count;
    struct error err;
    bool is_new;
    set_scene(place->db, &scene);
    other = scene.v1;
    assert_ok(image_add(place->db, scene.product.id, &other, &is_new, &err), err);
    assert_false(is_new);
    other.sha256 = hash_of("not nine");
    assert_false(image_add(place->db, scene.product.id, &other, &is_new, &err));
    assert_int_equal(err.code, ERROR_IMAGE_CONFLICT);
    add_image(place->db, &scene, "11", "nine", &other);
    assert_string_equal(other.warnings, "version 9 has the same bytes: was a file renamed?");
    assert_ok(image_list(place->db, scene.firmware.id, &list, &count, &err), err);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].version, "9");
    assert_string_equal(list[1].version, "10");
    assert_string_equal(list[2].version, "11");
    assert_string_equal(list[2].warnings, other.warnings);
    free(list);
}

static void test_missing_bases(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct missing_base *list;
    size_t count;
    struct error err;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    strcpy(device.asked_version, "8");
    assert_ok(device_update(place->db, &device, &err), err);
    assert_ok(firmware_missing_bases(place->db, scene.firmware.id, &list, &count, &err), err);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].version, "8");
    assert_int_equal(list[0].devices, 1);
    free(list);
    add_image(place->db, &scene, "8", "eight", &scene.v1);
    assert_ok(firmware_missing_bases(place->db, scene.firmware.id, &list, &count, &err), err);
    assert_int_equal(count, 0);
    free(list);
}

static void test_links(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct link first = {.created_ms = 1}, second = {.created_ms = 2}, found_link;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    first.device_id = second.device_id = device.id;
    first.firmware_id = second.firmware_id = scene.firmware.id;
    assert_ok(link_add(place->db, &first, &err), err);
    assert_ok(link_add(place->db, &second, &err), err);
    assert_int_equal(strlen(first.token), 26);
    assert_string_not_equal(first.token, second.token);
    assert_ok(link_revoke(place->db, device.id, first.id, 5, &err), err);
    assert_ok(link_revoke(place->db, device.id, first.id, 6, &err), err);
    assert_ok(link_find(place->db, first.token, &found_link, &found, &err), err);
    assert_true(found);
    assert_int_equal(found_link.revoked_ms, 5);
    assert_ok(link_find(place->db, second.token, &found_link, &found, &err), err);
    assert_int_equal(found_link.revoked_ms, 0);
    assert_false(link_revoke(place->db, device.id, 999, 7, &err));
    assert_int_equal(err.code, ERROR_LINK_NOT_FOUND);
}

static void test_a_full_package_is_servable_until_it_is_withdrawn(void **state)
{
    struct place *place = *state;
    struct error err;
    struct scene scene;
    struct image full = {.version = "2034.1.2",
                         .size_bytes = 9,
                         .uploaded_ms = 1,
                         .kind = IMAGE_FULL,
                         .core = "2034"},
                 found;
    bool is_new, servable;
    set_scene(place->db, &scene);
    full.firmware_id = scene.firmware.id;
    memset(full.sha256.byte, 9, sizeof full.sha256.byte);
    assert_ok(image_add(place->db, scene.product.id, &full, &is_new, &err), err);
    assert_ok(image_get(place->db, scene.firmware.id, "2034.1.2", &found, &err), err);
    assert_true(image_is_full(&found));
    assert_string_equal(found.core, "2034");
    assert_ok(image_full_is_servable(place->db, scene.firmware.id, &full.sha256, &servable, &err), err);
    assert_true(servable);
    assert_ok(image_full_is_servable(place->db, scene.firmware.id + 1, &full.sha256, &servable, &err), err);
    assert_false(servable);
    found.withdrawn_ms = 5;
    assert_ok(image_update(place->db, &found, &err), err);
    assert_ok(image_full_is_servable(place->db, scene.firmware.id, &full.sha256, &servable, &err), err);
    assert_false(servable);
}

static void test_turnkey_numbers_links_and_results(void **state)
{
    struct place *place = *state;
    struct error err;
    struct scene scene;
    struct identity identity;
    struct device device;
    struct link first, again;
    struct turnkey made, found;
    bool is_there;
    set_scene(place->db, &scene);
    assert_true(identity_parse(slice_of("866597071234569"), &identity));
    assert_ok(device_add(place->db, scene.product.id, &identity, scene.firmware.id, &device, &err), err);
    struct attempt attempt = {.device_id = device.id,
                              .firmware_id = scene.firmware.id,
                              .from = "1",
                              .to = "2",
                              .target = "2",
                              .state = ATTEMPT_WAITING,
                              .created_ms = 1};
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    assert_ok(turnkey_of_attempt(place->db, attempt.id, &found, &is_there, &err), err);
    assert_false(is_there);
    assert_ok(turnkey_ensure(place->db, attempt.id, &made, &err), err);
    assert_int_equal(strlen(made.fota_sn), 26);
    assert_ok(turnkey_ensure(place->db, attempt.id, &found, &err), err);
    assert_string_equal(found.fota_sn, made.fota_sn);
    assert_int_equal(found.result_ms, 0);
    made.result_code = 2;
    made.result_ms = 7;
    made.result_form = TURNKEY_JSON;
    assert_ok(turnkey_set_result(place->db, &made, &err), err);
    assert_ok(turnkey_by_sn(place->db, made.fota_sn, &found, &is_there, &err), err);
    assert_true(is_there);
    assert_int_equal(found.attempt_id, attempt.id);
    assert_int_equal(found.result_code, 2);
    assert_int_equal(found.result_form, TURNKEY_JSON);

    assert_ok(turnkey_link_ensure(place->db, device.id, scene.firmware.id, 5, &first, &err), err);
    assert_ok(turnkey_link_ensure(place->db, device.id, scene.firmware.id, 6, &again, &err), err);
    assert_int_equal(again.id, first.id);
    assert_string_equal(again.version, "");
    assert_ok(link_revoke(place->db, device.id, 0, 7, &err), err);
    assert_ok(turnkey_link_ensure(place->db, device.id, scene.firmware.id, 8, &again, &err), err);
    assert_int_not_equal(again.id, first.id);
    assert_string_not_equal(again.token, first.token);
}

static void test_savepoint_takes_back_only_its_own(void **state)
{
    struct place *place = *state;
    struct product kept = {.product_key = "kept"}, lost = {.product_key = "lost"};
    struct error err;
    bool found;
    assert_ok(db_begin(place->db, &err), err);
    assert_ok(db_savepoint(place->db, &err) && product_add(place->db, &kept, &err) &&
                  db_release(place->db, &err),
              err);
    assert_ok(db_savepoint(place->db, &err) && product_add(place->db, &lost, &err), err);
    db_rollback_savepoint(place->db);
    assert_true(db_in_transaction(place->db));
    assert_ok(db_commit(place->db, &err), err);
    assert_ok(product_find(place->db, "kept", &kept, &found, &err), err);
    assert_true(found);
    assert_ok(product_find(place->db, "lost", &lost, &found, &err), err);
    assert_false(found);
}

static void add_products(struct db *db, const char *prefix, unsigned count)
{
    struct error err;
    for (unsigned i = 0; i < count; i++) {
        struct product product = {.created_ms = 1};
        memset(product.name, 'x', sizeof product.name - 1);
        snprintf(product.product_key, sizeof product.product_key, "%s-%u", prefix, i);
        assert_ok(product_add(db, &product, &err), err);
    }
}

/* A savepoint that changes megabytes of pages, as an import does. */
static void test_large_savepoint(void **state)
{
    struct place *place = *state;
    struct error err;
    int64_t count;
    assert_ok(db_begin(place->db, &err), err);
    add_products(place->db, "before", 10000);
    for (unsigned round = 0; round < 2; round++) {
        assert_ok(db_savepoint(place->db, &err), err);
        for (unsigned i = 0; i < 10000; i++) {
            struct product product = {.id = i + 1};
            snprintf(product.name, sizeof product.name, "%u", i);
            assert_ok(product_update(place->db, &product, &err), err);
        }
        if (round)
            assert_ok(db_release(place->db, &err), err);
        else
            db_rollback_savepoint(place->db);
    }
    assert_ok(db_commit(place->db, &err), err);
    assert_ok(product_count(place->db, &count, &err), err);
    assert_int_equal(count, 10000);
}

static void test_networks_of_other_days_go(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct admission_network network;
    struct error err;
    set_scene(place->db, &scene);
    for (int64_t day = 4; day <= 6; day++)
        assert_ok(product_network_add(place->db, scene.product.id, day, "192.0.2.0/24", day, true, &err),
                  err);
    assert_ok(product_networks_remove(place->db, 5, &err), err);
    for (int64_t day = 4; day <= 6; day++) {
        assert_ok(product_network(place->db, scene.product.id, day, "192.0.2.0/24", &network, &err), err);
        assert_int_equal(network.devices, day == 5 ? 5 : 0);
    }
}

static int64_t add_handed_out(struct place *place, const struct scene *scene, const struct device *device,
                              int64_t created_ms)
{
    struct link link = {.device_id = device->id,
                        .firmware_id = scene->firmware.id,
                        .created_ms = created_ms,
                        .handed_out = true};
    struct error err;
    assert_ok(link_add(place->db, &link, &err), err);
    return link.id;
}

static int64_t created_of(struct place *place, const struct device *device, int64_t id)
{
    struct link *list;
    size_t count;
    int64_t created_ms = -1;
    struct error err;
    assert_ok(link_list(place->db, device->id, &list, &count, &err), err);
    for (size_t i = 0; i < count; i++)
        if (list[i].id == id)
            created_ms = list[i].created_ms;
    free(list);
    return created_ms;
}

/* Links handed out before and after are told apart although the clock ran ahead. */
static void test_trust_and_a_clock_that_ran_ahead(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    struct product *product = &scene.product;
    int64_t before = add_handed_out(place, &scene, &device, AHEAD_MS);
    assert_ok(product_trust(place->db, product, 100, &err), err);
    assert_true(created_of(place, &device, before) < product->check_ins_trusted_ms);

    int64_t between = add_handed_out(place, &scene, &device, AHEAD_MS);
    product->check_ins_trusted_ms = 0;
    assert_ok(product_trust(place->db, product, AHEAD_MS + 10, &err), err);
    int64_t after = add_handed_out(place, &scene, &device, AHEAD_MS + 20);
    assert_ok(product_clamp_trusted(place->db, product, 200, &err), err);
    assert_int_equal(product->check_ins_trusted_ms, 200);
    assert_true(created_of(place, &device, between) < 200);
    assert_true(created_of(place, &device, after) >= 200);
    assert_ok(product_clamp_trusted(place->db, product, 300, &err), err);
    assert_int_equal(product->check_ins_trusted_ms, 200);
    assert_ok(product_distrust(place->db, product, &err), err);
    assert_ok(product_get(place->db, product->product_key, product, &err), err);
    assert_int_equal(product->check_ins_trusted_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_product_key_is_taken_once),
        TEST(test_format_by_name),
        TEST(test_images),
        TEST(test_missing_bases),
        TEST(test_links),
        TEST(test_a_full_package_is_servable_until_it_is_withdrawn),
        TEST(test_turnkey_numbers_links_and_results),
        TEST(test_savepoint_takes_back_only_its_own),
        TEST(test_large_savepoint),
        TEST(test_networks_of_other_days_go),
        TEST(test_trust_and_a_clock_that_ran_ahead),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
