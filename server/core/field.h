/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Values for JSON that goes to an admin. A text that was cut inside a character is repaired. */
#ifndef DFOTA_SERVER_CORE_FIELD_H
#define DFOTA_SERVER_CORE_FIELD_H

#include <jansson.h>
#include "base/sha256.h"

json_t *field_text(const char *text);          /* "" and NULL become null */
json_t *field_number(int64_t value);           /* 0 becomes null */
json_t *field_hash(const struct sha256 *hash); /* in hex */

#endif
