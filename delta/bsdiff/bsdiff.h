/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Format `bsdiff` (BSDIFF40), which stock bspatch applies. Layout, limits and checks:
   doc/package-formats.md. */
#ifndef DFOTA_DELTA_BSDIFF_BSDIFF_H
#define DFOTA_DELTA_BSDIFF_BSDIFF_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/match.h"

bool bsdiff_owns(struct bytes package); /* whether it begins with BSDIFF40 */

enum bsdiff_stream { BSDIFF_CONTROL, BSDIFF_DIFF, BSDIFF_EXTRA, BSDIFF_STREAMS };

/* The content of one stream before compression. Diff bytes outside of old are bytes of new. Replaces the content of *ret. ERROR_INTERNAL: no memory. */
bool bsdiff_plain(enum bsdiff_stream stream, struct bytes old, struct bytes new,
                  const struct match_script *script, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

enum bsdiff_packing {               /* how the streams are compressed */
                      BSDIFF_STOCK, /* by libbz2, and short streams as in BSDIFF_GOOD */
                      BSDIFF_GOOD, /* by our encoder, and short streams by libbz2 too; each takes the smaller result */
                      BSDIFF_BEST,
};

/* Writes a script as a package. The caller frees *ret. ERROR_TOO_LARGE: 2 GiB or more; ERROR_INTERNAL: no
   memory. */
bool bsdiff_encode(struct bytes old, struct bytes new, const struct match_script *script,
                   enum bsdiff_packing packing, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* About the length of that package. Takes much less time than making it. ERROR_INTERNAL: no memory. */
bool bsdiff_measure(struct bytes old, struct bytes new, const struct match_script *script, size_t *ret_len,
                    struct error *err) __attribute__((warn_unused_result));

/* Applies `package`, which may be any bytes, to any old image. Never reads or writes out of bounds. Takes
   at most twice the memory of what was unpacked. The work is proportional to the package and max_bytes.
   *ret is the new image, and the caller frees it. ERROR_CORRUPT: not a complete, sound package;
   ERROR_TOO_LARGE: the new image would exceed max_bytes; ERROR_INTERNAL: no memory. */
bool bsdiff_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err) __attribute__((warn_unused_result));

#endif
