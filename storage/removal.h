/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Removes devices, firmwares and products that have no history. The caller asks for the uses first, in the
   same transaction: the database refuses to remove a row that another row names. */
#ifndef DFOTA_STORAGE_REMOVAL_H
#define DFOTA_STORAGE_REMOVAL_H

#include "storage/db.h"

struct device_uses {
    int64_t attempts, transcripts;
    int64_t replaces; /* retired devices that name it as their successor */
};
/* What a device has done, besides what is in its row. */
bool removal_device_uses(struct db *db, int64_t device_id, struct device_uses *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Removes the device and its links. */
bool removal_device(struct db *db, int64_t device_id, struct error *err) __attribute__((warn_unused_result));

struct firmware_uses {
    int64_t images, devices;         /* devices that are held or retired count too */
    int64_t links, attempts, claims; /* of devices that have another firmware now */
};
bool removal_firmware_uses(struct db *db, int64_t firmware_id, struct firmware_uses *ret, struct error *err)
    __attribute__((warn_unused_result));
/* With its campaigns; none of them may be live. */
bool removal_firmware(struct db *db, int64_t firmware_id, struct error *err)
    __attribute__((warn_unused_result));

/* Devices of the product, held and retired ones too. */
bool removal_product_devices(struct db *db, int64_t product_id, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));
/* The product must have no firmware left. */
bool removal_product(struct db *db, int64_t product_id, struct error *err)
    __attribute__((warn_unused_result));

#endif
