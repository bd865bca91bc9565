/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Images: the full file of one version. The bytes are a blob (blob.h) named by their SHA-256. Several builds of one
   version may be stored, each with its own variant. */
#ifndef DFOTA_STORAGE_IMAGE_H
#define DFOTA_STORAGE_IMAGE_H

#include "storage/db.h"
#include "upgrade/full.h"
#include "upgrade/name.h"
#include "upgrade/planner.h"

#define FILE_NAME_SIZE 256
#define WARNING_SIZE   320
#define WARNINGS_SIZE  1000
#define CONTENT_SIZE   200
#define CHIP_SIZE      64

enum image_kind { IMAGE_PLAIN, IMAGE_FULL };     /* IMAGE_FULL: a full package */
extern const struct enum_names image_kind_names; /* "image", "full" */

struct image {
    int64_t id, firmware_id;
    char version[VERSION_TEXT_SIZE]; /* normalised */
    char variant[VARIANT_SIZE];      /* "": none was given */
    bool
        is_default; /* an admin named it among the builds of its version, for devices whose build is not known */
    struct sha256 sha256;
    int64_t size_bytes;
    char file_name[FILE_NAME_SIZE]; /* "": none was given */
    char warnings[WARNINGS_SIZE];   /* one a line, "": none; kept with the image */
    int64_t uploaded_ms;
    enum image_kind kind;
    char core[VERSION_TEXT_SIZE]; /* of a full package: the core that it needs */
    struct full_script script;    /* of LuatOS */
    char content[CONTENT_SIZE];   /* what the bytes were found to be, "": not known */
    int64_t core_id;      /* the kind of a LuatOS core, as its devices send it; DB_UNKNOWN: not known */
    char chip[CHIP_SIZE]; /* what the file says, exact ("ec718pm") or not ("ec7xx"); "": nothing */
    int64_t withdrawn_ms; /* 0: not withdrawn */
    char withdrawn_reason[WARNING_SIZE];
    enum waypoint waypoint;
    char waypoint_reason[WARNING_SIZE];
};

/* The build of this version for whom names only the version: the only one, or the default. Several builds without a
   default: *ret_found is false. */
bool image_find(struct db *db, int64_t firmware_id, const char *version, struct image *ret, bool *ret_found,
                struct error *err);
/* Of a device that runs the build with the hash `build`: only that build. NULL or zero: the build is not known, and this is
   image_find(). image_no_build: *ret_found is false. */
bool image_find_build(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *build,
                      struct image *ret, bool *ret_found, struct error *err);
/* As image_find(); ERROR_IMAGE_NOT_FOUND when there is no such image, ERROR_SEVERAL_BUILDS names the builds. */
bool image_get(struct db *db, int64_t firmware_id, const char *version, struct image *ret, struct error *err);
/* Exactly this build. ERROR_IMAGE_NOT_FOUND names the builds that are there. */
bool image_get_build(struct db *db, int64_t firmware_id, const char *version, const char *variant,
                     struct image *ret, struct error *err);

/* In place of a build's hash: the device runs none of the stored builds that a package may be made from. */
extern const struct sha256 image_no_build;

/* All builds of a version, in order of variant; *ret is the caller's (free). */
bool image_list_builds(struct db *db, int64_t firmware_id, const char *version, struct image **ret,
                       size_t *ret_count, struct error *err);

#define BUILDS_SIZE 300
/* The variants of a version, for messages: "full, tts"; and how many. */
bool image_builds(struct db *db, int64_t firmware_id, const char *version, char out[BUILDS_SIZE],
                  size_t *ret_count, struct error *err);
/* See name_write_build(). */
void image_build_name(const struct image *image, char out[BUILD_NAME_SIZE]);
/* Adds a warning. A warning that does not fit is left out. */
void image_warn(struct image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Stores a new image and fills image->id. Adds a warning when this product has the same bytes under
   another version or firmware. Same build and same bytes: *ret_new is false, and *image is the stored
   image. Same build and other bytes, or another core_id: ERROR_IMAGE_CONFLICT. */
bool image_add(struct db *db, int64_t product_id, struct image *image, bool *ret_new, struct error *err);
/* The variant of the build of this version that has these bytes. */
bool image_variant_of(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *sha256,
                      char ret[VARIANT_SIZE], bool *ret_found, struct error *err);
/* In order of version and variant; *ret is the caller's (free). */
bool image_list(struct db *db, int64_t firmware_id, struct image **ret, size_t *ret_count, struct error *err);

/* Makes it the default of its version, or ends that. */
bool image_set_default(struct db *db, struct image *image, bool is_default, struct error *err);

/* Stores withdrawn_ms, waypoint and their reasons. */
bool image_update(struct db *db, const struct image *image, struct error *err);

/* Whether a build of this version, other than the one with the id `except` (0: none), is not withdrawn. */
bool image_any_served(struct db *db, int64_t firmware_id, const char *version, int64_t except, bool *ret,
                      struct error *err);

/* Deletes the row. Other images may share its bytes and packages: see package_forget_image(). */
bool image_remove(struct db *db, const struct image *image, struct error *err);

/* Their scripts have the same place in flash, as far as it is known. No delta leads from one place to another. */
bool image_same_areas(const struct image *a, const struct image *b);

bool image_is_full(const struct image *image);
/* Whether an image between the two versions (in any order, both excluded) is a required waypoint. */
bool image_required_between(struct db *db, int64_t firmware_id, const struct version *a,
                            const struct version *b, bool *ret, struct error *err);

#endif
