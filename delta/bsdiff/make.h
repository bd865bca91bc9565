/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes packages of format `bsdiff`: how much is tried for a smaller one. */
#ifndef DFOTA_DELTA_BSDIFF_MAKE_H
#define DFOTA_DELTA_BSDIFF_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/suffix.h"

enum bsdiff_effort {
    BSDIFF_EFFORT_QUICK, /* one parse, and libbz2 */
    BSDIFF_EFFORT_GOOD,  /* parses by cost, and a bzip2 stage of our own */
    BSDIFF_EFFORT_BEST,  /* more of both */
};

/* Makes the package old → new into *ret, which the caller frees; no larger than a quick one. `index` is
   that of old, which this function frees, or NULL: it makes one. Adds bytes looked at to *steps, unless NULL:
   bounded for each byte of new on any pair. Needs at most 12 bytes of memory per byte of both images, and 24
   MiB. ERROR_TOO_LARGE from 2 GiB on, ERROR_INTERNAL without memory. */
bool bsdiff_make(struct bytes old, struct bytes new, struct suffix *index, enum bsdiff_effort effort,
                 struct buffer *ret, uint64_t *steps, struct error *err) __attribute__((warn_unused_result));

#endif
