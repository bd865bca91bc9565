/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Adds blobs together with the row that names them, and removes blobs that no row names any more. */
#ifndef DFOTA_SERVER_DB_BLOB_COMMIT_H
#define DFOTA_SERVER_DB_BLOB_COMMIT_H

#include "server/db/writer.h"
#include "storage/blob.h"

/* Gives the file its final name, *ret_hash, and then runs `add` in the writer's thread. When `add` fails, the file is
   removed again. Frees `blob` in any case. One call at a time; not from the writer's thread. */
bool blob_commit(struct writer *writer, struct blobs *blobs, struct blob_writer *blob,
                 struct sha256 *ret_hash, writer_function *add, void *cls, struct error *err)
    __attribute__((warn_unused_result));

/* Removes those of the blobs that no image and no package uses any more. When a file cannot be removed, the next start
   does it. Returns how many were removed. Not from the writer's thread. */
size_t blob_remove_unused(struct writer *writer, struct blobs *blobs, const struct sha256 *hashes,
                          size_t count);

#endif
