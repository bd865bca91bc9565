/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which build of its version a device runs, where several are stored. */
#ifndef DFOTA_SERVER_CHECKIN_BASE_BUILD_H
#define DFOTA_SERVER_CHECKIN_BASE_BUILD_H

#include "server/checkin/facts.h"

/* Fills facts->build and snapshot.build_doubt, after the attempt is loaded. `base`: the version that the device is
   served from. In this order: what is stored of the device; the core_id that the device says, if each build of the
   version has a core_id, and exactly one has this; the only build of which no package was refused. A core_id is the
   word of a request: nothing is stored of it in the device, and against what is stored it only stops packages. */
bool base_build_choose(struct db *db, struct facts *facts, const char *base, struct error *err)
    __attribute__((warn_unused_result));

/* The hash for the planner; NULL: not known. */
const struct sha256 *base_build_hash(const struct facts *facts);

/* An attempt ended as not applied: sets its reason if the base may be another build of its version. */
bool base_build_explain(struct db *db, struct attempt *attempt, struct error *err)
    __attribute__((warn_unused_result));

/* The build of `version` that a report names by its hash or by its variant, whichever is given. Neither: *ret_found is
   false. ERROR_INVALID: the version has no such build. */
struct build_told {
    bool has_variant, has_sha256;
    char variant[VARIANT_SIZE];
    struct sha256 sha256;
};
bool base_build_find(struct db *db, int64_t firmware_id, const struct version *version,
                     const struct build_told *told, struct sha256 *ret, bool *ret_found, struct error *err)
    __attribute__((warn_unused_result));

#endif
