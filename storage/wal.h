/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether the database's write-ahead log holds what it must, looked at before SQLite opens it.

   A server that was killed leaves committed changes in the log only. SQLite reads a log as far as its
   checksums fit and drops the rest without a word, which is right for what a power cut has torn, and wrong
   for a damaged file: changes that were acknowledged would be gone. How far the log was committed stands in
   the file beside it (-shm); both formats are part of SQLite's documentation ("WAL-mode File Format"). */
#ifndef DFOTA_STORAGE_WAL_H
#define DFOTA_STORAGE_WAL_H

#include <stdbool.h>
#include "base/error.h"

/* ERROR_CORRUPT, in words, when the log of the database at `path` lacks changes that were committed. Changes
   nothing; nobody else may have the database open. */
bool wal_check(const char *path, struct error *err) __attribute__((warn_unused_result));

#endif
