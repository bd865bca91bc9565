/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/delivery/package_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES_MIN (64 * 1024) /* smaller packages are copied as fast */
#define FILES_MAX      128         /* a descriptor each; server/descriptors.c counts them */

struct entry {
    struct cached_package package; /* must be first: callers get a pointer to it */
    atomic_uint users;             /* the cache is one user */
    struct entry *older, *newer;
};

static atomic_uint files; /* packages with a file, also those that only transfers still use */

struct package_cache {
    pthread_mutex_t mutex;
    struct entry *newest, *oldest;
    uint64_t held_bytes, limit_bytes;
};

bool package_cache_open(uint64_t limit_bytes, struct package_cache **ret, struct error *err)
{
    struct package_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&cache->mutex, NULL);
    cache->limit_bytes = limit_bytes;
    *ret = cache;
    return true;
}

void cached_package_release(const struct cached_package *package)
{
    struct entry *entry = (struct entry *)package;
    if (!entry || atomic_fetch_sub(&entry->users, 1) != 1)
        return;
    if (entry->package.fd >= 0) {
        munmap((void *)entry->package.bytes, entry->package.size_bytes);
        close(entry->package.fd);
        atomic_fetch_sub(&files, 1);
    } else {
        free((void *)entry->package.bytes);
    }
    free(entry);
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* linux/memfd.h of Linux 6.3 */
#endif

/* A file in memory with these bytes, which nothing can change any more. -1: it cannot be made. */
static int make_file(const void *bytes, uint64_t size)
{
    int fd = memfd_create("package", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("package", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Puts the bytes of the package into a file where that is worth it and there is room: the kernel sends a file without a
   copy for each request. */
static void move_to_file(struct cached_package *package)
{
    if (package->size_bytes < FILE_BYTES_MIN)
        return;
    if (atomic_fetch_add(&files, 1) < FILES_MAX) {
        int fd = make_file(package->bytes, package->size_bytes);
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, package->size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            free((void *)package->bytes);
            package->bytes = map;
            package->fd = fd;
            return;
        }
        if (fd >= 0)
            close(fd);
    }
    atomic_fetch_sub(&files, 1);
}

static void take_out(struct package_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
    cache->held_bytes -= entry->package.size_bytes;
}

static void put_first(struct package_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
    cache->held_bytes += entry->package.size_bytes;
}

/* Finds the package, moves it to the front and adds a user. The mutex is held. */
static struct entry *lend(struct package_cache *cache, const struct sha256 *sha256)
{
    for (struct entry *entry = cache->newest; entry; entry = entry->older)
        if (memcmp(&entry->package.sha256, sha256, sizeof *sha256) == 0) {
            take_out(cache, entry);
            put_first(cache, entry);
            atomic_fetch_add(&entry->users, 1);
            return entry;
        }
    return NULL;
}

const struct cached_package *package_cache_find(struct package_cache *cache, const struct sha256 *sha256)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = lend(cache, sha256);
    pthread_mutex_unlock(&cache->mutex);
    return entry ? &entry->package : NULL;
}

bool package_cache_load(struct package_cache *cache, const struct blobs *blobs, const struct sha256 *sha256,
                        const struct cached_package **ret, struct error *err)
{
    const struct cached_package *there = package_cache_find(cache, sha256);
    if (there) {
        *ret = there;
        return true;
    }
    void *bytes;
    uint64_t size;
    if (!blob_load(blobs, sha256, &bytes, &size, err))
        return false;
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        free(bytes);
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    }
    entry->package = (struct cached_package){*sha256, size, bytes, -1};
    move_to_file(&entry->package);
    atomic_init(&entry->users, 2);
    pthread_mutex_lock(&cache->mutex);
    /* an older entry with the same bytes, loaded by another thread, moves back and is dropped */
    put_first(cache, entry);
    while (cache->held_bytes > cache->limit_bytes && cache->oldest != entry) {
        struct entry *oldest = cache->oldest;
        take_out(cache, oldest);
        cached_package_release(&oldest->package);
    }
    pthread_mutex_unlock(&cache->mutex);
    *ret = &entry->package;
    return true;
}

void package_cache_close(struct package_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest) {
        struct entry *oldest = cache->oldest;
        take_out(cache, oldest);
        cached_package_release(&oldest->package);
    }
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}
