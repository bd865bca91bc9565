/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names of files as people, browsers and build systems write them. Pure. */
#ifndef DFOTA_UPGRADE_NAME_FILE_H
#define DFOTA_UPGRADE_NAME_FILE_H

#include "upgrade/name.h"

/* Whether the text ends like a released file: .dfota.bin, .bin, … */
bool name_file_is(struct slice text);

/* Whether it is the name of a LuatOS release for production: PROJECT_1.2.3_LuatOS-SoC_V1114_EC618. */
bool name_file_is_production(struct slice text);

/* As name_parse_full(), but more tolerant. Drops marks of copies (" (1)", " - Copy", ".bin.1") and several
   endings. A LuatOS release for production has the version that its devices report, CORE.X.Z. Accepts a version
   written as v1, v1.5.0 or 1.5.0 after '-', '@' or a blank. The text of ERROR_BAD_VERSION says how to give
   firmware and version in another way. */
bool name_file_parse(struct slice text, struct full_name *ret, struct error *err);

#endif
