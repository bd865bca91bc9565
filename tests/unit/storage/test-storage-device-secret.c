/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Secrets of devices: which texts can be one, until when one is valid, and that each is found by its value only. */
#include "storage/device_secret.h"
#include "tests/unit/storage/test-storage-scene.h"

#define NOW 1790000000000

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        bool fits;
    } texts[] = {
        {"0123456789abcdef", true},
        {"ABC-xyz_0.9.ABC-xyz_0.9", true},
        {"0123456789012345678901234567890123456789012345678901234567890123", true}, /* 64 */
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
        {"0123456789abcde", false},
        {"", false},
        {"0123456789abcdef/", false},
        {"0123456789abcdef ", false},
        {"0123456789abcdef%", false},
        {"0123456789abcdef\xC3\xA9", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(device_secret_is_text(slice_of(texts[i].text)), texts[i].fits);
}

static void test_times(void **state)
{
    static const struct {
        int64_t ends_ms, revoked_ms;
        bool valid;
    } times[] = {{0, 0, true},        {NOW + 1, 0, true},  {NOW, 0, false},
                 {NOW - 1, 0, false}, {0, NOW - 1, false}, {NOW + 1, NOW - 1, false}};
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const struct device_secret secret = {.ends_ms = times[i].ends_ms, .revoked_ms = times[i].revoked_ms};
        assert_int_equal(device_secret_is_valid(&secret, NOW), times[i].valid);
    }
}

static struct device_secret add(struct db *db, int64_t product_id, int64_t device_id)
{
    struct device_secret secret = {.product_id = product_id, .device_id = device_id, .created_ms = NOW};
    struct error err;
    assert_ok(device_secret_make(secret.value, &err), err);
    assert_true(device_secret_is_text(slice_of(secret.value)));
    assert_ok(device_secret_add(db, &secret, &err), err);
    return secret;
}

static void test_is_found_by_its_value(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct scene scene;
    struct identity identity = {.kind = ID_UID, .id = "meter"};
    struct device_secret found, twice;
    struct device device;
    struct error err;
    bool known;
    set_scene(db, &scene);
    int64_t product_id = scene.product.id;
    assert_ok(device_add(db, product_id, &identity, scene.firmware.id, &device, &err), err);
    struct device_secret shared = add(db, product_id, 0), own = add(db, product_id, device.id);
    assert_ok(device_secret_find(db, own.value, &found, &known, &err), err);
    assert_true(known && found.id == own.id && found.device_id == device.id);
    assert_string_equal(found.value, own.value);
    assert_ok(device_secret_find(db, "0123456789abcdef", &found, &known, &err), err);
    assert_false(known);
    assert_false(device_secret_get(db, product_id + 1, own.id, &found, &err));
    assert_int_equal(err.code, ERROR_SECRET_NOT_FOUND);
    twice = shared;
    assert_false(device_secret_add(db, &twice, &err));
    assert_int_equal(err.code, ERROR_INVALID);
}

static void test_who_used_it_and_how_many(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct scene scene;
    struct identity identity = {.kind = ID_UID, .id = "meter"};
    struct device_secret_row *list;
    struct device device;
    struct error err;
    size_t count;
    set_scene(db, &scene);
    int64_t product_id = scene.product.id;
    assert_ok(device_add(db, product_id, &identity, scene.firmware.id, &device, &err), err);
    struct device_secret shared = add(db, product_id, 0), own = add(db, product_id, device.id),
                         twice = shared;
    const struct device_secret_use use = {own.id, NOW};
    assert_ok(device_secret_set_used(db, device.id, &use, &err), err);
    assert_ok(device_secret_list(db, product_id, 0, &list, &count, &err), err);
    assert_int_equal(count, 2);
    assert_true(list[0].secret.id == shared.id && !list[0].devices && !list[0].used_ms);
    assert_true(list[1].secret.id == own.id && list[1].devices == 1 && list[1].used_ms == NOW);
    free(list);
    for (unsigned i = 1; i < DEVICE_SECRETS_MAX; i++)
        add(db, product_id, 0);
    twice.value[0] = '-';
    assert_false(device_secret_add(db, &twice, &err));
    assert_non_null(strstr(err.text, "revoke one before"));
    shared.revoked_ms = NOW;
    assert_ok(device_secret_end(db, &shared, &err), err);
    assert_ok(device_secret_add(db, &twice, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_times),
        cmocka_unit_test_setup_teardown(test_is_found_by_its_value, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_who_used_it_and_how_many, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("storage-device-secret", tests, NULL, NULL);
}
