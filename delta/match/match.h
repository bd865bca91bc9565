/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Divides a new image into records: bytes that resemble a place in the old image, and new bytes. The work
   per byte of the new image is bounded for any input, such as long runs, repeats or shifted copies. */
#ifndef DFOTA_DELTA_MATCH_MATCH_H
#define DFOTA_DELTA_MATCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/match/suffix.h"

/* One piece of the new image. Records are applied in order, and the read position in the old image starts
   at 0. First come `diff_len` bytes that resemble the old image at the read position, which moves along;
   then `extra_len` bytes that have no counterpart in the old image; then the read position moves by
   `seek`. The diff bytes of a script always lie inside the old image. All lengths together are the length
   of the new image. */
struct match_record {
    uint32_t diff_len;
    uint32_t extra_len;
    int64_t seek;
};

struct match_script { /* all zeros: an empty script. Free with match_script_free(). */
    struct match_record *record;
    size_t count;
    size_t capacity;
    uint64_t steps; /* number of bytes that were compared. Tests limit this number instead of the time. */
};

/* `index` is the index of `old`. The caller frees *ret. ERROR_TOO_LARGE: new exceeds SUFFIX_MAX_TEXT;
   ERROR_INTERNAL: no memory. */
bool match_make_script(const struct suffix *index, struct bytes old, struct bytes new,
                       struct match_script *ret, struct error *err) __attribute__((warn_unused_result));

/* Appends a record. ERROR_INTERNAL: no memory. */
bool match_script_add(struct match_script *script, struct match_record record, struct error *err)
    __attribute__((warn_unused_result));

void match_script_free(struct match_script *script);

#endif
