/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether one name may be a mistyped other. */
#ifndef DFOTA_UPGRADE_NAME_LIKE_H
#define DFOTA_UPGRADE_NAME_LIKE_H

#include <stdbool.h>

/* The same but for case and for signs between letters and digits, or at most two characters wrong, missing or too much (one
   where a name is shorter than six). Names of up to 127 bytes; a longer one is like no other. */
bool name_is_like(const char *a, const char *b);

#endif
