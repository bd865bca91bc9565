/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What becomes of packages, for the ledger. Writer's thread throughout, in the transaction that stores it. */
#ifndef DFOTA_SERVER_LEDGER_PACKAGE_EVENT_H
#define DFOTA_SERVER_LEDGER_PACKAGE_EVENT_H

#include "storage/package.h"

/* It is made, and refused for each firmware that has both images and a lower limit. */
bool package_event_made(struct db *db, const struct package_key *key, const struct package_made *made,
                        int64_t now_ms, struct error *err) __attribute__((warn_unused_result));
/* It cannot be made. */
bool package_event_failed(struct db *db, const struct package_key *key, const char *reason, int64_t now_ms,
                          struct error *err) __attribute__((warn_unused_result));

#endif
