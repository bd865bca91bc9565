/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Versions: numbers with dots between them, compared number by number. "V1138", "1138", "1103.1.2",
   "2046.001.000" (= 2046.1.0). Pure. */
#ifndef DFOTA_UPGRADE_VERSION_H
#define DFOTA_UPGRADE_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define VERSION_PARTS_MAX 8
#define VERSION_TEXT_SIZE 31 /* at most 30 characters and NUL, so that the path of a link stays below 60 */

struct version {
    uint32_t part[VERSION_PARTS_MAX]; /* each at most 999,999,999 */
    uint8_t count;                    /* 0: no version */
};

/* A leading V or v is optional. False if the text is not 1 to 8 numbers with dots between them, a number is
   too large, or it has more than 30 characters. */
bool version_parse(struct slice text, struct version *ret);

/* <0, 0 or >0. If one version is the beginning of the other, the shorter one is lower: 1.2 < 1.2.0. */
int version_compare(const struct version *a, const struct version *b);

/* Normalised text: no V, no leading zeros. */
void version_format(const struct version *version, char out[VERSION_TEXT_SIZE]);

#endif
