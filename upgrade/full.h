/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Full packages: LuatOS files that are served unchanged, whatever script a device runs. Only the core
   and the place of the script matter. A script package leads from every script of the same core to CORE.X.Z. A package that also
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

/* Where the script of an image is, or goes to, in flash. 0: not known. */
struct full_script {
    int64_t address;
    int64_t area;   /* of a release: bytes of the script area */
    int64_t kept;   /* of a release: the largest packed script that a module keeps */
    int64_t bytes;  /* of the script itself */
    int64_t packed; /* of a full package: its packed script */
    int64_t bits;   /* of the virtual machine */
};

#define FULL_WHY_SIZE 200
/* Whether a device that runs `base` can take the script of `package`. The module checks nothing of this, and a script
   in another place overwrites its core. What is not known does not count. False: `why` is a sentence. */
bool full_fits(const struct full_script *package, const struct full_script *base, char why[FULL_WHY_SIZE]);

/* Whether a device with this version has this core. False if the version has only one number: it names only
   a core, or is not from LuatOS. */
bool full_takes(const char *core, const struct version *running);

#endif
