/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Blobs: files named by the SHA-256 of their bytes, under blobs/ab/abcd…; written under a temporary name in
   incoming/, fsynced, renamed, the directory fsynced. A blob that is there under its name was whole when it
   was named so. */
#ifndef DFOTA_STORAGE_BLOB_H
#define DFOTA_STORAGE_BLOB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"

struct blobs;
struct blob_writer;

/* Makes the folders where they are missing and removes what a killed server left in incoming/. `directory` is
   the data directory. `reserve_bytes` stay free on its disk. */
bool blobs_open(const char *directory, uint64_t reserve_bytes, struct blobs **ret, struct error *err);
void blobs_close(struct blobs *blobs); /* NULL is fine */

/* ERROR_NO_SPACE when `size_bytes` more would not leave the reserve free. */
bool blobs_check_space(const struct blobs *blobs, uint64_t size_bytes, struct error *err);

/* Writing: begin, add…, then keep or drop. A writer belongs to one thread at a time. */
bool blob_begin(struct blobs *blobs, struct blob_writer **ret, struct error *err);
bool blob_add(struct blob_writer *writer, const void *bytes, size_t len, struct error *err);
/* Where its bytes are so far, to be looked at; gone once it is kept or dropped. */
const char *blob_writer_path(const struct blob_writer *writer);
uint64_t blob_written(const struct blob_writer *writer);
/* Durable under its name; frees the writer in any case. Bytes that are there already stay as they are, if
   they are whole; a damaged file is replaced. */
bool blob_keep(struct blob_writer *writer, struct sha256 *ret_hash, struct error *err);
void blob_drop(struct blob_writer *writer); /* leaves nothing behind; NULL is fine */

/* A finished file on the same disk (made by a job) becomes a blob. It is gone from `path` afterwards. */
bool blob_adopt(struct blobs *blobs, const char *path, struct sha256 *ret_hash, uint64_t *ret_size,
                struct error *err);

/* A fresh directory in incoming/ for a job; `out` gets its path. blob_workdir_remove() deletes it with its
 * files. */
bool blob_workdir(struct blobs *blobs, char *out, size_t out_size, struct error *err);
void blob_workdir_remove(const char *path);

void blob_path(const struct blobs *blobs, const struct sha256 *hash, char *out, size_t out_size);
/* All bytes, checked against the hash: ERROR_CORRUPT when they differ, cannot be read or the file is gone.
 * *ret is the caller's (free). */
bool blob_load(const struct blobs *blobs, const struct sha256 *hash, void **ret, uint64_t *ret_size,
               struct error *err);
/* Open for reading, checked whole before; *ret_fd is the caller's. */
bool blob_open_checked(const struct blobs *blobs, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size,
                       struct error *err);
/* Removes a damaged or unneeded blob; one that is gone already is fine. */
bool blob_remove(const struct blobs *blobs, const struct sha256 *hash, struct error *err);

/* Calls is_needed for every blob and removes those it says no to (it returns false to stop with *err). At
   start: what a server killed between rename and commit left behind. That is a few: where more than `most`
   are unknown, or all of them, the database is another one, an older backup perhaps, and nothing is removed.
 */
bool blobs_sweep(struct blobs *blobs,
                 bool (*is_needed)(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err),
                 void *cls, unsigned most, unsigned *ret_unknown, bool *ret_removed, struct error *err);

#endif
