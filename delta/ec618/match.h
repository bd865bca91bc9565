/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of one part of the new image may come from: pieces of the old image's window at some
   shift, long enough for the parse. */
#ifndef DFOTA_DELTA_EC618_MATCH_H
#define DFOTA_DELTA_EC618_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/payload.h"

struct ec618_index; /* of a pair of images. A finished index is read-only. */

struct ec618_span { /* bytes [from, to) of the part may be taken from old at `shift` bytes after their
                       place in new */
    int64_t shift;
    uint32_t from, to;
    uint32_t hits; /* number of equal bytes that were found, for ranking */
};

struct ec618_spans { /* all zeros: empty. Free with ec618_spans_free(). */
    struct ec618_span *span;
    size_t count;
    size_t total; /* bytes of all spans: at most EC618_SPAN_BYTES */
};

/* Bounds work and memory of the parse for any image. */
#define EC618_SPAN_BYTES ((size_t)64 * EC618_BLOCK_BYTES)

/* Both images must live longer than the index. Takes 5 bytes of memory per byte of both. ERROR_INTERNAL:
   no memory. */
bool ec618_index_build(struct bytes old, struct bytes new, struct ec618_index **ret, struct error *err)
    __attribute__((warn_unused_result));
void ec618_index_free(struct ec618_index *index); /* NULL is fine */

/* Finds the spans of the part new[begin, begin + len) that have at least `shortest` equal bytes in a row.
   All spans are inside the window. The work is proportional to both images and to the spans. The caller
   frees *ret. ERROR_INTERNAL: no memory. */
bool ec618_match_find(const struct ec618_index *index, size_t begin, size_t len, struct ec618_window window,
                      unsigned int shortest, struct ec618_spans *ret, struct error *err)
    __attribute__((warn_unused_result));

void ec618_spans_free(struct ec618_spans *spans);

#endif
