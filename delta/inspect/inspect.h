/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect`: every field of a file of any known kind as a line for people, and which bytes are not
   understood. */
#ifndef DFOTA_DELTA_INSPECT_INSPECT_H
#define DFOTA_DELTA_INSPECT_INSPECT_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

/* Prints what the file is, its fields with offset and length, and as the last lines what is wrong with it, if
   anything, and which bytes have no known meaning. Any bytes are safe: output in proportion to them, text out
   of the file cleaned. A file that is damaged or cut off is told as far as it goes, and then it is
   ERROR_CORRUPT with the first thing wrong; ERROR_INTERNAL when `to` cannot be written. */
bool inspect_file(struct bytes file, FILE *to, struct error *err) __attribute__((warn_unused_result));

#endif
