/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an EC618's own code demands of a delta archive beside its being whole (par_check): every field of both
   headers that it reads, held against the payload. Where a wrong value is taken and only then goes wrong
   (half of the module patched, or patched again and again for ever), it is refused here.
   doc/package-formats.md has the table of fields. */
#ifndef DFOTA_DELTA_EC618_RULES_H
#define DFOTA_DELTA_EC618_RULES_H

#include <stdbool.h>
#include "base/error.h"
#include "delta/container/par.h"

/* Is it an EC618's, by its version or by any of its payloads? Archives of other chips look the same. */
bool ec618_rules_hold_for(const struct par *par);

/* Whether a module takes an archive that par_check has found whole. Opens no stream and sees no image: base
   and result are compared when the package is applied. ERROR_CORRUPT says what is wrong. */
bool ec618_rules_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* Whether the archive is short enough for a module's flash. ERROR_TOO_LARGE. */
bool ec618_rules_check_length(const struct par *par, struct error *err) __attribute__((warn_unused_result));

#endif
