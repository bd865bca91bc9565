/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Parse of a new image into pieces of an old one: which stretches are "old plus differences", which are new.
   Bounded work on any input: no run, repeat or shift makes it slower than a constant number of steps per
   byte. */
#ifndef DFOTA_DELTA_MATCH_MATCH_H
#define DFOTA_DELTA_MATCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/suffix.h"

/* One piece of the new image, read in order, the read position in old starting at 0: `diff_len` bytes that
   resemble old there (the position moves along with them), then `extra_len` bytes that come from nowhere,
   then the position moves by `seek`. The diff bytes of a script always lie inside old; its lengths add up to
   the new image. */
struct match_record {
    uint32_t diff_len;
    uint32_t extra_len;
    int64_t seek;
};

struct match_script { /* all zero is an empty script; free with match_script_free */
    struct match_record *record;
    size_t count;
    size_t capacity;
    uint64_t steps; /* bytes looked at to make it, what tests bound instead of time */
};

/* `index` is the index of `old`. ERROR_TOO_LARGE: new exceeds SUFFIX_MAX_TEXT; ERROR_INTERNAL: no memory. */
bool match_make_script(const struct suffix *index, struct bytes old, struct bytes new,
                       struct match_script *ret, struct error *err) __attribute__((warn_unused_result));

/* Adds a record at the end. ERROR_INTERNAL: no memory. */
bool match_script_add(struct match_script *script, struct match_record record, struct error *err)
    __attribute__((warn_unused_result));

void match_script_free(struct match_script *script);

#endif
