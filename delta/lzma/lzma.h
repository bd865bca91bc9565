/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The packed sections of EC7xx images: the .lzma form with a known size and no end marker. A module
   unpacks a section, patches the bytes, packs them again with its own encoder, and compares the hash of
   the image. So our encoder must give the bytes of the module's encoder. The output depends only on the
   input. The functions keep no state and may be called from any thread. */
#ifndef DFOTA_DELTA_LZMA_LZMA_H
#define DFOTA_DELTA_LZMA_LZMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

#define LZMA_HEAD_BYTES 13         /* properties (1), dictionary (4), unpacked size (8) */
#define LZMA_PLAIN_MAX  (16 << 20) /* bytes of unpacked data */

/* Packs `plain` as a module does, and appends head and data to `out`. `plain` may be empty and must not be
   in `out`. Takes 576 KB of memory besides `out`; packs about 7 MB of code per second, and 1 MB of the
   slowest data that we know. After an error `out` has its old content. ERROR_TOO_LARGE: more than
   LZMA_PLAIN_MAX bytes; ERROR_INTERNAL: no memory. */
bool lzma_device_pack(struct buffer *out, struct bytes plain, struct error *err)
    __attribute__((warn_unused_result));

/* Unpacks one whole packed section and appends its content to `out`, owned by the caller. `packed` must
   not be in `out`. Safe on hostile data: reserves at most `limit` + 1 bytes in `out`, and takes less than
   1 MB besides. After an error `out` has its old content. ERROR_CORRUPT: the head differs from that of a
   module in more than the size, the size is above `limit` or LZMA_PLAIN_MAX, or `packed` is not exactly the
   data for this size. ERROR_INTERNAL: no memory. */
bool lzma_device_unpack(struct buffer *out, struct bytes packed, size_t limit, struct error *err)
    __attribute__((warn_unused_result));

#endif
