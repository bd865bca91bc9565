/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Checks the database's write-ahead log before SQLite opens it.

      After a server was killed, committed changes may be only in the log. SQLite reads a log as far as its
   checksums fit, and drops the rest without a message. That is right when a power cut has torn the end,
   and wrong when the file is damaged: acknowledged changes would be lost. The file beside the log (-shm)
   says how far the log was committed. SQLite documents both formats ("WAL-mode File Format"). */
#ifndef DFOTA_STORAGE_WAL_H
#define DFOTA_STORAGE_WAL_H

#include <stdbool.h>
#include "base/error.h"

/* ERROR_CORRUPT, with the reason, when the log of the database at `path` lacks committed changes. Changes
   nothing. No process may have the database open. */
bool wal_check(const char *path, struct error *err) __attribute__((warn_unused_result));

#endif
