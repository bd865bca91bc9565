/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The result codes that libfota3 posts. Its first edition and its later editions use the same numbers with
   different meanings. The first edition sends only a query; the later ones also send JSON. */
#ifndef DFOTA_UPGRADE_TURNKEY_H
#define DFOTA_UPGRADE_TURNKEY_H

#include <stdint.h>
#include "base/enum_names.h"

enum turnkey_form { TURNKEY_NONE, TURNKEY_QUERY, TURNKEY_JSON };
extern const struct enum_names turnkey_form_names; /* "", "query", "json" */

/* One sentence; NULL if the code is unknown. Static storage. */
const char *turnkey_meaning(enum turnkey_form form, int64_t code);

#endif
