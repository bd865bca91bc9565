/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether one name may be a typing error of another. Pure. */
#ifndef DFOTA_UPGRADE_NAME_LIKE_H
#define DFOTA_UPGRADE_NAME_LIKE_H

#include <stdbool.h>

/* Compares only letters and digits, and ignores case. At most two characters may be wrong, missing or
   added; one if a name is shorter than six. False for names above 127 bytes. */
bool name_is_like(const char *a, const char *b);

#endif
