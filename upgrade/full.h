/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Full packages: LuatOS files that are served whole, as they are, whatever script a device runs. What decides
   is its core: a script leads from any script of the same core to CORE.X.Z; a file that changes the core too
   names the core that it may be applied to. */
#ifndef DFOTA_UPGRADE_FULL_H
#define DFOTA_UPGRADE_FULL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "upgrade/version.h"

#define FULL_FORMAT "full" /* stands for a package format where a full package was sent */

struct full_head { /* what the file says of itself */
    bool changes_core;
    uint32_t leads_to_core, allows_core; /* 0: nothing, as in the vendor's scripts */
};

/* Which core may take a file with a script that an admin uploads as version `named`; a core is the first
   number of a version. ERROR_NOT_AN_IMAGE: nobody could tell, or the file says otherwise than the name. */
bool full_core(const struct full_head *head, const struct version *named, char ret_core[VERSION_TEXT_SIZE],
               struct error *err) __attribute__((warn_unused_result));

/* A device that runs this version has that core. False where the version has no second number: it names a
   core alone, or is none of LuatOS. */
bool full_takes(const char *core, const struct version *running);

#endif
