/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The files that a running server depends on, and whether they are still where they were.

      When a file is removed, renamed or replaced under the server, writes to it still succeed, but are
   lost. So each file is opened once (without access to its bytes) and compared with the file that its path
   leads to now. One thread adds the files; after that any thread may check. Once a check has failed, all
   later checks fail too, because what was read or written since may belong to another file. */
#ifndef DFOTA_STORAGE_FILE_WATCH_H
#define DFOTA_STORAGE_FILE_WATCH_H

#include <stdbool.h>
#include "base/error.h"

#define FILE_WATCH_MAX 8

struct file_watch;

bool file_watch_open(struct file_watch **ret, struct error *err) __attribute__((warn_unused_result));
/* Adds a file or directory that must stay at `path`; at most FILE_WATCH_MAX. */
bool file_watch_add(struct file_watch *file_watch, const char *path, struct error *err)
    __attribute__((warn_unused_result));
/* ERROR_UNAVAILABLE, with the path, when a file is no longer there. Takes a few microseconds. */
bool file_watch_check(struct file_watch *file_watch, struct error *err) __attribute__((warn_unused_result));
/* The same, but looks at the files only when nobody did for a millisecond. For reads, which lose nothing. */
bool file_watch_glance(struct file_watch *file_watch, struct error *err) __attribute__((warn_unused_result));
void file_watch_close(struct file_watch *file_watch); /* NULL is fine */

#endif
