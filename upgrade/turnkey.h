/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The results that libfota3 posts. Its first edition and its later ones say different things with the same
   numbers, and are told apart by the form of their post: the first sends a query alone, the later ones JSON
   too. */
#ifndef DFOTA_UPGRADE_TURNKEY_H
#define DFOTA_UPGRADE_TURNKEY_H

#include <stdint.h>
#include "base/enum_names.h"

enum turnkey_form { TURNKEY_NONE, TURNKEY_QUERY, TURNKEY_JSON };
extern const struct enum_names turnkey_form_names; /* "", "query", "json" */

/* One sentence, or NULL where nobody knows. */
const char *turnkey_meaning(enum turnkey_form form, int64_t code);

#endif
