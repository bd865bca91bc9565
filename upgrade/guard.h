/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The loop guard: why it has closed for a device, as a sentence for the admin. Pure. */
#ifndef DFOTA_UPGRADE_GUARD_H
#define DFOTA_UPGRADE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_TEXT_SIZE 200

enum guard_cause {
    GUARD_SHARED,      /* two modules use the id */
    GUARD_NOT_APPLIED, /* packages arrive, and the old version comes back */
    GUARD_NEVER_WHOLE, /* no download is completed */
    GUARD_UNREPORTED,  /* packages arrive over a link, and no version is reported */
    GUARD_UNCLEAR
};

/* The downloads of the last 24 hours from the origin that the guard counts. */
struct guard_facts {
    int64_t begun;     /* downloads */
    int64_t completed; /* attempts of which every byte was acknowledged */
    int64_t not_applied,
        diverged;          /* of these: the old version, or a third version, was reported after that */
    int64_t from_versions; /* different versions that the attempts start from */
    int64_t packages;      /* different packages among `completed` */
    int64_t most_bytes_acked, size_bytes; /* of the attempt that came furthest */
    bool by_link;                         /* the last request came over a link */
    bool shared;                          /* two modules seem to use the id (storage/said.h) */
};

enum guard_cause guard_find_cause(const struct guard_facts *facts);
/* The cause with its numbers and what to look for. Returns out. */
const char *guard_explain(const struct guard_facts *facts, char out[GUARD_TEXT_SIZE]);

#endif
