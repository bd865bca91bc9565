/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Removes old rows of the ledger in small transactions, so that other work never waits long. Each
   transaction adds a row that stays and tells what was removed. */
#ifndef DFOTA_SERVER_LEDGER_PRUNE_H
#define DFOTA_SERVER_LEDGER_PRUNE_H

#include <jansson.h>
#include "server/db/writer.h"

struct ledger_pruned {
    int64_t rows, first, last; /* rows of the ledger: how many, the first, the last */
    int64_t days;              /* counts of check-ins, per device and day */
};

/* Removes everything that is older than before_ms. `by` says who wants it; it still belongs to the caller.
   This waits for the writer: never call it in the writer's thread. */
bool ledger_prune(struct writer *writer, int64_t before_ms, json_t *by, struct ledger_pruned *ret,
                  struct error *err) __attribute__((warn_unused_result));

#endif
