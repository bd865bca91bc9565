/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a new image may come from: stretches of the old one laid beside it at some shift, that
   the parse by cost chooses from. */
#ifndef DFOTA_DELTA_BSDIFF_SPANS_H
#define DFOTA_DELTA_BSDIFF_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/match.h"
#include "delta/match/suffix.h"

struct bsdiff_span { /* bytes [from, to) of new may be taken from old, `shift` bytes on from where they stand
                        in new */
    int64_t shift;
    uint32_t from, to;
    uint32_t hits; /* bytes that were found to be equal, for ranking */
};

struct bsdiff_spans { /* all zero is empty; free with bsdiff_spans_free */
    struct bsdiff_span *span;
    size_t count;
    size_t total;   /* bytes of all of them: at most BSDIFF_LANES times new */
    uint64_t steps; /* bytes looked at */
};

#define BSDIFF_LANES                                                                                         \
    16 /* spans beside each byte of new in the mean: bounds work and memory of the parse on any image */

/* `index` is that of `old`. The stretches of `script`, a script for the same pair, are among the spans, so
   that a parse finds nothing worse. ERROR_INTERNAL: no memory. */
bool bsdiff_spans_find(const struct suffix *index, struct bytes old, struct bytes new,
                       const struct match_script *script, struct bsdiff_spans *ret, struct error *err)
    __attribute__((warn_unused_result));

void bsdiff_spans_free(struct bsdiff_spans *spans);

#endif
