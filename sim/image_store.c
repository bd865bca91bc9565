#include "sim/image_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/engine.h"
#include "delta/file.h"
#include "sim/image_generator.h"

struct shelf {
    pthread_mutex_t lock;
    struct image *first;
};

bool shelf_open(struct shelf **ret, struct error *err)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&shelf->lock, NULL);
    *ret = shelf;
    return true;
}

void shelf_free(struct shelf **pointer)
{
    struct shelf *shelf = *pointer;
    if (!shelf)
        return;
    for (struct image *image = shelf->first, *next; image; image = next) {
        next = image->next;
        buffer_free(&image->bytes);
        free(image);
    }
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

static struct image *find_hash(const struct shelf *shelf, const struct sha256 *hash)
{
    for (struct image *image = shelf->first; image; image = image->next)
        if (sha256_equal(&image->hash, hash))
            return image;
    return NULL;
}

static struct image *add(struct shelf *shelf, struct buffer *bytes, const struct sha256 *hash,
                         const char *version)
{
    struct image *image = calloc(1, sizeof *image);
    if (!image)
        return NULL;
    image->bytes = *bytes;
    *bytes = (struct buffer){0};
    image->hash = *hash;
    memcpy(image->version, version, strlen(version));
    image->next = shelf->first;
    shelf->first = image;
    return image;
}

bool shelf_load(struct shelf *shelf, const char *path, const char *version, const struct image **ret,
                struct error *err)
{
    _cleanup_(buffer_free) struct buffer bytes = {0};
    if (!file_load(path, IMAGE_MAX_BYTES, &bytes, err))
        return false;
    struct sha256 hash;
    sha256_of(bytes.ptr, bytes.len, &hash);
    char said[RELEASE_SIZE] = "";
    if (version)
        memcpy(said, version, strlen(version));
    else if (!forge_read(buffer_bytes(&bytes), said))
        said[0] = '\0';

    pthread_mutex_lock(&shelf->lock);
    struct image *image = find_hash(shelf, &hash);
    if (!image)
        image = add(shelf, &bytes, &hash, said);
    else if (version || !image->version[0])
        memcpy(image->version, said, sizeof said);
    pthread_mutex_unlock(&shelf->lock);
    if (!image)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *ret = image;
    return true;
}

const struct image *shelf_find(struct shelf *shelf, const char *version)
{
    pthread_mutex_lock(&shelf->lock);
    const struct image *image = shelf->first;
    while (image && !(image->version[0] && release_same(image->version, version)))
        image = image->next;
    pthread_mutex_unlock(&shelf->lock);
    return image;
}

static struct image *find_same(const struct shelf *shelf, struct bytes package, struct bytes made)
{
    struct engine_note unwanted;
    for (struct image *image = shelf->first; image; image = image->next)
        if (engine_same(package, made, buffer_bytes(&image->bytes), &unwanted))
            return image;
    return NULL;
}

const struct image *shelf_identify(struct shelf *shelf, struct bytes package, struct buffer *bytes, bool any)
{
    struct sha256 hash;
    char version[RELEASE_SIZE] = "";
    sha256_of(bytes->ptr, bytes->len, &hash);
    pthread_mutex_lock(&shelf->lock);
    const struct image *image = find_hash(shelf, &hash);
    if (!image)
        image = find_same(shelf, package, buffer_bytes(bytes));
    if (image)
        buffer_free(bytes);
    else if (forge_read(buffer_bytes(bytes), version) || any)
        image = add(shelf, bytes, &hash, version);
    pthread_mutex_unlock(&shelf->lock);
    return image;
}

bool shelf_tells(struct shelf *shelf)
{
    pthread_mutex_lock(&shelf->lock);
    const struct image *image = shelf->first;
    while (image && !image->version[0])
        image = image->next;
    pthread_mutex_unlock(&shelf->lock);
    return image != NULL;
}
