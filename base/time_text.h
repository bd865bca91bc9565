/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times that people and programs write (RFC 3339). Pure. */
#ifndef DFOTA_BASE_TIME_TEXT_H
#define DFOTA_BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/* "2026-11-01T12:00:00Z", with a fraction of the second or an offset such as +08:00, or "2026-11-01" for the
   beginning of that day in UTC. *ret_ms: UTC, milliseconds since 1970; more digits of the fraction are cut.
   False: it is no such time, or has no offset. A leap second is not accepted. */
bool time_text_parse(struct slice text, int64_t *ret_ms) __attribute__((warn_unused_result));

#endif
