/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Names of firmwares and products, and full names: a firmware and a version in one text. Pure. */
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

/* Tells builds of one version apart: 1 to 32 of a-z 0-9 . _ - */
#define VARIANT_SIZE 33
bool name_is_variant(struct slice text);
/* "1103.1.2 (full)", or "1103.1.2" without a variant: how people read which build is meant. */
#define BUILD_NAME_SIZE (VERSION_TEXT_SIZE + VARIANT_SIZE + 3)
void name_write_build(const char *version, const char *variant, char out[BUILD_NAME_SIZE]);

bool name_is_product_key(struct slice text);
/* Clean UTF-8, 1 to 100 bytes, without '/', '?', '&', '#'. */
bool name_is_firmware(struct slice text);

/* Splits a full name into firmware and version, and drops the ending (.dfota.bin, …).
   "AirM2M_780E_V1138_LTE_AT.dfota.bin" gives AirM2M_780E_LTE_AT and 1138;
   "fotademo_1103.1.2_LuatOS-SoC_EC618.bin" gives fotademo_LuatOS-SoC_EC618 and 1103.1.2. ERROR_BAD_NAME:
   the name is not valid. ERROR_BAD_VERSION: it contains no version. */
bool name_parse_full(struct slice text, struct full_name *ret, struct error *err);

/* Reads a version of `firmware` as an admin or a host writes it: 1162, V1162 or a full name.
   ERROR_WRONG_FIRMWARE: a full name of another firmware. ERROR_BAD_VERSION: none of these. */
bool name_parse_version_of(struct slice text, const char *firmware, struct version *ret, struct error *err);

/* For the other name_ files: */
bool name_is_digits(struct slice text); /* one digit or more, and nothing else */
/* Without the ending of a released file (.dfota.bin, .bin, …). */
struct slice name_drop_ending(struct slice text);
/* The text without `part`, which points into it, and without one separator beside the part. False if the
   result is not a valid firmware name. */
bool name_cut_part(struct slice text, struct slice part, char out[FIRMWARE_NAME_SIZE]);

#endif
