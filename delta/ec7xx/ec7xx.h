/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Delta packages for modules with an EC7xx (EC716, EC718): a `.par` archive in one of the three wrappers of
   ec618/ec618.h. doc/package-formats.md says how each rule is known. */
#ifndef DFOTA_DELTA_EC7XX_EC7XX_H
#define DFOTA_DELTA_EC7XX_EC7XX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buffer.h"
#include "base/error.h"

/* Applies a package in any of the wrappers, as the module would. Wrapper, archive, both heads and the base must be
   right (rules.h). Each package goes through the simulated module. `old` is a .binpkg, a .soc or the raw image of
   one part. The archive may be too long for a module: see ec7xx_rules_check_length(). Errors as engine_apply() in
   delta/engine.h. The caller frees *ret. */
bool ec7xx_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Whether the package is for an EC7xx. */
bool ec7xx_owns(struct bytes package);

#endif
