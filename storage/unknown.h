/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names, versions and ids of devices that the server refused. An admin has to correct them, here or in the
   devices. */
#ifndef DFOTA_STORAGE_UNKNOWN_H
#define DFOTA_STORAGE_UNKNOWN_H

#include "storage/db.h"
#include "upgrade/name.h"

#define UNKNOWN_TEXT_SIZE    121
#define UNKNOWN_DEVICE_SIZE  81 /* "imei:…" and up to 64 characters of an id, or what was sent as an id */
#define UNKNOWN_DEVICES_MAX  8
#define UNKNOWN_DEVICES_SIZE (UNKNOWN_DEVICES_MAX * UNKNOWN_DEVICE_SIZE)
#define UNKNOWN_OF_PRODUCT   100 /* rows */
#define UNKNOWN_ROWS_MAX     1000

enum unknown_kind { UNKNOWN_PRODUCT, UNKNOWN_FIRMWARE, UNKNOWN_VERSION, UNKNOWN_ID };
extern const struct enum_names unknown_kind_names; /* "product", "firmware", "version", "id" */

struct unknown {
    int64_t id;
    char product[PRODUCT_KEY_SIZE]; /* "": the product itself is unknown */
    enum unknown_kind kind;
    char firmware[FIRMWARE_NAME_SIZE]; /* of a version, else "" */
    char text[UNKNOWN_TEXT_SIZE];
    int64_t code, count;
    /* The last one first, with spaces between. When full there may be more. */
    char devices[UNKNOWN_DEVICES_SIZE];
    int64_t first_ms, last_ms;
};

/* Puts a device first in row->devices, and removes the ninth. */
void unknown_put_device(struct unknown *row, const char *device);
unsigned unknown_device_count(const struct unknown *row);

/* Whether both are about the same product, kind, firmware and text. */
bool unknown_is_same(const struct unknown *a, const struct unknown *b);

/* Adds the count and the devices of `row` to the stored row of the same product, kind, firmware and text. */
bool unknown_add(struct db *db, const struct unknown *row, struct error *err);
/* Removes rows over the limits: those with the lowest count first, then the oldest. */
bool unknown_trim(struct db *db, const char *product, struct error *err);
/* Newest first; product NULL: of all. *ret is the caller's (free). */
bool unknown_list(struct db *db, const char *product, struct unknown **ret, size_t *ret_count,
                  struct error *err);
/* id 0: all rows. ERROR_NOT_FOUND when there is no such row. */
bool unknown_remove(struct db *db, int64_t id, struct error *err);

#endif
