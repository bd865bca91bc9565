/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What stands in the path of a request: read, checked and looked up, with the error that fits each. Param 0
   is the product, param 1 the firmware or the device. Any thread; the names are looked up over the caller's
   connection, so the same functions serve handlers and, inside a change, the writer. */
#ifndef DFOTA_SERVER_ADMIN_PATH_PARAMS_H
#define DFOTA_SERVER_ADMIN_PATH_PARAMS_H

#include "server/http/request.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/product.h"

bool path_params_product(const struct request *request, struct db *db, struct product *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Only read: the first image makes the firmware. ERROR_BAD_NAME. */
bool path_params_firmware_text(const struct request *request, char out[FIRMWARE_NAME_SIZE], struct error *err)
    __attribute__((warn_unused_result));
/* With its product. */
bool path_params_firmware(const struct request *request, struct db *db, struct product *ret_product,
                          struct firmware *ret, struct error *err) __attribute__((warn_unused_result));

/* A version of that firmware, normalised. ERROR_BAD_VERSION, ERROR_WRONG_FIRMWARE. */
bool path_params_version(const struct request *request, unsigned index, const char *firmware,
                         struct version *ret, struct error *err) __attribute__((warn_unused_result));
/* With its product and firmware; the version is param 2. */
bool path_params_image(const struct request *request, struct db *db, struct product *ret_product,
                       struct firmware *ret_firmware, struct image *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Of the device that is there, in the form in which it is kept, or as a new one would be named. ERROR_BAD_DEVICE. */
bool path_params_identity(const struct request *request, struct db *db, int64_t product_id,
                          struct identity *ret, struct error *err) __attribute__((warn_unused_result));
/* The same for a text from elsewhere, NUL behind it. */
bool names_identity_in(struct db *db, int64_t product_id, struct slice text, struct identity *ret,
                       struct error *err) __attribute__((warn_unused_result));
/* With its product. */
bool path_params_device(const struct request *request, struct db *db, struct product *ret_product,
                        struct device *ret, struct error *err) __attribute__((warn_unused_result));

#endif
