/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a new image may come from: pieces of the old image at some shift. The parse by cost
   chooses among them. */
#ifndef DFOTA_DELTA_BSDIFF_SPANS_H
#define DFOTA_DELTA_BSDIFF_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/match.h"
#include "delta/match/suffix.h"

struct bsdiff_span { /* bytes [from, to) of new may be taken from old at `shift` bytes after their place
                        in new */
    int64_t shift;
    uint32_t from, to;
    uint32_t hits; /* number of equal bytes that were found, for ranking */
};

struct bsdiff_spans { /* all zeros: empty. Free with bsdiff_spans_free(). */
    struct bsdiff_span *span;
    size_t count;
    size_t total;   /* bytes of all spans: at most BSDIFF_LANES times new */
    uint64_t steps; /* number of compared bytes */
};

/* Average number of spans at each byte of new. Bounds work and memory of the parse for any image. */
#define BSDIFF_LANES 16

/* `index` is the index of `old`. The pieces of `script`, a script for the same pair, are among the spans,
   so the parse is never worse than that script. ERROR_INTERNAL: no memory. */
bool bsdiff_spans_find(const struct suffix *index, struct bytes old, struct bytes new,
                       const struct match_script *script, struct bsdiff_spans *ret, struct error *err)
    __attribute__((warn_unused_result));

void bsdiff_spans_free(struct bsdiff_spans *spans);

#endif
