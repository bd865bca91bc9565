/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names, versions and ids of devices that the server refused: what an admin has to correct, on either side. */
#ifndef DFOTA_STORAGE_UNKNOWN_H
#define DFOTA_STORAGE_UNKNOWN_H

#include "storage/db.h"
#include "upgrade/name.h"

#define UNKNOWN_TEXT_SIZE    121
#define UNKNOWN_DEVICE_SIZE  81 /* "imei:…" and up to 64 characters of an id, or what was sent for one */
#define UNKNOWN_DEVICES_MAX  8
#define UNKNOWN_DEVICES_SIZE (UNKNOWN_DEVICES_MAX * UNKNOWN_DEVICE_SIZE)
#define UNKNOWN_OF_PRODUCT   100 /* rows */
#define UNKNOWN_ROWS_MAX     1000

struct unknown {
    int64_t id;
    char product[PRODUCT_KEY_SIZE];    /* "": of none, its key is what is unknown */
    char kind[9];                      /* "product", "firmware", "version", "id" */
    char firmware[FIRMWARE_NAME_SIZE]; /* of a version, else "" */
    char text[UNKNOWN_TEXT_SIZE];
    int64_t code, count;
    char devices[UNKNOWN_DEVICES_SIZE]; /* the last one first, a blank between; full: there may be more */
    int64_t first_ms, last_ms;
};

/* Puts a device first in row->devices; the ninth leaves. */
void unknown_put_device(struct unknown *row, const char *device);
unsigned unknown_device_count(const struct unknown *row);

/* Adds the counts and devices of `row` to what is stored under the same product, kind, firmware and text. */
bool unknown_add(struct db *db, const struct unknown *row, struct error *err);
/* Removes what is too much, the least counted and then the oldest first. */
bool unknown_trim(struct db *db, const char *product, struct error *err);
/* Newest first; product NULL: of all. *ret is the caller's (free). */
bool unknown_list(struct db *db, const char *product, struct unknown **ret, size_t *ret_count,
                  struct error *err);
/* id 0: all. ERROR_NOT_FOUND. */
bool unknown_remove(struct db *db, int64_t id, struct error *err);

#endif
