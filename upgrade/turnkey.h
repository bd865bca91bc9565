/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The result codes that libfota3 posts. Its first edition and its later editions use the same numbers with
   different meanings. The first edition sends only a query; the later ones also send JSON. */
#ifndef DFOTA_UPGRADE_TURNKEY_H
#define DFOTA_UPGRADE_TURNKEY_H

#include <stdint.h>

#define TURNKEY_QUERY "query"
#define TURNKEY_JSON  "json"

/* One sentence; NULL if the code is unknown. Static storage. */
const char *turnkey_meaning(const char *form, int64_t code);

#endif
