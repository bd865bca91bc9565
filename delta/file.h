/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read into memory under a limit, and written in one step. */
#ifndef DFOTA_DELTA_FILE_H
#define DFOTA_DELTA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"

/* Reads the whole file once, so that the caller hashes and uses the same bytes. The buffer's ptr is not
   NULL, even for an empty file. The caller frees *ret. ERROR_TOO_LARGE: more than max_bytes, found before
   more is read; ERROR_INTERNAL: the file cannot be read. */
bool file_load(const char *path, size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Writes to a temporary file beside `path`, syncs it to disk, renames it to `path` and syncs the
   directory. On failure no new file is left, and an earlier file is unchanged. One failure is different,
   and its message says so: the new file is in place, and only the sync of the directory failed. Does not
   replace anything but a regular file. The mode is 0666 minus the umask. While the function runs,
   termination signals wait and SIGXFSZ is ignored, so only single-threaded programs may call it.
   ERROR_NO_SPACE or ERROR_INTERNAL. */
bool file_store(const char *path, struct bytes content, struct error *err)
    __attribute__((warn_unused_result));

#endif
