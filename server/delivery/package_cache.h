/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages in memory: read once, checked against their SHA-256, and sent from memory. So exactly the
   checked bytes are sent, whatever changes on the disk later. The least recently used packages are dropped
   first. */
#ifndef DFOTA_SERVER_DELIVERY_PACKAGE_CACHE_H
#define DFOTA_SERVER_DELIVERY_PACKAGE_CACHE_H

#include "storage/blob.h"

struct package_cache;

struct cached_package { /* shared and constant; return it with cached_package_release() */
    struct sha256 sha256;
    uint64_t size_bytes;
    const char *bytes;
    int fd; /* the same bytes as a file in memory that nothing can change, for sendfile(2); -1: no file */
};

bool package_cache_open(uint64_t limit_bytes, struct package_cache **ret, struct error *err);
/* NULL: it is not in memory. Never waits for the disk. Any thread. */
const struct cached_package *package_cache_find(struct package_cache *cache, const struct sha256 *sha256);
/* Reads and checks the package if it is not in memory. ERROR_CORRUPT as in blob_load(). Blocks: for worker
   threads. */
bool package_cache_load(struct package_cache *cache, const struct blobs *blobs, const struct sha256 *sha256,
                        const struct cached_package **ret, struct error *err);
void cached_package_release(const struct cached_package *package); /* any thread; NULL is fine */
/* packages in use stay valid; NULL is fine */
void package_cache_close(struct package_cache *cache);

#endif
