/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The index of an old image: its sorted suffixes. A search finds where the longest prefix of some bytes
   occurs in the old image. One index serves every package that is made from that image. A finished index
   is read-only, so threads may share it. */
#ifndef DFOTA_DELTA_MATCH_SUFFIX_H
#define DFOTA_DELTA_MATCH_SUFFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

#define SUFFIX_MAX_TEXT ((size_t)INT32_MAX) /* positions have 32 bits */

#define SUFFIX_WORD 8

struct suffix;

struct suffix_match {
    size_t at;  /* position in the indexed text */
    size_t len; /* equal bytes. 0: nothing was found; single bytes are not searched for. */
};

/* Sorts `text`, which must live longer than the index. Takes 5 bytes of memory per byte of text and O(n
   log n) time for any content. ERROR_TOO_LARGE: more than SUFFIX_MAX_TEXT bytes; ERROR_INTERNAL: no
   memory. */
bool suffix_build(struct bytes text, struct suffix **ret, struct error *err)
    __attribute__((warn_unused_result));
void suffix_free(struct suffix *index);

/* The content of a file that keeps the index for the next package from the same image: a head and 4 bytes
   per byte of the image. The view is valid as long as the index. */
struct bytes suffix_seal(struct suffix *index);

/* Makes the index of `text` from the content of such a file. On success the index takes over the bytes,
   and *file is empty. ERROR_CORRUPT: not an index, the index of another image, written on a machine with
   another byte order, or damaged. Searches stay within the text even when a forged file passes these
   checks. ERROR_TOO_LARGE and ERROR_INTERNAL as for suffix_build(). */
bool suffix_open(struct bytes text, struct buffer *file, struct suffix **ret, struct error *err)
    __attribute__((warn_unused_result));

/* The size of the index file for a text of that length, in bytes. */
size_t suffix_file_size(size_t text_len);

/* The longest prefix of `wanted` that occurs in the text. Adds the number of compared bytes to *steps: at
   most (result + 2) · log2(text). */
struct suffix_match suffix_find_longest(const struct suffix *index, struct bytes wanted, uint64_t *steps);

/* False: the first SUFFIX_WORD bytes of `wanted` do not occur in the text. True: they may occur. Much
   faster than a search. */
bool suffix_may_have(const struct suffix *index, struct bytes wanted);

/* The suffixes directly before and after `wanted` in sorted order, with the number of bytes that each has
   in common with `wanted`. These are the two longest common prefixes at two places. Steps as above. */
void suffix_find_neighbours(const struct suffix *index, struct bytes wanted, struct suffix_match ret[2],
                            uint64_t *steps);

#endif
