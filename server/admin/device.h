/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices as the API shows them. */
#ifndef DFOTA_SERVER_ADMIN_DEVICE_H
#define DFOTA_SERVER_ADMIN_DEVICE_H

#include <jansson.h>

#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/said.h"

/* Without its links and attempts. Times of the device that are ahead of now are set to now. */
/* Sets build_name: the build of its confirmed version that the device runs; null: it is not known. */
bool device_add_build(struct db *db, const struct device *device, json_t *json, struct error *err);
json_t *device_to_json(struct device *device, const char *firmware, const struct said *said);

/* What the device was answered last; null: nothing. */
json_t *device_answer_to_json(const struct device *device);

/* Finds the firmware with this id, unless *last is that firmware: most devices of a product have the same. */
bool device_name_firmware(struct db *db, int64_t id, struct firmware *last, struct error *err)
    __attribute__((warn_unused_result));

#endif
