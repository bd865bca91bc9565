/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A simulated module that applies an EC618 payload. It has flash in blocks of 32 KB, a backup of one
   block, a progress record, and a power supply that can fail at any flash operation. Real modules are
   expected to accept what it accepts. Where the behaviour of real modules is not known, it refuses. Not
   thread-safe. */
#ifndef DFOTA_DELTA_EC618_MODULE_H
#define DFOTA_DELTA_EC618_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/payload.h"

enum ec618_flash {                      /* flash operations of the module for each part, in this order */
                   EC618_FLASH_RESTORE, /* only after a power cut: the backup is copied to its block */
                   EC618_FLASH_BACKUP,  /* the block that will be overwritten is copied to the backup */
                   EC618_FLASH_NOTE,    /* progress record: the backup is complete */
                   EC618_FLASH_WRITE,   /* the new block is written */
                   EC618_FLASH_ADVANCE, /* progress record: continue with the next part */
};

enum ec618_power {
    EC618_POWER_STAYS,
    EC618_POWER_FAILS_IN,    /* half of the block is written; a progress record is not written */
    EC618_POWER_FAILS_AFTER, /* the operation is complete */
};

/* The power supply. The module asks it at every flash operation. All zeros: the power never fails. */
struct ec618_supply {
    enum ec618_power (*ask)(void *context, enum ec618_flash operation, unsigned int place);
    void *context;
};

struct ec618_module;

/* A module that runs the image `old` and has downloaded `payload`. Both must live longer than the module.
   ERROR_CORRUPT: the payload is damaged or for an image of another size; ERROR_TOO_LARGE: the new image
   would exceed max_bytes; ERROR_INTERNAL: no memory. */
bool ec618_module_new(struct bytes old, struct bytes payload, size_t max_bytes, struct ec618_module **ret,
                      struct error *err) __attribute__((warn_unused_result));

/* Switches the module on. It patches from the progress record until it is finished or the power fails;
   *ret_done tells which. ERROR_CORRUPT: the module refuses a part, and would refuse it again;
   ERROR_INTERNAL: no memory. */
bool ec618_module_run(struct ec618_module *module, struct ec618_supply supply, bool *ret_done,
                      struct error *err) __attribute__((warn_unused_result));

/* The new image after the module has finished. The view is valid until the module is freed. */
struct bytes ec618_module_image(const struct ec618_module *module);

void ec618_module_free(struct ec618_module *module); /* NULL is allowed */

/* Applies a payload without a power cut. Any bytes are safe: at most EC618_PLAIN_MAX bytes are unpacked
   per part. The caller frees *ret. Errors as for ec618_module_new() and ec618_module_run(). */
bool ec618_module_apply(struct bytes old, struct bytes payload, size_t max_bytes, struct buffer *ret,
                        struct error *err) __attribute__((warn_unused_result));

#endif
