/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Versions: dotted numbers, compared number by number. "V1138", "1138", "2046.001.000" (= 2046.1.0), "1103.1.2". */
#ifndef DFOTA_UPGRADE_VERSION_H
#define DFOTA_UPGRADE_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define VERSION_PARTS_MAX 8
#define VERSION_TEXT_SIZE                                                                                    \
    31 /* a normalised version has at most 30 characters, so that a link's path stays below 60 */

struct version {
    uint32_t part[VERSION_PARTS_MAX]; /* each at most 999,999,999 */
    uint8_t count;                    /* 0: no version */
};

/* Takes an optional leading V or v. False: not 1 to 8 numbers between dots, one too large, or over 30 characters. */
bool version_parse(struct slice text, struct version *ret);

/* <0, 0, >0. A version that is the beginning of another is the lower one: 1.2 < 1.2.0. */
int version_compare(const struct version *a, const struct version *b);

/* Normalised text: no V, no leading zeros. */
void version_format(const struct version *version, char out[VERSION_TEXT_SIZE]);

#endif
