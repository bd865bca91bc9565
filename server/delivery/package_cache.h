/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages in memory: read once, checked against their SHA-256, and sent from there. The very bytes that were
   checked are the bytes that go out; what changes on the disk later cannot. Least recently used ones leave
   first. */
#ifndef DFOTA_SERVER_DELIVERY_PACKAGE_CACHE_H
#define DFOTA_SERVER_DELIVERY_PACKAGE_CACHE_H

#include "storage/blob.h"

struct package_cache;

struct cached_package { /* shared and constant; given back with cached_package_release() */
    struct sha256 sha256;
    uint64_t size_bytes;
    const char *bytes;
};

bool package_cache_open(uint64_t limit_bytes, struct package_cache **ret, struct error *err);
/* NULL when it is not in memory. Any thread, does not block on the disk. */
const struct cached_package *package_cache_find(struct package_cache *cache, const struct sha256 *sha256);
/* Reads and checks it where it is not in memory: ERROR_CORRUPT as blob_load(). Blocks; for workers. */
bool package_cache_load(struct package_cache *cache, const struct blobs *blobs, const struct sha256 *sha256,
                        const struct cached_package **ret, struct error *err);
void cached_package_release(const struct cached_package *package); /* any thread; NULL is fine */
void package_cache_close(struct package_cache *cache);             /* what is lent lives on; NULL is fine */

#endif
