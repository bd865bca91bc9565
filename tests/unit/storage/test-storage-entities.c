/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the entities promise beyond storing a row. */
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/link.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/turnkey.h"
#include "tests/unit/storage/test-storage.h"

struct scene {
    struct product product;
    struct firmware firmware;
    struct image v1, v2;
};

static struct sha256 hash_of(const char *text)
{
    struct sha256 hash;
    sha256_of(text, strlen(text), &hash);
    return hash;
}

static void add_image(struct db *db, const struct scene *scene, const char *version, const char *bytes,
                      struct image *ret)
{
    struct error err;
    bool is_new;
    *ret = (struct image){
        .firmware_id = scene->firmware.id, .sha256 = hash_of(bytes), .size_bytes = 100, .uploaded_ms = 1};
    strcpy(ret->version, version);
    assert_ok(image_add(db, scene->product.id, ret, &is_new, &err), err);
    assert_true(is_new);
}

static void set_scene(struct db *db, struct scene *ret)
{
    struct error err;
    *ret = (struct scene){.product = {.product_key = "pumps", .name = "村泵", .created_ms = 1}};
    assert_ok(product_add(db, &ret->product, &err), err);
    assert_ok(firmware_ensure(db, ret->product.id, "demo", 1, &ret->firmware, &err), err);
    add_image(db, ret, "9", "nine", &ret->v1);
    add_image(db, ret, "10", "ten", &ret->v2);
}

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
    assert_string_equal(other.warnings, "the same bytes are here as version 9; was a file renamed?");
    assert_ok(image_list(place->db, scene.firmware.id, &list, &count, &err), err);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].version, "9");
    assert_string_equal(list[1].version, "10");
    assert_string_equal(list[2].version, "11");
    assert_string_equal(list[2].warnings, other.warnings);
    free(list);
}

/* Good until it is called again. */
static const struct package_key *key_of(const struct sha256 *from, const struct sha256 *to)
{
    static struct package_key key;
    key = (struct package_key){.from = *from, .to = *to, .format = "bsdiff", .firmware_id = 1};
    return &key;
}

static void set_ready(struct place *place, const struct package *package, struct package_made made)
{
    struct error err;
    made.origin = made.origin ? made.origin : "made";
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
    claim(place, &package, false); /* a need alone does not try again */
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
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &ready, &err), err);
    assert_true(ready);
    assert_ok(package_make_again(place->db, &bytes, 9, &err), err);
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &ready, &err), err);
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
              (struct package_made){.size_bytes = 77, .sha256 = bytes, .origin = "external"});
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_UNPROVEN);
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &servable, &err), err);
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

/* Whatever state the row is in, and whatever the job that holds it does then. */
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
    assert_string_equal(package.origin, "uploaded");
    assert_string_equal(package.uploaded_by, "Ann");
    assert_int_equal(package.effort, EFFORT_NONE);
    assert_string_equal(package.error, "");
}

/* A job that runs on for a forgotten row must not find another one under its number. */
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
    find(place, &scene, &package); /* it was not uploaded */
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
    assert_ok(package_is_servable(place->db, &bytes, scene.firmware.id, &servable, &err), err);
    assert_true(servable);
    put(place, &scene, &others, false);
    find(place, &scene, &package);
    assert_int_equal(package_state(&package), PACKAGE_UNPROVEN);
    assert_string_equal(package.released_by, "");
    assert_ok(package_release(place->db, package.id, scene.firmware.id, "Jan", "why", 11, &err), err);
    assert_ok(package_take_back(place->db, package.id, scene.firmware.id, &err), err);
    assert_ok(package_is_servable(place->db, &others, scene.firmware.id, &servable, &err), err);
    assert_false(servable);
}

/* Nobody here can make it again: it fails until it is brought again, or an admin asks for one of ours. */
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
    assert_string_equal(package.origin, "made");
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

static void add_device(struct place *place, const struct scene *scene, struct device *ret)
{
    struct error err;
    struct identity identity;
    assert_true(identity_parse(slice_of("866597071234567"), &identity));
    assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, ret, &err), err);
}

static int64_t add_id(struct place *place, const struct scene *scene, const char *text)
{
    struct error err;
    struct identity identity;
    struct device device;
    bool found;
    assert_true(identity_parse(slice_of(text), &identity));
    assert_ok(device_find(place->db, scene->product.id, &identity, &device, &found, &err), err);
    if (!found)
        assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, &device, &err),
                  err);
    return device.id;
}

/* The first 14 digits name the module; behind them a check digit, or two of a software version. A row keeps the form in
   which it was made, so what an older server has stored is found as before. */
static void test_one_imei_is_one_device_in_three_lengths(void **state)
{
    static const char *const forms[] = {"86659707123456", "866597071234569", "8665970712345601",
                                        "8665970712345602"};
    struct place *place = *state;
    struct scene scene;
    set_scene(place->db, &scene);
    for (size_t first = 0; first < 4; first++) {
        char text[24];
        int64_t id = 0;
        for (size_t i = 0; i < 4; i++) {
            const char *form = forms[(first + i) % 4];
            snprintf(text, sizeof text, "8665970%zu%s", first, form + 8); /* another module in each round */
            if (strlen(form) == 15)
                identity_complete_imei(text, text);
            int64_t here = add_id(place, &scene, text);
            assert_true(i == 0 || here == id);
            id = here;
        }
    }
}

/* Of two rows with the same 14 digits an older server may have made both: each is found by its own digits. */
static void test_imeis_that_are_two_rows_remain_two(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct identity identity;
    struct device device;
    struct error err;
    set_scene(place->db, &scene);
    int64_t wrong = add_id(place, &scene, "866597071234567"),
            right = add_id(place, &scene, "866597071234569");
    assert_int_not_equal(wrong, right);
    assert_int_equal(add_id(place, &scene, "8665970712345678"),
                     right); /* the one with the right check digit */
    assert_int_equal(add_id(place, &scene, "86659707123456"), right);
    assert_true(identity_parse(slice_of("86659707123456"), &identity));
    assert_ok(device_add(place->db, scene.product.id, &identity, scene.firmware.id, &device, &err), err);
    assert_int_equal(add_id(place, &scene, "86659707123456"), device.id);
    assert_int_equal(add_id(place, &scene, "866597071234567"), wrong);
    assert_int_equal(add_id(place, &scene, "866597071234569"), right);
    int64_t other = add_id(place, &scene, "86659707123457");
    assert_true(other != wrong && other != right && other != device.id);
}

static void test_a_device_is_looked_up_by_all_readings(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    int64_t id = add_id(place, &scene, "imei:C81234567830");
    assert_ok(device_look_up(place->db, scene.product.id, slice_of("C81234567830"), &device, &found, &err),
              err);
    assert_true(found && device.id == id);
    assert_ok(
        device_look_up(place->db, scene.product.id, slice_of("mac:C81234567830"), &device, &found, &err),
        err);
    assert_false(found);
}

static void test_device_has_one_open_attempt(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    struct attempt attempt = {.device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 1};
    strcpy(attempt.state, "waiting");
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    struct attempt second = attempt;
    assert_false(attempt_add(place->db, &second, &err));
    strcpy(attempt.state, "abandoned");
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_ok(attempt_open_of(place->db, device.id, false, &second, &found, &err), err);
    assert_false(found);
    strcpy(second.state, "sending");
    second = (struct attempt){.device_id = device.id, .firmware_id = scene.firmware.id, .created_ms = 2};
    strcpy(second.state, "sending");
    assert_ok(attempt_add(place->db, &second, &err), err);
    assert_ok(attempt_interrupt_all(place->db, &err), err);
    assert_ok(attempt_open_of(place->db, device.id, false, &attempt, &found, &err), err);
    assert_true(found);
    assert_string_equal(attempt.state, "interrupted");
}

static void test_seen_counts_do_not_overwrite(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(device_seen(place->db, device.id, 3, 100, &err), err);
    strcpy(device.confirmed_version, "9");
    strcpy(device.confirmed_by, "check-in");
    assert_ok(device_update(place->db, &device, &err), err);
    assert_ok(device_seen(place->db, device.id, 2, 90, &err), err);
    assert_ok(device_by_id(place->db, device.id, &device, &found, &err), err);
    assert_int_equal(device.check_ins, 5);
    assert_int_equal(device.last_seen_ms, 100);
    assert_string_equal(device.confirmed_version, "9");
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
                         .kind = "full",
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
                              .state = "waiting",
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
    snprintf(made.result_form, sizeof made.result_form, "json");
    assert_ok(turnkey_set_result(place->db, &made, &err), err);
    assert_ok(turnkey_by_sn(place->db, made.fota_sn, &found, &is_there, &err), err);
    assert_true(is_there);
    assert_int_equal(found.attempt_id, attempt.id);
    assert_int_equal(found.result_code, 2);
    assert_string_equal(found.result_form, "json");

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

/* A stranger with many addresses does not fill the disk, and does not close the guard for those told apart. */
static void test_loop_guard_by_origin(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct guard guard;
    struct error err;
    char origin[ORIGIN_SIZE];
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    for (int i = 0; i < 40; i++) {
        snprintf(origin, sizeof origin, "192.0.2.%d", i);
        assert_ok(device_guard_load(place->db, device.id, origin, 0, 10, &guard, &err), err);
        assert_string_equal(guard.origin, i < 32 ? origin : "others");
        assert_int_equal(guard.begun, i < 32 ? 0 : i - 32);
        assert_ok(device_begun_add(place->db, device.id, guard.origin, 5, &err), err);
    }
    assert_ok(device_guard_close(place->db, device.id, "others", &err), err);
    assert_ok(device_guard_load(place->db, device.id, "192.0.2.7", 0, 10, &guard, &err), err);
    assert_false(guard.closed);
    assert_int_equal(guard.begun, 1);
    assert_ok(device_guard_load(place->db, device.id, "198.51.100.1", 0, 10, &guard, &err), err);
    assert_true(guard.closed);
    assert_ok(device_guard_load(place->db, device.id, "", 0, 10, &guard, &err),
              err); /* not told apart: all of them */
    assert_int_equal(guard.begun, 40);
    assert_true(guard.closed);
    assert_ok(device_guard_open(place->db, device.id, &err), err);
    assert_ok(device_guard_load(place->db, device.id, "198.51.100.1", 0, 10, &guard, &err), err);
    assert_false(guard.closed);
}

#define AHEAD_MS (30LL * 24 * 3600 * 1000)

static void test_the_loop_guard_counts_nothing_ahead(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct device device;
    struct guard guard;
    struct error err;
    set_scene(place->db, &scene);
    add_device(place, &scene, &device);
    assert_ok(device_begun_add(place->db, device.id, "192.0.2.1", AHEAD_MS, &err), err);
    assert_ok(device_guard_load(place->db, device.id, "192.0.2.1", 0, 10, &guard, &err), err);
    assert_int_equal(guard.begun, 0);
    assert_ok(device_begun_add(place->db, device.id, "192.0.2.1", 10, &err), err); /* drops it */
    assert_ok(device_guard_load(place->db, device.id, "192.0.2.1", 0, AHEAD_MS, &guard, &err), err);
    assert_int_equal(guard.begun, 1);
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
                        .handed_out = 1};
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

/* Which links were handed out before and which after, whatever the clock said then. */
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
        TEST(test_loop_guard_by_origin),
        TEST(test_the_loop_guard_counts_nothing_ahead),
        TEST(test_networks_of_other_days_go),
        TEST(test_trust_and_a_clock_that_ran_ahead),
        TEST(test_product_key_is_taken_once),
        TEST(test_format_by_name),
        TEST(test_images),
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
        TEST(test_one_imei_is_one_device_in_three_lengths),
        TEST(test_imeis_that_are_two_rows_remain_two),
        TEST(test_a_device_is_looked_up_by_all_readings),
        TEST(test_device_has_one_open_attempt),
        TEST(test_seen_counts_do_not_overwrite),
        TEST(test_missing_bases),
        TEST(test_links),
        TEST(test_a_full_package_is_servable_until_it_is_withdrawn),
        TEST(test_turnkey_numbers_links_and_results),
        TEST(test_savepoint_takes_back_only_its_own),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
