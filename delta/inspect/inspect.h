/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `dfota inspect`: prints every field of a file of a known kind, and the bytes that are not understood. */
#ifndef DFOTA_DELTA_INSPECT_INSPECT_H
#define DFOTA_DELTA_INSPECT_INSPECT_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

/* Prints the kind of the file and its fields with offset and length. The last lines say what is wrong
   with the file and which bytes have no known meaning. Any bytes are safe: the output is proportional to
   the file, and text from the file is cleaned. A damaged or cut file is printed as far as possible; the
   result is then ERROR_CORRUPT with the first fault. ERROR_INTERNAL: writing to `to` failed. */
bool inspect_file(struct bytes file, FILE *to, struct error *err) __attribute__((warn_unused_result));

#endif
