/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Delta packages for modules with an EC7xx (EC716, EC718): a `.par` archive in one of the three wrappers of
   ec618/ec618.h. doc/package-formats.md says how each rule is known. */
#ifndef DFOTA_DELTA_EC7XX_EC7XX_H
#define DFOTA_DELTA_EC7XX_EC7XX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/container/wrapper.h"
#include "base/chip.h"
#include "delta/ec7xx/stream.h"

/* For a raw image, whose address is not known: where AP and CP are in the vendor's samples. Other chips have AP
   elsewhere. A module does not use the address. */
#define EC7XX_AP_ADDRESS 0x7E000
#define EC7XX_CP_ADDRESS 0x1A000

struct ec7xx_making {
    enum ec7xx_effort effort;
    /* NULL: that of the images; if they do not tell, a chip with 4 MB of flash. */
    const struct ec7xx_chip *chip;
    bool raw_is_cp;        /* a raw image is CP; otherwise AP */
    bool has_load_address; /* false: the load address is taken from the image */
    uint32_t load_address; /* of the AP part in flash. A module does not use the address. */
};

/* Makes a package. The caller frees *ret. ERROR_INVALID: the images do not fit each other or the chip, they do not
   differ in anything that a package can change, or a module would pack a section of the new image to other bytes;
   ERROR_CORRUPT: an image is damaged; ERROR_TOO_LARGE: an image is over a limit of the module; ERROR_INTERNAL: no
   memory. */
bool ec7xx_make(enum wrapper wrapper, struct bytes old, struct bytes new, const struct ec7xx_making *making,
                struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* Applies a package in any of the wrappers, as the module would. Wrapper, archive, both heads and the base must be
   right (rules.h). Each package goes through the simulated module. `old` is a .binpkg, a .soc or the raw image of
   one part. The archive may be too long for a module: see ec7xx_fits_module(). Errors as engine_apply() in
   delta/engine.h. The caller frees *ret. */
bool ec7xx_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Whether the archive is for the flash of a module that runs the image `old`, and short enough for its chip. `named`: the
   chip as the caller knows it, or NULL. Of the chip that the image tells and the named one, the one with less room
   counts; without both, the one of the family with the least room. ERROR_INVALID: the archive is for a chip with more or
   less flash; ERROR_TOO_LARGE: it is too long. Other errors as ec7xx_apply(). */
bool ec7xx_fits_module(struct bytes package, struct bytes old, const struct ec7xx_chip *named,
                       struct error *err) __attribute__((warn_unused_result));

/* Whether the package is for an EC7xx. */
bool ec7xx_owns(struct bytes package);

#endif
