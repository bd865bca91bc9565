/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read once into memory under a limit, written so that a half file is never seen. */
#ifndef DFOTA_DELTA_FILE_H
#define DFOTA_DELTA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"

/* Reads all of it; what the caller hashes and uses is this one copy. The buffer's ptr is never NULL, even for
   an empty file. ERROR_TOO_LARGE over max_bytes (found before more than that is read), ERROR_INTERNAL when it
   cannot be read. */
bool file_load(const char *path, size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Writes to a temporary name beside `path`, fsyncs, renames over it, fsyncs the directory. On failure nothing
   new is left and an earlier file is untouched, but for one case that the error names: all is in place and
   only the directory's fsync failed. Refuses to replace what is no regular file. The mode is 0666 less the
   umask. Termination signals wait until it is done and SIGXFSZ is ignored so long, so single-threaded
   programs only. ERROR_NO_SPACE or ERROR_INTERNAL. */
bool file_store(const char *path, struct bytes content, struct error *err)
    __attribute__((warn_unused_result));

#endif
