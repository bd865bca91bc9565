/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The files that a running server depends on, and whether they are still where they were.

   A file that is removed, renamed or replaced under the server takes writes as before, but nobody finds them again.
   So each is opened once (without access to its bytes) and compared with what its path leads to now. Filled by one
   thread; after that any thread may check. Once a check has failed all later ones fail too: what was read or written
   meanwhile may belong to another file. */
#ifndef DFOTA_STORAGE_FILE_WATCH_H
#define DFOTA_STORAGE_FILE_WATCH_H

#include <stdbool.h>
#include "base/error.h"

#define FILE_WATCH_MAX 8

struct file_watch;

bool file_watch_open(struct file_watch **ret, struct error *err) __attribute__((warn_unused_result));
/* A file or directory that must stay at `path`; at most FILE_WATCH_MAX. */
bool file_watch_add(struct file_watch *file_watch, const char *path, struct error *err)
    __attribute__((warn_unused_result));
/* ERROR_UNAVAILABLE, with the path, when one of them is no longer there. A few microseconds. */
bool file_watch_check(struct file_watch *file_watch, struct error *err) __attribute__((warn_unused_result));
void file_watch_close(struct file_watch *file_watch); /* NULL is fine */

#endif
