/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Improvements: a ready package is made again with more effort. Smaller bytes replace the present ones
   when no transfer is pinned to those. The package stays `ready` all the time. */
#ifndef DFOTA_STORAGE_IMPROVEMENT_H
#define DFOTA_STORAGE_IMPROVEMENT_H

#include "storage/package.h"

/* How large a package may be, in per mille of the limit, so that devices wait for a harder effort: after a
   quick effort and after a good one. Measured gains: doc/package-formats.md. */
#define REACH_AFTER_QUICK 1150
#define REACH_AFTER_GOOD  1050

/* A ready package is over the limit, but a harder effort may bring it below: `oversize` is not settled
   yet. */
bool improvement_may_fit(int64_t counted_bytes, int64_t tried, int64_t max_package_bytes);

struct improvement { /* a package to try harder */
    int64_t id;
    struct package_key key;
    int64_t size_bytes; /* new bytes must be smaller: than the present ones, or than those that wait */
    int64_t tried;      /* enum package_effort */
};

/* Packages that may come to fit the limit of a firmware, most waiting devices first, at most `limit`. *ret
   is the caller's (free), also in improvement_list(). Use the connection of a reader: this reads all
   packages that may be tried harder. */
bool improvement_reachable(struct db *db, int64_t limit, struct improvement **ret, size_t *ret_count,
                           struct error *err);
/* Packages tried with less than `effort` and wanted at least that much: most wanted first, then most
   waiting devices. */
bool improvement_list(struct db *db, enum package_effort effort, int64_t wanted, int64_t limit,
                      struct improvement **ret, size_t *ret_count, struct error *err);

/* The result of an effort. Writer's thread. */

/* Stores that the effort was tried, whatever its result was. */
bool improvement_tried(struct db *db, int64_t id, enum package_effort effort, struct error *err);
/* Keeps smaller bytes until they can replace the present ones. Where *ret_had, *ret_old are smaller bytes
   that waited before and are not used any more. *ret_kept false: the package has changed meanwhile, and
   nothing was stored. */
bool improvement_keep(struct db *db, int64_t id, const struct package_made *made, bool *ret_kept,
                      struct sha256 *ret_old, bool *ret_had, struct error *err);

struct improvement_swap { /* bytes that were replaced */
    int64_t id;
    struct package_key key;
    struct sha256 old, sha256;
    int64_t old_size_bytes, size_bytes, uncounted_bytes, effort;
};

/* Replaces the bytes of packages by the smaller ones that wait, where the present bytes are not being sent
   and no interrupted transfer of them was active after pinned_since_ms. (Times that are ahead of now_ms do
   not count.) *ret is the caller's (free). *ret_waiting: how many packages still wait. Writer's thread. */
bool improvement_swap_all(struct db *db, int64_t pinned_since_ms, int64_t now_ms,
                          struct improvement_swap **ret, size_t *ret_count, int64_t *ret_waiting,
                          struct error *err);

#endif
