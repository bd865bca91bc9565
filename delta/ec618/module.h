/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The module that takes an EC618 payload, simulated: flash in blocks of 32 KB, one of them backed up at a
   time, a progress record, and a power supply that can fail at any flash operation. What it accepts, real
   modules are expected to accept; where nothing is known of them, it refuses. One thread. */
#ifndef DFOTA_DELTA_EC618_MODULE_H
#define DFOTA_DELTA_EC618_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/payload.h"

enum ec618_flash {                      /* what the module does to its flash for each part, in this order */
                   EC618_FLASH_RESTORE, /* only after a power cut: the backup goes back to its block */
                   EC618_FLASH_BACKUP,  /* the block that will be overwritten goes to the backup */
                   EC618_FLASH_NOTE,    /* progress: the backup is good */
                   EC618_FLASH_WRITE,   /* the new block */
                   EC618_FLASH_ADVANCE, /* progress: on to the next part */
};

enum ec618_power {
    EC618_POWER_STAYS,
    EC618_POWER_FAILS_IN,    /* half of the block is written, of a progress record nothing */
    EC618_POWER_FAILS_AFTER, /* the operation is complete */
};

/* The power supply: asked at every flash operation. All zero never fails. */
struct ec618_supply {
    enum ec618_power (*ask)(void *context, enum ec618_flash operation, unsigned int place);
    void *context;
};

struct ec618_module;

/* A module that runs `old` and has `payload` downloaded; both must outlive it. ERROR_CORRUPT: the payload is
   unsound or made for an image of another size; ERROR_TOO_LARGE: the new image would exceed max_bytes. */
bool ec618_module_new(struct bytes old, struct bytes payload, size_t max_bytes, struct ec618_module **ret,
                      struct error *err) __attribute__((warn_unused_result));

/* Powers it on: it patches, from where the progress record says, until it is done or the power fails, which
 *ret_done tells. ERROR_CORRUPT: a part is refused, and will be each time. */
bool ec618_module_run(struct ec618_module *module, struct ec618_supply supply, bool *ret_done,
                      struct error *err) __attribute__((warn_unused_result));

/* The new image once it is done, until the module is freed. */
struct bytes ec618_module_image(const struct ec618_module *module);

void ec618_module_free(struct ec618_module *module); /* NULL is fine */

/* All of it without a power cut. Any bytes are safe: at most EC618_PLAIN_MAX bytes are unpacked per part.
 *ret is freed by the caller. */
bool ec618_module_apply(struct bytes old, struct bytes payload, size_t max_bytes, struct buffer *ret,
                        struct error *err) __attribute__((warn_unused_result));

#endif
