/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The images that modules run, each in memory once. The version of an image comes from --know or from the
   label of a generated image. Any thread. An image lives as long as its store and never changes, except for
   its version. */
#ifndef DFOTA_SIM_IMAGE_STORE_H
#define DFOTA_SIM_IMAGE_STORE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/buffer.h"
#include "sim/release.h"

#define IMAGE_MAX_BYTES ((size_t)64 << 20)

struct image {
    struct buffer bytes;
    struct sha256 hash;
    char version[RELEASE_SIZE]; /* empty: not known */
    struct image *next;
};

struct image_store;

bool image_store_open(struct image_store **ret, struct error *err) __attribute__((warn_unused_result));
void image_store_free(struct image_store **store); /* for _cleanup_; *store may be NULL */

/* Reads a file. `version` comes from release_read(); NULL: read it from the image. */
bool image_store_load(struct image_store *store, const char *path, const char *version,
                      const struct image **ret, struct error *err) __attribute__((warn_unused_result));

/* The image of a version, or NULL. */
const struct image *image_store_find(struct image_store *store, const char *version);

/* The image that applying `package` gave, as `bytes`: an image of the store (compared as far as a package
   of this format can change one), or a generated image, which is added. With `any` an image of unknown
   version is added too. If an image is returned, the store has taken the bytes. NULL: no such image, or out
   of memory. */
const struct image *image_store_identify(struct image_store *store, struct bytes package,
                                         struct buffer *bytes, bool any);

/* The first image of known version for which `fits` is true, or NULL. */
const struct image *image_store_pick(struct image_store *store,
                                     bool (*fits)(const struct image *image, void *cls), void *cls);

/* True if the version of any image is known. Else a new image cannot be recognised as right or wrong. */
bool image_store_knows_versions(struct image_store *store);

#endif
