/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/snapshot.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

struct snapshot {
    pthread_mutex_t mutex;
    int fd; /* -1: no copy is kept */
    struct sha256 hash;
    uint64_t size_bytes;
    int64_t used_ms; /* boot clock */
};

bool snapshot_open(struct snapshot **ret, struct error *err)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&snapshot->mutex, NULL);
    snapshot->fd = -1;
    *ret = snapshot;
    return true;
}

void snapshot_close(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    snapshot_drop(snapshot, INT64_MAX);
    pthread_mutex_destroy(&snapshot->mutex);
    free(snapshot);
}

void snapshot_keep(struct snapshot *snapshot, int fd, const struct sha256 *hash, uint64_t size_bytes)
{
    pthread_mutex_lock(&snapshot->mutex);
    int before = snapshot->fd;
    snapshot->fd = fd;
    snapshot->hash = *hash;
    snapshot->size_bytes = size_bytes;
    snapshot->used_ms = clock_boot_ms();
    pthread_mutex_unlock(&snapshot->mutex);
    if (before >= 0)
        close(before);
}

bool snapshot_find(struct snapshot *snapshot, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size)
{
    int fd = -1;
    pthread_mutex_lock(&snapshot->mutex);
    if (snapshot->fd >= 0 && sha256_equal(&snapshot->hash, hash)) {
        fd = fcntl(snapshot->fd, F_DUPFD_CLOEXEC, 0);
        *ret_size = snapshot->size_bytes;
        snapshot->used_ms = clock_boot_ms();
    }
    pthread_mutex_unlock(&snapshot->mutex);
    *ret_fd = fd;
    return fd >= 0;
}

void snapshot_drop(struct snapshot *snapshot, int64_t before_ms)
{
    int fd = -1;
    pthread_mutex_lock(&snapshot->mutex);
    if (snapshot->used_ms < before_ms) {
        fd = snapshot->fd;
        snapshot->fd = -1;
    }
    pthread_mutex_unlock(&snapshot->mutex);
    if (fd >= 0)
        close(fd);
}
