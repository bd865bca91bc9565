/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Checks the ledger of a database file without a server: for auditors and for backups. */
#ifndef DFOTA_SERVER_LEDGER_VERIFY_H
#define DFOTA_SERVER_LEDGER_VERIFY_H

#include <stdbool.h>
#include "base/chain.h"
#include "base/error.h"
#include "storage/db.h"

/* Recomputes every hash of the ledger in data_dir/dfota.db, which is only read and may be in use. Compares
   with the head in the file `head`, unless that is NULL. Prints the result on standard output. False:
   something is wrong, *err says what. */
bool ledger_verify(const char *data_dir, const char *head, struct error *err)
    __attribute__((warn_unused_result));

/* The same for an open database. *ret_last: the last row. `against` may be NULL. Prints nothing. */
bool ledger_check(struct db *db, const struct chain_head *against, struct chain_head *ret_last,
                  struct error *err) __attribute__((warn_unused_result));

/* Prints the head, as one line of JSON. */
bool ledger_print_head(const char *data_dir, struct error *err) __attribute__((warn_unused_result));

#endif
