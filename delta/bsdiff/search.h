/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The search for the script with the smallest streams: parses by cost, several times, with costs learned
   from the parse before. It works on a window of the new image, so its memory is bounded. */
#ifndef DFOTA_DELTA_BSDIFF_SEARCH_H
#define DFOTA_DELTA_BSDIFF_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/match/match.h"
#include "delta/match/suffix.h"

#define BSDIFF_PRICES 4

/* What is tried. The price of a record is its cost in the first script times these hundredths: a record
   also makes the bytes around it more expensive. */
struct bsdiff_tries {
    unsigned int price[BSDIFF_PRICES]; /* 0 ends the list */
    unsigned int passes;               /* number of parses of each price */
};

/* `new` is a window of the new image, and `first` is a script for it. Replaces the content of *ret with the
   best script, which is never worse than `first` after rough compression, and adds the number of compared
   bytes to ret->steps. *ret_first_len is the length of the streams of `first` after rough compression. `index` is the index of `old`. Takes at most 28 bytes of memory per byte of new, and
   8 MiB. ERROR_INTERNAL: no memory. */
bool bsdiff_search(const struct suffix *index, struct bytes old, struct bytes new,
                   const struct bsdiff_tries *tries, const struct match_script *first,
                   struct match_script *ret, size_t *ret_first_len, struct error *err)
    __attribute__((warn_unused_result));

#endif
