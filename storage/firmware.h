/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware: a named line of versions in a product, with its package format, its size limit and its target. */
#ifndef DFOTA_STORAGE_FIRMWARE_H
#define DFOTA_STORAGE_FIRMWARE_H

#include "storage/db.h"
#include "storage/image.h"
#include "upgrade/family.h"
#include "upgrade/hours.h"
#include "upgrade/name.h"

#define FORMAT_SIZE               16
#define ADMIN_NAME_SIZE           101    /* the name that an admin gives: 1 to 100 bytes */
#define DEFAULT_MAX_PACKAGE_BYTES 491520 /* the FOTA partition of EC618 modules (Air780E), 480 KiB */

/* Whether full packages of CSDK are sent. An admin says that the devices have the code for them. */
enum full_packages {
    FULL_PACKAGES_OFF,
    FULL_PACKAGES_ALLOWED,  /* where no path of deltas leads, or where they have fewer bytes than the path */
    FULL_PACKAGES_PREFERRED /* before deltas */
};
extern const struct enum_names full_packages_names; /* "off", "allowed", "preferred" */

struct firmware {
    int64_t id, product_id;
    char name[FIRMWARE_NAME_SIZE];
    char format[FORMAT_SIZE]; /* "": not set */
    int64_t max_package_bytes;
    char target[VERSION_TEXT_SIZE]; /* of its plain campaign (storage/campaign.h), "": no target */
    bool downgrades;                /* an admin allows downgrades */
    int64_t canary_confirmations;   /* upgrade/canary.h; 0: no canary */
    int64_t quarantine_after;
    char hours[HOURS_SIZE];        /* upgrade/hours.h: in which downloads begin */
    int64_t max_bytes_per_month;   /* sent to a device; 0: no limit */
    bool format_is_default;        /* nobody chose the format */
    char family[FAMILY_NAME_SIZE]; /* the family that the images are for (upgrade/family.h), "": not known */
    enum full_packages full_packages;
    int64_t created_ms;
};

/* Whether full packages are served: an admin has said so, and the format is that of CSDK. */
bool firmware_takes_full_packages(const struct firmware *firmware);
bool firmware_prefers_full_packages(const struct firmware *firmware);

struct firmware_counts {
    int64_t images, devices; /* active devices */
};

struct firmware_name {
    char text[FIRMWARE_NAME_SIZE];
};

struct firmware_chip {
    char text[CHIP_SIZE];
};

struct missing_base {
    char version[VERSION_TEXT_SIZE];
    int64_t devices;
};

bool firmware_find(struct db *db, int64_t product_id, const char *name, struct firmware *ret, bool *ret_found,
                   struct error *err);
/* As firmware_find(); ERROR_FIRMWARE_NOT_FOUND when there is no such firmware. */
bool firmware_get(struct db *db, int64_t product_id, const char *name, struct firmware *ret,
                  struct error *err);
bool firmware_by_id(struct db *db, int64_t id, struct firmware *ret, bool *ret_found, struct error *err);
/* Whether any product has a firmware of this name. */
bool firmware_is_anywhere(struct db *db, const char *name, bool *ret, struct error *err);
/* Finds the firmware, or adds it with default format and limit. The default format is bsdiff; a name of a
   family that has its own updater gets no format. */
bool firmware_ensure(struct db *db, int64_t product_id, const char *name, int64_t now_ms,
                     struct firmware *ret, struct error *err);
/* Stores format, max_package_bytes, downgrades, canary_confirmations, quarantine_after,
   hours, max_bytes_per_month, format_is_default, family and full_packages. */
bool firmware_update(struct db *db, const struct firmware *firmware, struct error *err);
/* ERROR_FIRMWARE_EXISTS: another firmware of the product has this name. */
bool firmware_rename(struct db *db, struct firmware *firmware, const char *name, struct error *err);
/* By name; *ret is the caller's (free). */
bool firmware_list(struct db *db, int64_t product_id, struct firmware **ret, size_t *ret_count,
                   struct error *err);
bool firmware_count(struct db *db, int64_t firmware_id, struct firmware_counts *ret, struct error *err);
/* What the images say of their chips (image.chip), each text once; *ret is the caller's (free). A withdrawn image counts:
   devices that run it still get packages. */
bool firmware_chips(struct db *db, int64_t firmware_id, struct firmware_chip **ret, size_t *ret_count,
                    struct error *err) __attribute__((warn_unused_result));
/* Versions that devices ask from and that have no image, most devices first, at most 1000; *ret is the
   caller's (free). */
bool firmware_missing_bases(struct db *db, int64_t firmware_id, struct missing_base **ret, size_t *ret_count,
                            struct error *err);
/* Names of the firmwares, of all products, that have an image of these bytes; *ret is the caller's (free). */
bool firmware_names_of_image(struct db *db, const struct sha256 *sha256, struct firmware_name **ret,
                             size_t *ret_count, struct error *err);

#endif
