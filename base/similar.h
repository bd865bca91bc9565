/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds the name that a mistyped word is most like: "did you mean …?" */
#ifndef DFOTA_BASE_SIMILAR_H
#define DFOTA_BASE_SIMILAR_H

#include <stddef.h>

#define SIMILAR_MAX 48 /* bytes; a longer word is like no name */

struct similar {
    const char *word; /* what was typed */
    const char *best; /* the most similar name so far, or NULL; not terminated */
    size_t best_len;
    size_t distance; /* of best */
};

/* Compares one more name of `len` bytes; it is borrowed. At most a third of the letters, but one in a short word, may be wrong, missing or in another order. A name that begins with a word of three letters or more is similar too. */
void similar_offer(struct similar *similar, const char *name, size_t len);

#endif
