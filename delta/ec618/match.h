/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of one part of the new image may come from: stretches of the old image's window laid beside
   it at some shift, long enough to be worth a look by the parse. */
#ifndef DFOTA_DELTA_EC618_MATCH_H
#define DFOTA_DELTA_EC618_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/payload.h"

struct ec618_index; /* of a pair of images; read-only once built */

struct ec618_span { /* bytes [from, to) of the part may be taken from old, `shift` bytes on from where they
                       stand in new */
    int64_t shift;
    uint32_t from, to;
    uint32_t hits; /* bytes that were found to be equal in a row, for ranking */
};

struct ec618_spans { /* all zero is empty; free with ec618_spans_free */
    struct ec618_span *span;
    size_t count;
    size_t total; /* bytes of all of them: at most EC618_SPAN_BYTES */
};

#define EC618_SPAN_BYTES                                                                                     \
    ((size_t)64 * EC618_BLOCK_BYTES) /* bounds work and memory of the parse on any image */

/* Both images must outlive the index. 5 bytes of memory per byte of both. ERROR_INTERNAL: no memory. */
bool ec618_index_build(struct bytes old, struct bytes new, struct ec618_index **ret, struct error *err)
    __attribute__((warn_unused_result));
void ec618_index_free(struct ec618_index *index); /* NULL is fine */

/* The spans of the part new[begin, begin + len) with at least `shortest` equal bytes in a row. All lie in the
   window. Work in proportion to both images plus the part's. */
bool ec618_match_find(const struct ec618_index *index, size_t begin, size_t len, struct ec618_window window,
                      unsigned int shortest, struct ec618_spans *ret, struct error *err)
    __attribute__((warn_unused_result));

void ec618_spans_free(struct ec618_spans *spans);

#endif
