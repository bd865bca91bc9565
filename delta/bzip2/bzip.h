/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* bzip2 over memory: whole streams out, exact reads in. The reader trusts nothing that it is given. */
#ifndef DFOTA_DELTA_BZIP2_BZIP_H
#define DFOTA_DELTA_BZIP2_BZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

/* Appends `plain` as one bzip2 stream. Fails only for want of memory or from 2 GiB on. */
bool bzip_add_stream(struct buffer *out, struct bytes plain, struct error *err)
    __attribute__((warn_unused_result));

struct bzip_reader; /* about 4 MB while it lives, whatever the stream says */

/* `packed` must outlive the reader; `what` (static text) names the stream in errors. No byte at all counts as
   an empty stream. */
bool bzip_open(struct bytes packed, const char *what, struct bzip_reader **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Exactly len bytes. ERROR_CORRUPT when the stream ends before, is cut off or is damaged. */
bool bzip_read(struct bzip_reader *reader, uint8_t *out, size_t len, struct error *err)
    __attribute__((warn_unused_result));

/* ERROR_CORRUPT unless all was read, the stream's checksum holds and nothing stands behind it. */
bool bzip_read_end(struct bzip_reader *reader, struct error *err) __attribute__((warn_unused_result));

void bzip_close(struct bzip_reader *reader); /* NULL is fine */

#endif
