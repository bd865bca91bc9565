/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The images that modules run, each held once however many run it, and which version each of them is: told by
   --know, or read out of a generated image. Any thread; an image lives as long as its shelf and never
   changes. */
#ifndef DFOTA_SIM_IMAGE_STORE_H
#define DFOTA_SIM_IMAGE_STORE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/sha256.h"
#include "delta/bytes.h"
#include "sim/release.h"

#define IMAGE_MAX_BYTES ((size_t)64 << 20)

struct image {
    struct buffer bytes;
    struct sha256 hash;
    char version[RELEASE_SIZE]; /* empty: nobody said */
    struct image *next;
};

struct image_store;

bool image_store_open(struct image_store **ret, struct error *err) __attribute__((warn_unused_result));
void image_store_free(struct image_store **shelf); /* for _cleanup_; a NULL in it is fine */

/* Reads a file. `version` as release_read() left it, or NULL when only the image itself may know. */
bool image_store_load(struct image_store *shelf, const char *path, const char *version,
                      const struct image **ret, struct error *err) __attribute__((warn_unused_result));

/* The image of a version that was loaded, or NULL. */
const struct image *image_store_find(struct image_store *shelf, const char *version);

/* The image that applying `package` gave, when it is on the shelf, as far as a package of its format can change
   one, or says itself what it is; takes the bytes over then. With `any` an image of unknown version is taken too.
   NULL: none of these, or no memory; the bytes stay the caller's. */
const struct image *image_store_identify(struct image_store *shelf, struct bytes package,
                                         struct buffer *bytes, bool any);

/* Was any version told or read? Without, nobody can say whether a new image is the right one. */
bool image_store_tells(struct image_store *shelf);

#endif
