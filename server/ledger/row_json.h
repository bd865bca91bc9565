/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A row of the ledger as the admin API shows it. */
#ifndef DFOTA_SERVER_LEDGER_ROW_JSON_H
#define DFOTA_SERVER_LEDGER_ROW_JSON_H

#include <jansson.h>
#include "storage/ledger.h"

json_t *row_json_make(const struct ledger_row *row);

#endif
