/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Improvements: a ready package is tried harder, and smaller bytes take the place of the present ones once no
   transfer is pinned to those. The package stays `ready` all the while. */
#ifndef DFOTA_STORAGE_IMPROVEMENT_H
#define DFOTA_STORAGE_IMPROVEMENT_H

#include "storage/package.h"

/* How far over the limit a package may be for harder efforts to be worth a device's waiting, in per mille of
   the limit, after a quick and after a good one. Measured gains: doc/package-formats.md. */
#define REACH_AFTER_QUICK 1150
#define REACH_AFTER_GOOD  1050

/* A ready package over the limit that a harder effort may still bring below: `oversize` is not settled. */
bool improvement_may_fit(int64_t size_bytes, int64_t tried, int64_t max_package_bytes);

struct improvement { /* a package to try harder */
    int64_t id;
    struct package_key key;
    int64_t size_bytes; /* to be beaten: of its bytes, or of smaller ones that wait already */
    int64_t tried;      /* enum package_effort */
};

/* Those that may come to fit a firmware's limit, most waiting devices first, at most `limit`. *ret is the
   caller's (free), as of the next one. On a reader's connection: it looks at all that may be tried harder. */
bool improvement_reachable(struct db *db, int64_t limit, struct improvement **ret, size_t *ret_count,
                           struct error *err);
/* Those tried less hard than `effort`, and wanted at least so much; most wanted first, then most waiting
 * devices. */
bool improvement_list(struct db *db, enum package_effort effort, int64_t wanted, int64_t limit,
                      struct improvement **ret, size_t *ret_count, struct error *err);

/* What an effort came to. Writer's thread. */

/* It was tried, whatever came of it. */
bool improvement_tried(struct db *db, int64_t id, enum package_effort effort, struct error *err);
/* Smaller bytes; *ret_old is what waited before and is nobody's now, where *ret_had. Not stored, and
   *ret_kept false, where the package has become another meanwhile. */
bool improvement_keep(struct db *db, int64_t id, const struct package_made *made, bool *ret_kept,
                      struct sha256 *ret_old, bool *ret_had, struct error *err);

struct improvement_swap { /* bytes that have been replaced */
    int64_t id;
    struct package_key key;
    struct sha256 old, sha256;
    int64_t old_size_bytes, size_bytes, effort;
};

/* Puts waiting smaller bytes in their place, where nothing is being sent of the present ones and no
   interrupted transfer was active after pinned_since_ms, and not ahead of now_ms. *ret is the caller's (free). *ret_waiting: how many
   still wait. Writer's thread. */
bool improvement_swap_all(struct db *db, int64_t pinned_since_ms, int64_t now_ms,
                          struct improvement_swap **ret, size_t *ret_count, int64_t *ret_waiting,
                          struct error *err);

#endif
