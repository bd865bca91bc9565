/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Changes of a device that several calls share. Writer's thread. */
#ifndef DFOTA_SERVER_ADMIN_DEVICE_CHANGE_H
#define DFOTA_SERVER_ADMIN_DEVICE_CHANGE_H

#include "server/admin/call.h"
#include "storage/device.h"

/* Retires the device, and ends its open attempts. `successor` is the id of the device in its place; 0: there
   is none. */
bool device_retire(struct db *db, struct device *device, int64_t successor, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* The device takes part from now on; not stored yet. */
void device_make_active(struct device *device);

#endif
