/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Version texts as modules say them: "1138", "2046.001.000". They are sent as they stand and compared by
 * number. */
#ifndef DFOTA_SIM_RELEASE_H
#define DFOTA_SIM_RELEASE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define RELEASE_SIZE 31 /* 30 characters and NUL, as the server takes them */

/* Copies without a leading V. False: not 1 to 8 numbers between dots, or over 30 characters. */
bool release_read(struct slice text, char out[RELEASE_SIZE]);

/* Equal number by number: 2046.001.000 is 2046.1.0. Both as release_read() left them. */
bool release_same(const char *a, const char *b);

/* A measure of how far versions lie apart: 1138 is 1138, 1.5.2 is 152. */
uint64_t release_number(const char *release);

#endif
