/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices by confirmed version, day by day: bounded, and written only when something has changed. */
#include "storage/fleet_day.h"
#include "tests/unit/storage/test-storage-scene.h"

static int64_t firmware_id;

static void set_version(struct db *db, struct device *device, const char *version)
{
    struct error err;
    snprintf(device->confirmed_version, sizeof device->confirmed_version, "%s", version);
    device->confirmed_ms = version[0] ? 1 : 0;
    assert_ok(device_update(db, device, &err), err);
}

static void add_devices(struct db *db, const struct scene *scene, struct device *devices, unsigned count)
{
    struct error err;
    for (unsigned i = 0; i < count; i++) {
        struct identity identity;
        char id[24];
        snprintf(id, sizeof id, "8665970%08u", i);
        assert_true(identity_parse(slice_of(id), &identity));
        assert_ok(device_add(db, scene->product.id, &identity, scene->firmware.id, &devices[i], &err), err);
    }
}

static bool differs(struct db *db, int64_t day)
{
    struct error err;
    bool ret;
    assert_ok(fleet_day_differs(db, firmware_id, day, &ret, &err), err);
    return ret;
}

static void store(struct db *db, int64_t day)
{
    struct error err;
    assert_ok(fleet_day_store(db, firmware_id, day, &err), err);
}

/* "day version devices …" */
static void assert_days(struct db *db, int64_t from, const char *expected)
{
    struct fleet_day *rows;
    struct error err;
    char text[400] = "";
    size_t count;
    assert_ok(fleet_day_list(db, firmware_id, from, &rows, &count, &err), err);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d:%s:%d", i ? " " : "",
                 (int)rows[i].day, rows[i].version, (int)rows[i].devices);
    free(rows);
    assert_string_equal(text, expected);
}

static void test_days(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device[3];
    set_scene(place->db, &scene);
    firmware_id = scene.firmware.id;
    assert_false(differs(place->db, 1000));
    add_devices(place->db, &scene, device, 3);
    set_version(place->db, &device[0], "9");
    set_version(place->db, &device[1], "9");
    assert_true(differs(place->db, 1000));
    store(place->db, 1000);
    assert_false(differs(place->db, 1000));
    assert_days(place->db, 0, "1000::1 1000:9:2");

    set_version(place->db, &device[2], "10");
    assert_true(differs(place->db, 1000));
    store(place->db, 1000);
    assert_days(place->db, 0, "1000:10:1 1000:9:2");
    store(place->db, 1001);
    assert_days(place->db, 1001, "1001:10:1 1001:9:2");
    store(place->db, 1000 + FLEET_DAYS + 1);
    assert_days(place->db, 0, "1001:10:1 1001:9:2 1401:10:1 1401:9:2");
}

static void test_many_versions_are_bounded(void **state)
{
    enum { COUNT = FLEET_DAY_VERSIONS + 10 };
    struct place *place = *state;
    struct scene scene;
    static struct device device[COUNT];
    struct fleet_day *rows;
    struct error err;
    size_t count;
    int64_t sum = 0;
    set_scene(place->db, &scene);
    firmware_id = scene.firmware.id;
    add_devices(place->db, &scene, device, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        char version[16];
        snprintf(version, sizeof version, "%u", 100 + i);
        set_version(place->db, &device[i], version);
    }
    store(place->db, 5);
    assert_ok(fleet_day_list(place->db, firmware_id, 0, &rows, &count, &err), err);
    assert_int_equal(count, FLEET_DAY_VERSIONS + 1);
    for (size_t i = 0; i < count; i++)
        sum += rows[i].devices;
    assert_int_equal(sum, COUNT);
    assert_string_equal(rows[0].version, FLEET_DAY_OTHERS);
    assert_int_equal(rows[0].devices, 10);
    free(rows);
    assert_false(differs(place->db, 5));
}

static void test_touched_rows_are_noted(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    db_take_touched(place->db);
    set_scene(place->db, &scene);
    assert_true(db_take_touched(place->db) & DB_TOUCHED_IMAGES);
    add_device(place, &scene, &device);
    assert_int_equal(db_take_touched(place->db), DB_TOUCHED_DEVICES);
    assert_int_equal(db_take_touched(place->db), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_days),
        TEST(test_many_versions_are_bounded),
        TEST(test_touched_rows_are_noted),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
