/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes the stream of one part of an EC618 payload: parses the part in several ways and keeps the
   smallest result. */
#ifndef DFOTA_DELTA_EC618_STREAM_H
#define DFOTA_DELTA_EC618_STREAM_H

#include <stdbool.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/match.h"
#include "delta/ec618/parse.h"
#include "delta/ec618/payload.h"

/* Makes the stream of the part into *ret, which the caller frees. Reads nothing of old outside of the
   window. ERROR_INTERNAL: no memory. */
bool ec618_stream_make(const struct ec618_index *index, const struct ec618_part_task *task,
                       struct ec618_window window, enum ec618_effort effort, struct buffer *ret,
                       struct error *err) __attribute__((warn_unused_result));

#endif
