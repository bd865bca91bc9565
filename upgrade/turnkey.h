/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The results that libfota3 posts. Its first edition and its later ones say different things with the same
   numbers, and are told apart by the form of their post: the first sends a query alone, the later ones JSON
   too. */
#ifndef DFOTA_UPGRADE_TURNKEY_H
#define DFOTA_UPGRADE_TURNKEY_H

#include <stdint.h>

#define TURNKEY_QUERY "query"
#define TURNKEY_JSON  "json"

/* One sentence, or NULL where nobody knows. */
const char *turnkey_meaning(const char *form, int64_t code);

#endif
