/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Versions as modules send them: "1138", "2046.001.000". They are sent unchanged, and compared number by
   number. */
#ifndef DFOTA_SIM_RELEASE_H
#define DFOTA_SIM_RELEASE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define RELEASE_SIZE 31 /* 30 characters, the limit of the server, and NUL */

/* Copies without a leading V. False: the text is not 1 to 8 numbers with dots between them, or longer than
   30 characters. */
bool release_read(struct slice text, char out[RELEASE_SIZE]);

/* Equal number by number: 2046.001.000 is 2046.1.0. Both come from release_read(). */
bool release_same(const char *a, const char *b);

/* A number for the distance between versions: 1138 is 1138, 1.5.2 is 152. */
uint64_t release_number(const char *release);

#endif
