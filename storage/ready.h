/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices that wait for a package, were told so, and have not been announced as ready: for the event package-ready. */
#ifndef DFOTA_STORAGE_READY_H
#define DFOTA_STORAGE_READY_H

#include "storage/attempt.h"
#include "storage/link.h"

struct ready_group { /* waiting devices of one firmware that run one version */
    int64_t firmware_id;
    char from[VERSION_TEXT_SIZE];
};

/* The first group behind *group, in order of firmware and version; *ret_found false: that was the last one. */
bool ready_next(struct db *db, struct ready_group *group, bool *ret_found, struct error *err)
    __attribute__((warn_unused_result));

struct ready_device {
    int64_t attempt_id, device_id;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    struct sha256 build; /* of the version of the group; zero: not known */
    char
        token[LINK_TOKEN_SIZE]; /* of its link: the one it asked over, else its newest one; "": it has none */
};

/* Devices of the group with attempt_id > after that the loop guard has not closed on, at most `limit`. *ret is the caller's
   (free). */
bool ready_list(struct db *db, const struct ready_group *group, int64_t after, int64_t limit,
                struct ready_device **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
bool ready_set(struct db *db, int64_t attempt_id, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

#endif
