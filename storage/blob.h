/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Blobs: files named by the SHA-256 of their bytes, as blobs/ab/abcd…. A blob is written under a temporary
   name in incoming/, fsynced and renamed; then the directory is fsynced. So a file that has such a name
   was whole when it got the name. */
#ifndef DFOTA_STORAGE_BLOB_H
#define DFOTA_STORAGE_BLOB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"

struct blobs;
struct blob_writer;

/* Creates missing folders, and removes what a killed server left in incoming/. `directory` is the data
   directory. At least `reserve_bytes` stay free on its disk. */
bool blobs_open(const char *directory, uint64_t reserve_bytes, struct blobs **ret, struct error *err);
/* For reading only, also of a backup: creates and removes nothing. */
bool blobs_open_copy(const char *directory, struct blobs **ret, struct error *err);
void blobs_close(struct blobs *blobs); /* NULL is fine */

/* ERROR_NO_SPACE when `size_bytes` more would use space of the reserve. */
bool blobs_check_space(const struct blobs *blobs, uint64_t size_bytes, struct error *err);

/* The space that is free on the disk, and the reserve. */
bool blobs_space(const struct blobs *blobs, uint64_t *ret_free, uint64_t *ret_reserve, struct error *err);

/* Writing: begin, add…, then keep or drop. A writer belongs to one thread at a time. */
bool blob_begin(struct blobs *blobs, struct blob_writer **ret, struct error *err);
bool blob_add(struct blob_writer *writer, const void *bytes, size_t len, struct error *err);
/* The file with the bytes so far, for reading. It is gone after keep or drop. */
const char *blob_writer_path(const struct blob_writer *writer);
uint64_t blob_written(const struct blob_writer *writer);
/* Stores the blob durably under its name, and always frees the writer. A whole file of that name stays as
   it is; a damaged one is replaced. */
bool blob_keep(struct blob_writer *writer, struct sha256 *ret_hash, struct error *err);
void blob_drop(struct blob_writer *writer); /* removes the file; NULL is fine */

/* Makes a blob of a finished file on the same disk (made by a job). The file is moved away from `path`. */
bool blob_adopt(struct blobs *blobs, const char *path, struct sha256 *ret_hash, uint64_t *ret_size,
                struct error *err);

/* Creates a directory in incoming/ for a job, and writes its path to `out`. */
bool blob_workdir(struct blobs *blobs, char *out, size_t out_size, struct error *err);
void blob_workdir_remove(const char *path); /* with all that is in it */

/* The folder of the blobs whose hash begins with this byte. */
void blobs_folder(const struct blobs *blobs, unsigned first, char *out, size_t out_size);
void blob_path(const struct blobs *blobs, const struct sha256 *hash, char *out, size_t out_size);
/* All bytes, checked against the hash. ERROR_CORRUPT when they differ or cannot be read, or the file is
   gone. *ret is the caller's (free). */
bool blob_load(const struct blobs *blobs, const struct sha256 *hash, void **ret, uint64_t *ret_size,
               struct error *err);
/* Opens for reading, after the whole file was checked. *ret_fd is the caller's. */
bool blob_open_checked(const struct blobs *blobs, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size,
                       struct error *err);
/* Hashes any file, and opens it for reading. *ret_fd is the caller's. */
bool blob_hash_file(const char *path, int *ret_fd, struct sha256 *ret, uint64_t *ret_size, struct error *err);
/* Removes a damaged or unneeded blob. True also when the file is gone already. */
bool blob_remove(const struct blobs *blobs, const struct sha256 *hash, struct error *err);

/* Tells whether the blob is needed. Returns false, with *err, to stop. */
typedef bool blob_is_needed(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err);

/* At start: removes the blobs that are not needed, which a server left that was killed between rename and
   commit. There are only a few of these. So when more than `most` blobs, or all of them, are not needed,
   the database is another one, such as an older backup. Then nothing is removed. *ret_unknown: how many
   are not needed. */
bool blobs_sweep(struct blobs *blobs, blob_is_needed *is_needed, void *cls, unsigned most,
                 unsigned *ret_unknown, bool *ret_removed, struct error *err);

/* The files in blobs/, in any order, with the number of all and their bytes. `each` returns false, with *err, to stop. A file that
   comes or goes meanwhile may be left out. */
struct blob_totals {
    int64_t files, bytes;
};
typedef bool blob_each(void *cls, const struct sha256 *hash, struct error *err);
bool blobs_walk(const struct blobs *blobs, blob_each *each, void *cls, struct blob_totals *ret,
                struct error *err);

#endif
