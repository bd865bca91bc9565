/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A product, a firmware and two images for the tests of storage. */
#ifndef DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_SCENE_H
#define DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_SCENE_H

#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/product.h"
#include "tests/unit/storage/test-storage.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_make, place_remove)

struct scene {
    struct product product;
    struct firmware firmware;
    struct image v1, v2;
};

static inline struct sha256 hash_of(const char *text)
{
    struct sha256 hash;
    sha256_of(text, strlen(text), &hash);
    return hash;
}

static inline void add_image(struct db *db, const struct scene *scene, const char *version, const char *bytes,
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

static inline void set_scene(struct db *db, struct scene *ret)
{
    struct error err;
    *ret = (struct scene){.product = {.product_key = "pumps", .name = "村泵", .created_ms = 1}};
    assert_ok(product_add(db, &ret->product, &err), err);
    assert_ok(firmware_ensure(db, ret->product.id, "demo", 1, &ret->firmware, &err), err);
    add_image(db, ret, "9", "nine", &ret->v1);
    add_image(db, ret, "10", "ten", &ret->v2);
}

static inline void add_device(struct place *place, const struct scene *scene, struct device *ret)
{
    struct error err;
    struct identity identity;
    assert_true(identity_parse(slice_of("866597071234567"), &identity));
    assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, ret, &err), err);
}

#endif
