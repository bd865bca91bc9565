/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names: of firmware, of released files, of products. The rules by which a name and a version come out of one text. */
#ifndef DFOTA_UPGRADE_NAME_H
#define DFOTA_UPGRADE_NAME_H

#include <stdbool.h>
#include "base/error.h"
#include "base/slice.h"
#include "upgrade/version.h"

#define FIRMWARE_NAME_SIZE 101 /* 1 to 100 bytes and NUL */
#define PRODUCT_KEY_SIZE   65  /* 1 to 64 of A-Z a-z 0-9 . _ - and NUL */

struct full_name {
    char firmware[FIRMWARE_NAME_SIZE];
    struct version version;
};

bool name_is_product_key(struct slice text);
/* Clean UTF-8, 1 to 100 bytes, without '/', '?', '&', '#'. */
bool name_is_firmware(struct slice text);
/* It ends as the files of releases do: .dfota.bin, .bin, … */
bool name_is_file(struct slice text);

/* A file name or full name into firmware and version; endings (.dfota.bin, …) are dropped. ERROR_BAD_NAME when it is no
   clean name, ERROR_BAD_VERSION when no version stands in it. "AirM2M_780E_V1138_LTE_AT.dfota.bin" → AirM2M_780E_LTE_AT, 1138;
   "fotademo_1103.1.2_LuatOS-SoC_EC618.bin" → fotademo_LuatOS-SoC_EC618, 1103.1.2. */
bool name_parse_full(struct slice text, struct full_name *ret, struct error *err);

/* As name_parse_full(), for the name of a file as people and browsers leave it: marks of copies are dropped (" (1)", " - Copy",
   ".bin.1"), several endings too, and a version may also stand as v1, v1.5.0 or 1.5.0 behind '-', '@' or a blank. The sentence of
   ERROR_BAD_VERSION says how firmware and version are named beside the file. */
bool name_parse_file(struct slice text, struct full_name *ret, struct error *err);

/* Whatever an admin or a host writes for a version of `firmware`: 1162, V1162 or a full name. ERROR_WRONG_FIRMWARE when
   it is a full name of another firmware, ERROR_BAD_VERSION when it is none of these. */
bool name_parse_version_of(struct slice text, const char *firmware, struct version *ret, struct error *err);

/* What a device says in the vendor's dialect, resolved to firmware and version by one table of rules:
   libfota3's script_name, with model or core_name → SCRIPT_LuatOS-SoC_MODEL, SCRIPT_CORE-NAME or SCRIPT,
   version CORE.SCRIPT-VERSION; `dfota=1` with core_version → CORE.x.y.z, the script's
   version behind it unless that is 0.0.0; a name "<VER>_…_CSDK_EC618"
   whose VER is the version → the rest is the name; else name and version as they stand, the version perhaps
   as a full name. Empty slices are parameters not sent. False only when no firmware name comes of it;
   ret->version.count is 0 when no version could be read. */
struct dialect_version {
    struct slice firmware_name, version, core_version, dfota;
    struct slice script_name, script_version, model, core_name; /* libfota3 */
};
bool name_resolve_dialect(const struct dialect_version *said, struct full_name *ret);

/* libfota3 says all three numbers of its script, CORE.x.y.z; releases are mostly named without the middle
   one, which says nothing: CORE.x.z. False where `version` has not four numbers. */
bool name_drop_middle(const struct version *version, struct version *ret);

/* The script's part of a target as the device writes its own, because libfota3 compares texts: "001.999.000"
   and 2046.1.1 (or 2046.1.999.1) → "001.999.001". The device's middle number stands where the target has
   none. */
#define SCRIPT_VERSION_SIZE 96
void name_script_version(struct slice own, const struct version *target, char out[SCRIPT_VERSION_SIZE]);

#endif
