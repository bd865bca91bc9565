/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A simulated module that applies one package of an EC7xx archive. It has flash, a backup of one segment, a progress
   record, and a power supply that can fail at any flash operation. Real modules are expected to accept what it
   accepts. Where the behaviour of real modules is not known, it refuses. Not thread-safe. */
#ifndef DFOTA_DELTA_EC7XX_MODULE_H
#define DFOTA_DELTA_EC7XX_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/container/par.h"

enum ec7xx_flash {                      /* flash operations of the module for each segment, in this order */
                   EC7XX_FLASH_RESTORE, /* only after a power cut: the backup is copied to its place */
                   EC7XX_FLASH_BACKUP,  /* the bytes that will be overwritten are copied to the backup */
                   EC7XX_FLASH_NOTE,    /* progress record: the backup is complete */
                   EC7XX_FLASH_WRITE,   /* the new bytes are written */
                   EC7XX_FLASH_ADVANCE, /* progress record: continue with the next segment */
};

enum ec7xx_power {
    EC7XX_POWER_STAYS,
    EC7XX_POWER_FAILS_IN,    /* half of the bytes are written; a progress record is not written */
    EC7XX_POWER_FAILS_AFTER, /* the operation is complete */
};

/* The power supply. The module asks it at every flash operation. All zeros: the power never fails. */
struct ec7xx_supply {
    enum ec7xx_power (*ask)(void *context, enum ec7xx_flash operation, unsigned int place);
    void *context;
};

struct ec7xx_module;

/* A module that runs the image `old` and has downloaded the package, which ec7xx_rules_check() accepted. Both must
   live longer than the module. ERROR_INVALID: the package is for another old image; ERROR_CORRUPT: it does not
   describe the old image rightly; ERROR_INTERNAL: no memory. */
bool ec7xx_module_new(struct bytes old, const struct par_part *part, struct ec7xx_module **ret,
                      struct error *err) __attribute__((warn_unused_result));

/* Switches the module on. It patches from the progress record until it is finished or the power fails; *ret_done
   tells which. A finished module has compared the new image with the package. ERROR_CORRUPT: the module refuses a
   segment or the result, and would do so again; ERROR_INTERNAL: no memory. */
bool ec7xx_module_run(struct ec7xx_module *module, struct ec7xx_supply supply, bool *ret_done,
                      struct error *err) __attribute__((warn_unused_result));

/* The content of the flash: the new image after the module has finished. The view is valid until the module is
   freed. */
struct bytes ec7xx_module_image(const struct ec7xx_module *module);

void ec7xx_module_free(struct ec7xx_module *module); /* NULL is allowed */

/* Applies a package without a power cut. The caller frees *ret. Errors as for ec7xx_module_new() and
   ec7xx_module_run(). */
bool ec7xx_module_apply(struct bytes old, const struct par_part *part, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
