/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rules of an EC7xx for a delta archive, in addition to par_check(). Some wrong values are accepted by the
   device, which then stops half patched or patches again and again for ever; they are refused here, and so is what
   was never tested. doc/package-formats.md has the table of fields. */
#ifndef DFOTA_DELTA_EC7XX_RULES_H
#define DFOTA_DELTA_EC7XX_RULES_H

#include <stdbool.h>
#include "base/error.h"
#include "delta/container/par.h"
#include "base/chip.h"

#define EC7XX_PAR_VERSION    0x45
#define EC7XX_OPTION_SYMBOLS 4 /* kind of the option with which the vendor's second form (HLS) begins */

/* Whether the archive is for an EC7xx, by its version or by one of its payloads. */
bool ec7xx_rules_hold_for(const struct par *par);

/* Whether a module accepts an archive that par_check() has accepted. Opens no delta and needs no image. The base
   and the result are compared when the package is applied. ERROR_CANNOT_APPLY: a form that is not supported;
   ERROR_CORRUPT with the fault. */
bool ec7xx_rules_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* Whether the archive is short enough for a chip. NULL: the chip is not known, and the archive must fit the chip with
   the least room. ERROR_TOO_LARGE: it does not. */
bool ec7xx_rules_check_length(const struct par *par, const struct ec7xx_chip *chip, struct error *err)
    __attribute__((warn_unused_result));

#endif
