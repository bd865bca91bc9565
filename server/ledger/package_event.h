/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Ledger rows about packages. Always in the writer's thread, in the transaction that stores the package. */
#ifndef DFOTA_SERVER_LEDGER_PACKAGE_EVENT_H
#define DFOTA_SERVER_LEDGER_PACKAGE_EVENT_H

#include "storage/package.h"

/* The package was made. A second row for each firmware that has both images and a lower limit says that
   the package is refused there. */
bool package_event_made(struct db *db, const struct package_key *key, const struct package_made *made,
                        int64_t now_ms, struct error *err) __attribute__((warn_unused_result));
/* The package cannot be made. */
bool package_event_failed(struct db *db, const struct package_key *key, const char *reason, int64_t now_ms,
                          struct error *err) __attribute__((warn_unused_result));

#endif
