/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Old rows of the ledger removed, in pieces that hold nobody up, each signed off by a row that stays. */
#ifndef DFOTA_SERVER_LEDGER_PRUNE_H
#define DFOTA_SERVER_LEDGER_PRUNE_H

#include <jansson.h>
#include "server/db/writer.h"

struct ledger_pruned {
    int64_t rows, first, last; /* of the ledger */
    int64_t days;              /* counts of check-ins, per device and day */
};

/* Removes what is older than before_ms. `by` is who wants it; it stays the caller's. Never from the writer's
   own thread: it waits. */
bool ledger_prune(struct writer *writer, int64_t before_ms, json_t *by, struct ledger_pruned *ret,
                  struct error *err) __attribute__((warn_unused_result));

#endif
