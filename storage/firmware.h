/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware: a named line in a product, with its package format, its limit and its target. */
#ifndef DFOTA_STORAGE_FIRMWARE_H
#define DFOTA_STORAGE_FIRMWARE_H

#include "storage/db.h"
#include "upgrade/family.h"
#include "upgrade/name.h"

#define FORMAT_SIZE               16
#define ADMIN_NAME_SIZE           101    /* who did it, as that admin names himself: 1 to 100 bytes */
#define DEFAULT_MAX_PACKAGE_BYTES 491520 /* the FOTA partition of EC618 modules (Air780E), 480 KiB */

struct firmware {
    int64_t id, product_id;
    char name[FIRMWARE_NAME_SIZE];
    char format[FORMAT_SIZE]; /* "": none set */
    int64_t max_package_bytes;
    int64_t target_image_id;        /* 0: no target */
    char target[VERSION_TEXT_SIZE]; /* its version, "": none */
    int64_t downgrades;             /* 1: an admin allows the way back */
    int64_t format_is_default;      /* 1: nobody chose the format */
    char family
        [FAMILY_NAME_SIZE]; /* what its images were found to be for (upgrade/family.h), "": nothing known */
    int64_t created_ms;
};

struct firmware_counts {
    int64_t images, devices;
};

struct firmware_name {
    char text[FIRMWARE_NAME_SIZE];
};

struct missing_base {
    char version[VERSION_TEXT_SIZE];
    int64_t devices;
};

bool firmware_find(struct db *db, int64_t product_id, const char *name, struct firmware *ret, bool *ret_found,
                   struct error *err);
/* As firmware_find; ERROR_FIRMWARE_NOT_FOUND when it is not there. */
bool firmware_get(struct db *db, int64_t product_id, const char *name, struct firmware *ret,
                  struct error *err);
bool firmware_by_id(struct db *db, int64_t id, struct firmware *ret, bool *ret_found, struct error *err);
/* A firmware of this name exists in some product. */
bool firmware_is_anywhere(struct db *db, const char *name, bool *ret, struct error *err);
/* The firmware, made with the defaults of its name (format, limit) where it is not there yet: bsdiff, unless its name is
   that of a family with an updater of its own. */
bool firmware_ensure(struct db *db, int64_t product_id, const char *name, int64_t now_ms,
                     struct firmware *ret, struct error *err);
/* Stores format, max_package_bytes, target_image_id, downgrades, format_is_default and family. */
bool firmware_update(struct db *db, const struct firmware *firmware, struct error *err);
/* By name; *ret is the caller's (free). */
bool firmware_list(struct db *db, int64_t product_id, struct firmware **ret, size_t *ret_count,
                   struct error *err);
bool firmware_count(struct db *db, int64_t firmware_id, struct firmware_counts *ret, struct error *err);
/* Versions that devices ask from and that have no image, most devices first; *ret is the caller's (free). */
bool firmware_missing_bases(struct db *db, int64_t firmware_id, struct missing_base **ret, size_t *ret_count,
                            struct error *err);
/* Names of firmwares that have an image of these bytes, in whatever product; *ret is the caller's (free). */
bool firmware_names_of_image(struct db *db, const struct sha256 *sha256, struct firmware_name **ret,
                             size_t *ret_count, struct error *err);

#endif
