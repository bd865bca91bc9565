/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files on packages: what a path …/packages/{from}/{to} names. */
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
    struct package package; /* where found */
    bool found;
};

/* Both images are here, `to` above `from`, and a format is set; whether there is a package, ret->found tells.
 */
bool hop_find(const struct request *request, struct db *db, struct hop *ret, struct error *err)
    __attribute__((warn_unused_result));
/* As hop_find; ERROR_PACKAGE_NOT_FOUND when nobody has asked for it or uploaded one. */
bool hop_find_asked(const struct request *request, struct db *db, struct hop *ret, struct error *err)
    __attribute__((warn_unused_result));
json_t *hop_to_json(const struct daemon *daemon, const struct hop *hop);
/* Writer's thread: an admin's deed with this package, for the ledger. Takes over `more`, which joins by,
   format, from and to; NULL for nothing. `by` is the name that stood in the body, NULL: in the query, if
   anywhere. */
bool hop_note(const struct request *request, struct db *db, const struct hop *hop, enum ledger_kind kind,
              const char *by, json_t *more, struct error *err) __attribute__((warn_unused_result));

#endif
