/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/image_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/engine.h"
#include "delta/file.h"
#include "sim/image_generator.h"

struct image_store {
    pthread_mutex_t lock;
    struct image *first;
};

bool image_store_open(struct image_store **ret, struct error *err)
{
    struct image_store *store = calloc(1, sizeof *store);
    if (!store)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&store->lock, NULL);
    *ret = store;
    return true;
}

void image_store_free(struct image_store **pointer)
{
    struct image_store *store = *pointer;
    if (!store)
        return;
    for (struct image *image = store->first, *next; image; image = next) {
        next = image->next;
        buffer_free(&image->bytes);
        free(image);
    }
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static struct image *find_hash(const struct image_store *store, const struct sha256 *hash)
{
    for (struct image *image = store->first; image; image = image->next)
        if (sha256_equal(&image->hash, hash))
            return image;
    return NULL;
}

static struct image *add(struct image_store *store, struct buffer *bytes, const struct sha256 *hash,
                         const char *version)
{
    struct image *image = calloc(1, sizeof *image);
    if (!image)
        return NULL;
    image->bytes = *bytes;
    *bytes = (struct buffer){0};
    image->hash = *hash;
    memcpy(image->version, version, strlen(version));
    image->next = store->first;
    store->first = image;
    return image;
}

bool image_store_load(struct image_store *store, const char *path, const char *version,
                      const struct image **ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer bytes = {0};
    if (!file_load(path, IMAGE_MAX_BYTES, &bytes, err))
        return false;
    struct sha256 hash;
    sha256_of(bytes.ptr, bytes.len, &hash);
    char said[RELEASE_SIZE] = "";
    if (version)
        memcpy(said, version, strlen(version));
    else if (!image_generator_read(buffer_bytes(&bytes), said))
        said[0] = '\0';

    pthread_mutex_lock(&store->lock);
    struct image *image = find_hash(store, &hash);
    if (!image)
        image = add(store, &bytes, &hash, said);
    else if (version || !image->version[0])
        memcpy(image->version, said, sizeof said);
    pthread_mutex_unlock(&store->lock);
    if (!image)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *ret = image;
    return true;
}

const struct image *image_store_find(struct image_store *store, const char *version)
{
    pthread_mutex_lock(&store->lock);
    const struct image *image = store->first;
    while (image && !(image->version[0] && release_same(image->version, version)))
        image = image->next;
    pthread_mutex_unlock(&store->lock);
    return image;
}

static struct image *find_same(const struct image_store *store, struct bytes package, struct bytes made)
{
    struct engine_note unwanted;
    for (struct image *image = store->first; image; image = image->next)
        if (engine_same(package, made, buffer_bytes(&image->bytes), &unwanted))
            return image;
    return NULL;
}

const struct image *image_store_identify(struct image_store *store, struct bytes package,
                                         struct buffer *bytes, bool any)
{
    struct sha256 hash;
    char version[RELEASE_SIZE] = "";
    sha256_of(bytes->ptr, bytes->len, &hash);
    pthread_mutex_lock(&store->lock);
    const struct image *image = find_hash(store, &hash);
    if (!image)
        image = find_same(store, package, buffer_bytes(bytes));
    if (image)
        buffer_free(bytes);
    else if (image_generator_read(buffer_bytes(bytes), version) || any)
        image = add(store, bytes, &hash, version);
    pthread_mutex_unlock(&store->lock);
    return image;
}

const struct image *image_store_pick(struct image_store *store,
                                     bool (*fits)(const struct image *image, void *cls), void *cls)
{
    pthread_mutex_lock(&store->lock);
    const struct image *image = store->first;
    while (image && !(image->version[0] && fits(image, cls)))
        image = image->next;
    pthread_mutex_unlock(&store->lock);
    return image;
}

bool image_store_knows_versions(struct image_store *store)
{
    pthread_mutex_lock(&store->lock);
    const struct image *image = store->first;
    while (image && !image->version[0])
        image = image->next;
    pthread_mutex_unlock(&store->lock);
    return image != NULL;
}
