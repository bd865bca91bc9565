/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes the payload of an EC7xx's delta package from two AP or two CP images. */
#ifndef DFOTA_DELTA_EC7XX_MAKE_H
#define DFOTA_DELTA_EC7XX_MAKE_H

#include <stdbool.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/ec7xx/payload.h"
#include "delta/ec7xx/stream.h"

struct ec7xx_options {
    enum ec7xx_effort effort;
    bool only_order; /* make `order`, not the smaller of both orders */
    enum ec7xx_order order;
};

/* Makes the payload old → new into *ret, which the caller frees, and tells its order.
   ERROR_INVALID: an image has no packed sections, the layouts of both do not fit, or a module would pack a section
   of the new image to other bytes; ERROR_CORRUPT: an image is damaged; ERROR_TOO_LARGE; ERROR_INTERNAL: no
   memory. */
bool ec7xx_payload_make(struct bytes old, struct bytes new, struct ec7xx_options options, struct buffer *ret,
                        enum ec7xx_order *ret_order, struct error *err) __attribute__((warn_unused_result));

#endif
