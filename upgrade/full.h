/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Full packages: LuatOS files that are served unchanged, whatever script a device runs. Only the core
   matters. A script package leads from every script of the same core to CORE.X.Z. A package that also
   changes the core names the core that it can be applied to. */
#ifndef DFOTA_UPGRADE_FULL_H
#define DFOTA_UPGRADE_FULL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "upgrade/version.h"

#define FULL_FORMAT "full" /* the package format in the record of a full package */

struct full_head { /* from the header of the file */
    bool changes_core;
    uint32_t leads_to_core, allows_core; /* 0: not given, as in the vendor's script files */
};

/* The core that can take the file, which an admin uploads as version `named`. A core is the first number of
   a version. ERROR_NOT_AN_IMAGE: the core is unknown, or the file contradicts the version. */
bool full_core(const struct full_head *head, const struct version *named, char ret_core[VERSION_TEXT_SIZE],
               struct error *err) __attribute__((warn_unused_result));

/* Whether a device with this version has this core. False if the version has only one number: it names only
   a core, or is not from LuatOS. */
bool full_takes(const char *core, const struct version *running);

#endif
