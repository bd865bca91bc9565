/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The parameters in the path of a request: read, checked and looked up, with the fitting error. Param 0 is
   the product, param 1 the firmware or the device. Any thread. Names are looked up over the caller's
   connection, so the same functions serve handlers and, inside a change, the writer. */
#ifndef DFOTA_SERVER_ADMIN_PATH_PARAMS_H
#define DFOTA_SERVER_ADMIN_PATH_PARAMS_H

#include "server/http/request.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/product.h"
#include "storage/token.h"

bool path_params_product(const struct request *request, struct db *db, struct product *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Reads only the name, because the first image creates the firmware. ERROR_BAD_NAME. */
bool path_params_firmware_text(const struct request *request, char out[FIRMWARE_NAME_SIZE], struct error *err)
    __attribute__((warn_unused_result));
/* The firmware and its product. */
bool path_params_firmware(const struct request *request, struct db *db, struct product *ret_product,
                          struct firmware *ret, struct error *err) __attribute__((warn_unused_result));

/* A version of that firmware, normalised. ERROR_BAD_VERSION, ERROR_WRONG_FIRMWARE. */
bool path_params_version(const struct request *request, unsigned index, const char *firmware,
                         struct version *ret, struct error *err) __attribute__((warn_unused_result));
/* `name` in the query: the variant of an image. *ret_given is false without it; "" is a variant too. ERROR_BAD_REQUEST. */
bool path_params_variant(const struct request *request, const char *name, char ret[VARIANT_SIZE],
                         bool *ret_given, struct error *err) __attribute__((warn_unused_result));
/* The build of `version` that the query names as `name`, else image_get(). */
bool path_params_build(const struct request *request, struct db *db, int64_t firmware_id, const char *version,
                       const char *name, struct image *ret, struct error *err)
    __attribute__((warn_unused_result));
/* The image with its product and firmware; the version is param 2, `variant` may be in the query. */
bool path_params_image(const struct request *request, struct db *db, struct product *ret_product,
                       struct firmware *ret_firmware, struct image *ret, struct error *err)
    __attribute__((warn_unused_result));
/* As path_params_image(), for a change: of several builds, the query must name the one, even beside a default. */
bool path_params_named_image(const struct request *request, struct db *db, struct product *ret_product,
                             struct firmware *ret_firmware, struct image *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The id of the device: in the form in which it is stored, or as a new device would be named.
   ERROR_BAD_DEVICE. */
bool path_params_identity(const struct request *request, struct db *db, int64_t product_id,
                          struct identity *ret, struct error *err) __attribute__((warn_unused_result));
/* Like path_params_identity(), for a text from elsewhere that ends with a NUL. */
bool names_identity_in(struct db *db, int64_t product_id, struct slice text, struct identity *ret,
                       struct error *err) __attribute__((warn_unused_result));
/* The firmware and its product. */
bool path_params_device(const struct request *request, struct db *db, struct product *ret_product,
                        struct device *ret, struct error *err) __attribute__((warn_unused_result));

/* The number in the path, which no token need have; and the token. ERROR_TOKEN_NOT_FOUND. */
bool path_params_token_id(const struct request *request, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));
bool path_params_token(const struct request *request, struct db *db, struct token *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
