/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* libbz2 in memory: compresses whole streams, and reads exact numbers of bytes. The reader is safe on
   untrusted streams. */
#ifndef DFOTA_DELTA_BZIP2_BZIP_H
#define DFOTA_DELTA_BZIP2_BZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

/* Compresses `plain` and appends it as one stream. ERROR_TOO_LARGE: 2 GiB or more; ERROR_INTERNAL: no
   memory. */
bool bzip_add_stream(struct buffer *out, struct bytes plain, struct error *err)
    __attribute__((warn_unused_result));

struct bzip_reader; /* takes about 4 MB, whatever the stream is */

/* `packed` must live longer than the reader. `what` (static text) names the stream in errors. No bytes
   are an empty stream. ERROR_TOO_LARGE: 4 GiB or more; ERROR_INTERNAL: no memory. */
bool bzip_open(struct bytes packed, const char *what, struct bzip_reader **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Reads exactly len bytes. ERROR_CORRUPT: the stream is shorter, cut off or damaged. */
bool bzip_read(struct bzip_reader *reader, uint8_t *out, size_t len, struct error *err)
    __attribute__((warn_unused_result));

/* ERROR_CORRUPT: bytes are left, the checksum of the stream is wrong, or other bytes follow the stream. */
bool bzip_read_end(struct bzip_reader *reader, struct error *err) __attribute__((warn_unused_result));

void bzip_close(struct bzip_reader *reader); /* NULL is allowed */

#endif
