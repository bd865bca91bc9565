/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Cuts a script into scripts for windows of the new image, and joins such scripts again. */
#ifndef DFOTA_DELTA_BSDIFF_WINDOW_H
#define DFOTA_DELTA_BSDIFF_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/match/match.h"

struct bsdiff_cut { /* a place in a script. Set `script`; all other fields are zero at its beginning. */
    const struct match_script *script;
    size_t record;
    uint32_t diff_done, extra_done; /* bytes of that record before the place */
    int64_t old_at;
};

/* Replaces the records of *ret with a script for the next `len` bytes of new, and moves the place behind
   them. The script must have these bytes. ERROR_INTERNAL: no memory. */
bool bsdiff_window_cut(struct bsdiff_cut *place, size_t len, struct match_script *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Appends the script of the next window. *old_at is the read position after *script, 0 at its beginning.
   ERROR_INTERNAL: no memory. */
bool bsdiff_window_join(struct match_script *script, int64_t *old_at, const struct match_script *next,
                        struct error *err) __attribute__((warn_unused_result));

#endif
