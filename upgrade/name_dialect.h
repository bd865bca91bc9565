/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware and version from the parameters of the vendor's dialect. Pure. */
#ifndef DFOTA_UPGRADE_NAME_DIALECT_H
#define DFOTA_UPGRADE_NAME_DIALECT_H

#include "upgrade/name.h"

/* The parameters of a request; an empty slice is a parameter that was not sent. */
struct dialect_version {
    struct slice firmware_name, version, core_version, dfota;
    struct slice script_name, script_version, model, core_name; /* libfota3 */
};

/* Finds firmware and version by the first rule that fits:
   1. libfota3, script_name with model or core_name: the firmware is SCRIPT_LuatOS-SoC_MODEL,
   SCRIPT_CORE-NAME or SCRIPT, the version CORE.SCRIPT-VERSION.
   2. dfota=1 with core_version: the version is CORE.x.y.z with the script's version, or CORE if that is
   0.0.0.
   3. The name is "<VER>_…_CSDK_EC618" and VER equals the version: the firmware is the rest of the name.
   4. Otherwise name and version as they were sent. The version may be a full name. False only if there is
   no firmware name. ret->version.count is 0 if no version could be read. */
bool name_dialect_resolve(const struct dialect_version *said, struct full_name *ret);

/* libfota3 sends all three numbers of its script, CORE.x.y.z. Releases are mostly named without the middle
   one, CORE.x.z. False if `version` does not have four numbers. */
bool name_dialect_drop_middle(const struct version *version, struct version *ret);

/* The kind of a core's build, the last number in the name of a .soc: 116 in "LuatOS-SoC_V2034_Air780EHM_116.soc", with or
   without a project before it. False: the name has none. */
bool name_dialect_core_id(struct slice file_name, uint64_t *ret);

/* The script's version in a target, written as the device writes its own, because libfota3 compares texts.
   "001.999.000" and 2046.1.1 (or 2046.1.999.1) give "001.999.001". If the target has no middle number, the
   device's is used; if it names only a core, the device's script stays. */
#define NAME_DIALECT_SCRIPT_SIZE 96
void name_dialect_script_version(struct slice own, const struct version *target,
                                 char out[NAME_DIALECT_SCRIPT_SIZE]);

#endif
