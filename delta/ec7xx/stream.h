/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes the delta of one segment: chooses its records in several ways and keeps the smallest result. */
#ifndef DFOTA_DELTA_EC7XX_STREAM_H
#define DFOTA_DELTA_EC7XX_STREAM_H

#include <stdbool.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/match/match.h"

enum ec7xx_effort {
    EC7XX_QUICK,
    EC7XX_GOOD,
    EC7XX_BEST,
};

/* Makes the delta old → new into *ret, which the caller frees. `old` is what the segment may read, and may be
   empty. ERROR_INTERNAL: no memory. */
bool ec7xx_stream_make(struct bytes old, struct bytes new, enum ec7xx_effort effort, struct buffer *ret,
                       struct error *err) __attribute__((warn_unused_result));

/* Writes the delta of these records. As above. */
bool ec7xx_stream_write(struct bytes old, struct bytes new, const struct match_script *script,
                        enum ec7xx_effort effort, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
