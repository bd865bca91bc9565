/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rules of an EC618 for a delta archive, in addition to par_check(): each field of both headers that
   the device reads is compared with the payload. Some wrong values are accepted by the device, which then
   stops half patched or patches again and again for ever; they are refused here. doc/package-formats.md
   has the table of fields. */
#ifndef DFOTA_DELTA_EC618_RULES_H
#define DFOTA_DELTA_EC618_RULES_H

#include <stdbool.h>
#include "base/error.h"
#include "delta/container/par.h"

/* Whether the archive is for an EC618, by its version or by one of its payloads. Archives of other chips
   look the same. */
bool ec618_rules_hold_for(const struct par *par);

/* Whether a module accepts an archive that par_check() has accepted. Opens no stream and needs no image:
   the base and the result are compared when the package is applied. ERROR_CORRUPT with the fault. */
bool ec618_rules_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* Whether the archive is short enough for the flash of a module. ERROR_TOO_LARGE: it is not. */
bool ec618_rules_check_length(const struct par *par, struct error *err) __attribute__((warn_unused_result));

#endif
