/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* From a file to a row that speaks of it, and the files of which none does any more. */
#ifndef DFOTA_SERVER_DB_BLOB_COMMIT_H
#define DFOTA_SERVER_DB_BLOB_COMMIT_H

#include "server/context.h"
#include "storage/blob.h"

/* The bytes get their name, *ret_hash, and then `add` runs in the writer's thread; where that refuses, they
   go again. Frees the writer in any case. One at a time; not in the writer's thread. */
bool blob_commit(struct daemon *daemon, struct blob_writer *blob, struct sha256 *ret_hash,
                 bool (*add)(void *cls, struct db *db, struct error *err), void *cls, struct error *err)
    __attribute__((warn_unused_result));

/* Takes away blobs that no image and no package uses any more; what cannot be removed is left to the next
   start's sweep. Not in the writer's thread. */
void blob_remove_unused(struct daemon *daemon, const struct sha256 *hashes, size_t count);

#endif
