/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/path_params.h"

#include <stdio.h>

#define TEXT_SIZE 256 /* of a version or a device as it may be written: longer than any valid one */

bool path_params_product(const struct request *request, struct db *db, struct product *ret, struct error *err)
{
    char key[PRODUCT_KEY_SIZE];
    if (!request_param(request, 0, key, sizeof key, err))
        return false;
    if (!name_is_product_key(slice_of(key)))
        return error_set(err, ERROR_BAD_NAME,
                         "a product key must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
    return product_get(db, key, ret, err);
}

bool path_params_firmware_text(const struct request *request, char out[FIRMWARE_NAME_SIZE], struct error *err)
{
    if (!request_param(request, 1, out, FIRMWARE_NAME_SIZE, err))
        return false;
    return name_is_firmware(slice_of(out)) ||
           error_set(err, ERROR_BAD_NAME, "a firmware name must be 1 to 100 bytes of UTF-8 without / ? & #");
}

bool path_params_firmware(const struct request *request, struct db *db, struct product *ret_product,
                          struct firmware *ret, struct error *err)
{
    char name[FIRMWARE_NAME_SIZE];
    return path_params_product(request, db, ret_product, err) &&
           path_params_firmware_text(request, name, err) && firmware_get(db, ret_product->id, name, ret, err);
}

bool path_params_version(const struct request *request, unsigned index, const char *firmware,
                         struct version *ret, struct error *err)
{
    char text[TEXT_SIZE];
    return request_param(request, index, text, sizeof text, err) &&
           name_parse_version_of(slice_of(text), firmware, ret, err);
}

bool path_params_variant(const struct request *request, const char *name, char ret[VARIANT_SIZE],
                         bool *ret_given, struct error *err)
{
    char text[TEXT_SIZE];
    ret[0] = '\0';
    if (!request_query(request, name, text, sizeof text, ret_given, err))
        return false;
    if (!*ret_given || !text[0])
        return true;
    if (!name_is_variant(slice_of(text)))
        return error_set(err, ERROR_BAD_REQUEST, "%s must be 1 to 32 characters of a-z 0-9 . _ -", name);
    return slice_copy(slice_of(text), ret, VARIANT_SIZE);
}

bool path_params_build(const struct request *request, struct db *db, int64_t firmware_id, const char *version,
                       const char *name, struct image *ret, struct error *err)
{
    char variant[VARIANT_SIZE];
    bool given;
    if (!path_params_variant(request, name, variant, &given, err))
        return false;
    return given ? image_get_build(db, firmware_id, version, variant, ret, err)
                 : image_get(db, firmware_id, version, ret, err);
}

bool path_params_image(const struct request *request, struct db *db, struct product *ret_product,
                       struct firmware *ret_firmware, struct image *ret, struct error *err)
{
    struct version version;
    char text[VERSION_TEXT_SIZE];
    if (!path_params_firmware(request, db, ret_product, ret_firmware, err) ||
        !path_params_version(request, 2, ret_firmware->name, &version, err))
        return false;
    version_format(&version, text);
    return path_params_build(request, db, ret_firmware->id, text, "variant", ret, err);
}

bool path_params_named_image(const struct request *request, struct db *db, struct product *ret_product,
                             struct firmware *ret_firmware, struct image *ret, struct error *err)
{
    char variant[VARIANT_SIZE], builds[BUILDS_SIZE];
    size_t count;
    bool given;
    if (!path_params_image(request, db, ret_product, ret_firmware, ret, err) ||
        !path_params_variant(request, "variant", variant, &given, err) ||
        !image_builds(db, ret_firmware->id, ret->version, builds, &count, err))
        return false;
    return given || count == 1 ||
           error_set(err, ERROR_SEVERAL_BUILDS,
                     "version %s has several builds (variants %s): name the one to change with variant",
                     ret->version, builds);
}

static bool refuse_device(const char *text, struct error *err)
{
    return error_set(
        err, ERROR_BAD_DEVICE,
        "'%s' is not a device id: write imei: with 14 to 16 digits or a text with a letter, mac: with 8 to "
        "64 hex "
        "digits, or uid: with 1 to 64 visible ASCII characters; only zeros, or a word such as nil, is not "
        "an id",
        text);
}

bool names_identity_in(struct db *db, int64_t product_id, struct slice text, struct identity *ret,
                       struct error *err)
{
    struct device device;
    bool found;
    if (!identity_parse(text, ret))
        return refuse_device(text.ptr, err);
    if (!device_look_up(db, product_id, text, &device, &found, err))
        return false;
    if (found) {
        ret->kind = device.id_kind;
        snprintf(ret->id, sizeof ret->id, "%s", device.device);
    }
    return true;
}

bool path_params_identity(const struct request *request, struct db *db, int64_t product_id,
                          struct identity *ret, struct error *err)
{
    char text[TEXT_SIZE];
    return request_param(request, 1, text, sizeof text, err) &&
           names_identity_in(db, product_id, slice_of(text), ret, err);
}

bool path_params_device(const struct request *request, struct db *db, struct product *ret_product,
                        struct device *ret, struct error *err)
{
    struct identity identity;
    return path_params_product(request, db, ret_product, err) &&
           path_params_identity(request, db, ret_product->id, &identity, err) &&
           device_get(db, ret_product->id, &identity, ret, err);
}

bool path_params_token_id(const struct request *request, int64_t *ret, struct error *err)
{
    uint64_t id;
    if (!slice_u64(request->param[0], &id) || id > INT64_MAX)
        return error_set(err, ERROR_TOKEN_NOT_FOUND, "a token has a number: see GET /tokens");
    *ret = (int64_t)id;
    return true;
}

bool path_params_token(const struct request *request, struct db *db, struct token *ret, struct error *err)
{
    int64_t id = 0;
    return path_params_token_id(request, &id, err) && token_get(db, id, ret, err);
}
