/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes packages of the format `bsdiff`, with three levels of effort. */
#ifndef DFOTA_DELTA_BSDIFF_MAKE_H
#define DFOTA_DELTA_BSDIFF_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/suffix.h"

enum bsdiff_effort {
    BSDIFF_EFFORT_QUICK, /* one parse; compression by libbz2 */
    BSDIFF_EFFORT_GOOD,  /* parses by cost; compression also by our encoder */
    BSDIFF_EFFORT_BEST,  /* more parses, and more effort in the encoder */
};

/* Makes the package old → new into *ret, which the caller frees. The package is never larger than with
   the effort quick. `index` is the index of old, and this function frees it; NULL: the function builds
   one. Adds the number of compared bytes to *steps unless it is NULL: the number per byte of new is
   bounded for any pair of images. Needs at most 12 bytes of memory per byte of both images, and 24 MiB;
   for large images at most 6 bytes per byte of both, and 150 MiB.
   ERROR_TOO_LARGE: an image of 2 GiB or more; ERROR_INTERNAL: no memory. */
bool bsdiff_make(struct bytes old, struct bytes new, struct suffix *index, enum bsdiff_effort effort,
                 struct buffer *ret, uint64_t *steps, struct error *err) __attribute__((warn_unused_result));

#endif
