/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Index of an old image: its sorted suffixes, answering "where does the longest piece that starts like this
   stand?". One index serves every delta from that image. Read-only once built, so threads may share it. */
#ifndef DFOTA_DELTA_MATCH_SUFFIX_H
#define DFOTA_DELTA_MATCH_SUFFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

#define SUFFIX_MAX_TEXT ((size_t)INT32_MAX) /* positions are kept in 32 bits */

#define SUFFIX_WORD 8

struct suffix;

struct suffix_match {
    size_t at;  /* position in the indexed text */
    size_t len; /* bytes in common; 0: nothing worth the name (a single byte is not looked for) */
};

/* Sorts `text`, which must outlive the index: 6 bytes of memory per byte, O(n log n) whatever stands in it.
   ERROR_TOO_LARGE over SUFFIX_MAX_TEXT, ERROR_INTERNAL without memory. */
bool suffix_build(struct bytes text, struct suffix **ret, struct error *err)
    __attribute__((warn_unused_result));
void suffix_free(struct suffix *index);

/* The index as a file, for the next delta from the same image: 4 bytes per byte of it and a head. It lives as
   long as the index. */
struct bytes suffix_seal(struct suffix *index);

/* The index of `text` out of such a file, whose bytes become the index's own (*file is emptied) unless it
   fails. ERROR_CORRUPT: it is no index, that of another image, made by a machine of other byte order, or
   damaged. Whatever passes for one, searches stay within the text. ERROR_TOO_LARGE and ERROR_INTERNAL as
   above. */
bool suffix_open(struct bytes text, struct buffer *file, struct suffix **ret, struct error *err)
    __attribute__((warn_unused_result));

/* The largest such file of a text. */
size_t suffix_file_size(size_t text_len);

/* The longest prefix of `wanted` that occurs in the text. Adds bytes looked at to *steps: at most
   (result + 2) · log2(text). */
struct suffix_match suffix_find_longest(const struct suffix *index, struct bytes wanted, uint64_t *steps);

/* False: no SUFFIX_WORD bytes that `wanted` begins with are anywhere in the text. Much faster than to look
 * for them. */
bool suffix_may_have(const struct suffix *index, struct bytes wanted);

/* What stands just before and just behind `wanted` in the order of the text, and how much either has in
   common with it: the two longest prefixes that there are from two places. Steps as above. */
void suffix_find_neighbours(const struct suffix *index, struct bytes wanted, struct suffix_match ret[2],
                            uint64_t *steps);

#endif
