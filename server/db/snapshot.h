/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The copy of the database that a client of the API fetches for a backup. There is at most one: the next
   backup replaces it. Its file has no name any more, so nothing is left when the server ends. Any
   thread. */
#ifndef DFOTA_SERVER_DB_SNAPSHOT_H
#define DFOTA_SERVER_DB_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"

struct snapshot;

bool snapshot_open(struct snapshot **ret, struct error *err);
void snapshot_close(struct snapshot *snapshot); /* NULL is fine */

/* Keeps the copy, and drops the one before. Takes over `fd`. */
void snapshot_keep(struct snapshot *snapshot, int fd, const struct sha256 *hash, uint64_t size_bytes);
/* False: the copy with this hash is not kept, or no descriptor is free. *ret_fd is the caller's. */
bool snapshot_find(struct snapshot *snapshot, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size);
/* Drops the copy when it was not read since `before_ms` (boot clock); INT64_MAX: in any case. */
void snapshot_drop(struct snapshot *snapshot, int64_t before_ms);

#endif
