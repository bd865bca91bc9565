/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a device by month. */
#include "storage/traffic.h"
#include "tests/unit/storage/test-storage-scene.h"

static int64_t device_of(struct place *place, const struct scene *scene, unsigned number)
{
    struct identity identity = {.kind = ID_UID};
    struct device device;
    struct error err;
    snprintf(identity.id, sizeof identity.id, "unit-%u", number);
    assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, &device, &err), err);
    return device.id;
}

static void add(struct place *place, int64_t device_id, int64_t month, int64_t bytes)
{
    struct error err;
    assert_ok(traffic_add(place->db, device_id, month, bytes, &err), err);
}

static int64_t bytes_of(struct place *place, int64_t device_id, int64_t month)
{
    struct error err;
    int64_t bytes;
    assert_ok(traffic_of(place->db, device_id, month, &bytes, &err), err);
    return bytes;
}

static void test_bytes_add_up_by_device_and_month(void **state)
{
    struct place *place = *state;
    struct scene scene;
    set_scene(place->db, &scene);
    int64_t one = device_of(place, &scene, 1), two = device_of(place, &scene, 2);
    add(place, one, 24322, 1000);
    add(place, one, 24322, 500);
    add(place, one, 24323, 7);
    add(place, two, 24322, 1);
    assert_int_equal(bytes_of(place, one, 24322), 1500);
    assert_int_equal(bytes_of(place, one, 24323), 7);
    assert_int_equal(bytes_of(place, one, 24324), 0);
    assert_int_equal(bytes_of(place, two, 24322), 1);
}

static void test_old_months_are_removed(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct error err;
    int64_t removed;
    set_scene(place->db, &scene);
    int64_t device = device_of(place, &scene, 1);
    for (int64_t month = 24310; month < 24324; month++)
        add(place, device, month, month);
    assert_ok(traffic_remove(place->db, 24322, 5, &removed, &err), err);
    assert_int_equal(removed, 5);
    assert_ok(traffic_remove(place->db, 24322, 500, &removed, &err), err);
    assert_int_equal(removed, 7);
    assert_int_equal(bytes_of(place, device, 24321), 0);
    assert_int_equal(bytes_of(place, device, 24322), 24322);
    assert_int_equal(bytes_of(place, device, 24323), 24323);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_add_up_by_device_and_month, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_old_months_are_removed, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
