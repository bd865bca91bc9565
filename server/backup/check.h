/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Checks of a database and its blobs without a server. Nothing is written. */
#ifndef DFOTA_SERVER_BACKUP_CHECK_H
#define DFOTA_SERVER_BACKUP_CHECK_H

#include "base/chain.h"
#include "server/backup/findings.h"
#include "storage/blob_row.h"

struct checked { /* all owned: checked_free() */
    unsigned schema;
    struct chain_head head;
    struct blob_row *blobs; /* that the database names, in the order of their hashes */
    size_t blob_count;
};

void checked_free(struct checked *checked);

/* Pages, indexes, references, and the chain of the ledger, which must continue from `against` (NULL:
   none). False: no server can use the database (findings), or this dfotad cannot check it (*err with
   ERROR_UNAVAILABLE, and no finding is added). */
bool check_database(const char *path, const struct chain_head *against, struct checked *ret,
                    struct findings *findings, struct error *err) __attribute__((warn_unused_result));

/* Compares the file of each blob in `directory` with its hash and its size. `checked` is a set of hashes
   that are not looked at again; it grows, and the caller frees its array. */
struct hash_set {
    struct sha256 *hash; /* sorted */
    size_t count;
};
bool hash_set_has(const struct hash_set *set, const struct sha256 *hash);
bool hash_set_add(struct hash_set *set, const struct blob_row *rows, size_t count);
bool check_blobs(const char *directory, const struct blob_row *rows, size_t count,
                 const struct hash_set *done, struct findings *findings, struct error *err)
    __attribute__((warn_unused_result));
/* How many files in blobs/ are not in the set. */
bool check_unknown(const char *directory, const struct hash_set *known, unsigned *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
