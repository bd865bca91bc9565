/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* For the files on packages: what a path …/packages/{from}/{to} names. */
#ifndef DFOTA_SERVER_ADMIN_PACKAGE_H
#define DFOTA_SERVER_ADMIN_PACKAGE_H

#include "server/admin/call.h"
#include "server/admin/path_params.h"
#include "server/ledger/event.h"
#include "storage/package.h"

struct hop {
    struct product product;
    struct firmware firmware;
    struct image from, to;
    struct package_key key;
    struct package package; /* valid if `found` */
    bool found;
};

/* Finds both images, `to` above `from`, and a format, which all must exist. ret->found: the package exists
   too. */
bool hop_find(const struct request *request, struct db *db, struct hop *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Like hop_find(), but the package must exist too: ERROR_PACKAGE_NOT_FOUND. */
bool hop_find_asked(const struct request *request, struct db *db, struct hop *ret, struct error *err)
    __attribute__((warn_unused_result));
json_t *hop_to_json(const struct daemon *daemon, const struct hop *hop);
/* Writer's thread: adds a ledger row about an admin's action on this package. Takes over `more`, which is
   added to by, format, from and to with their variants; NULL: nothing. `by` is the name from the body; NULL: the name from the
   query, if there is one. */
bool hop_note(const struct request *request, struct db *db, const struct hop *hop, enum ledger_kind kind,
              const char *by, json_t *more, struct error *err) __attribute__((warn_unused_result));

#endif
