/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether a path leads from the versions that devices run to a target. */
#ifndef DFOTA_SERVER_PLANNING_REACH_H
#define DFOTA_SERVER_PLANNING_REACH_H

#include "server/planning/graph.h"

#define REACH_BASES 64 /* that are remembered */

struct reach { /* the first fields are the caller's, the others begin as zero */
    const struct daemon *daemon;
    struct db *db;
    const struct firmware *firmware;
    struct version target;

    struct reach_base {
        char version[VERSION_TEXT_SIZE];
        struct sha256 build; /* zero: not known */
        bool reachable;
    } base[REACH_BASES];
    unsigned count;
};

/* Of a device that runs `version`, and of it the image with the hash `build` (zero: not known). Devices run few versions: for
   those beyond REACH_BASES the path is searched again each time. */
bool reach_look(struct reach *reach, const char *version, const struct sha256 *build, bool *ret,
                struct error *err) __attribute__((warn_unused_result));

#endif
