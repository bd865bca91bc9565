/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a package do not count against the limit of its firmware. */
#ifndef DFOTA_SERVER_BUILD_UNCOUNTED_H
#define DFOTA_SERVER_BUILD_UNCOUNTED_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

/* Reads the head of the package in a file: package_format_uncounted(). Only for a package that was verified; of others the
   whole file counts. Any thread. ERROR_UNAVAILABLE: the file cannot be read. */
bool uncounted_read(const char *path, const char *format, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
