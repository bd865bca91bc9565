/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Images: one version's full file. The bytes are a blob (blob.h) named by their SHA-256. */
#ifndef DFOTA_STORAGE_IMAGE_H
#define DFOTA_STORAGE_IMAGE_H

#include "storage/db.h"
#include "upgrade/name.h"

#define FILE_NAME_SIZE 256
#define WARNING_SIZE   320
#define WARNINGS_SIZE  1000
#define CONTENT_SIZE   200

struct image {
    int64_t id, firmware_id;
    char version[VERSION_TEXT_SIZE]; /* normalised */
    struct sha256 sha256;
    int64_t size_bytes;
    char file_name[FILE_NAME_SIZE]; /* "": not named */
    char warnings[WARNINGS_SIZE];   /* "": none; one a line, stay on the image */
    int64_t uploaded_ms;
    char kind[8];                 /* image, or full: a full package */
    char core[VERSION_TEXT_SIZE]; /* of a full package: the core that may take it */
    char content[CONTENT_SIZE];   /* what its bytes were found to be, "": nothing known */
    int64_t withdrawn_ms;         /* 0: it is not */
    char withdrawn_reason[WARNING_SIZE];
    char waypoint[12]; /* allowed, forbidden, required */
    char waypoint_reason[WARNING_SIZE];
};

bool image_find(struct db *db, int64_t firmware_id, const char *version, struct image *ret, bool *ret_found,
                struct error *err);
/* As image_find; ERROR_IMAGE_NOT_FOUND when it is not there. */
bool image_get(struct db *db, int64_t firmware_id, const char *version, struct image *ret, struct error *err);
/* Adds a warning; what does not fit is left out. */
void image_warn(struct image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Stores a new image and fills image->id; a warning joins those of `image` where the same bytes are in this product
   under another version or firmware. Same version, same bytes: *ret_new false, *image is what was there. Same
   version, other bytes: ERROR_IMAGE_CONFLICT. */
bool image_add(struct db *db, int64_t product_id, struct image *image, bool *ret_new, struct error *err);
/* In order of version; *ret is the caller's (free). */
bool image_list(struct db *db, int64_t firmware_id, struct image **ret, size_t *ret_count, struct error *err);

/* Stores whether it is withdrawn and whether it may be a waypoint, each with its reason. */
bool image_update(struct db *db, const struct image *image, struct error *err);

struct image_uses {     /* devices, but for the last */
    int64_t running;    /* confirmed at its version, or asked from it last */
    int64_t coming;     /* an attempt leads to it, or through others */
    int64_t linked;     /* a link says that they run it, and nothing has been heard of them yet */
    int64_t generating; /* packages from or to its bytes that are being made now */
};
bool image_count_uses(struct db *db, const struct image *image, struct image_uses *ret, struct error *err);
/* Forgets it. Its bytes and packages may be another's too: see package_forget_image(). */
bool image_remove(struct db *db, const struct image *image, struct error *err);

bool image_is_full(const struct image *image); /* its kind is full */
/* Some image between the two versions (in any order, without them) must be stopped at. */
bool image_required_between(struct db *db, int64_t firmware_id, const struct version *a,
                            const struct version *b, bool *ret, struct error *err);

/* These bytes are a full package of this firmware that is not withdrawn. */
bool image_full_is_servable(struct db *db, int64_t firmware_id, const struct sha256 *hash, bool *ret,
                            struct error *err);

/* Some image or package has these bytes: the blob must stay. */
bool image_uses_blob(struct db *db, const struct sha256 *hash, bool *ret, struct error *err);

#endif
