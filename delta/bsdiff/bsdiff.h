/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Format `bsdiff`: BSDIFF40, which stock bspatch applies. Layout, limits and checks: doc/package-formats.md.
 */
#ifndef DFOTA_DELTA_BSDIFF_BSDIFF_H
#define DFOTA_DELTA_BSDIFF_BSDIFF_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/match.h"

bool bsdiff_owns(struct bytes package); /* does it begin as this format does? */

enum bsdiff_stream { BSDIFF_CONTROL, BSDIFF_DIFF, BSDIFF_EXTRA, BSDIFF_STREAMS };

/* One stream as it is before it is packed, in place of what *ret held. ERROR_INTERNAL: no memory. */
bool bsdiff_plain(enum bsdiff_stream stream, struct bytes old, struct bytes new,
                  const struct match_script *script, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

enum bsdiff_packing {               /* what goes into the bzip2 stage */
                      BSDIFF_STOCK, /* libbz2's, but for what is short */
                      BSDIFF_GOOD,  /* the smaller of libbz2's and ours, per stream */
                      BSDIFF_BEST,
};

/* Writes down a script as a package. ERROR_TOO_LARGE from 2 GiB on, ERROR_INTERNAL: no memory. */
bool bsdiff_encode(struct bytes old, struct bytes new, const struct match_script *script,
                   enum bsdiff_packing packing, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Applies any bytes that claim to be a package to any old image: never reads or writes out of bounds, never
   takes more memory than twice what was really unpacked, ends after work in proportion to the package and
   max_bytes. *ret is the new image, freed by the caller. ERROR_CORRUPT: not a whole, sound package;
   ERROR_TOO_LARGE: the new image would exceed max_bytes; ERROR_INTERNAL: no memory. */
bool bsdiff_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err) __attribute__((warn_unused_result));

#endif
