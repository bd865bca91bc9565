/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The package formats of firmwares. A test compares the formats that dfota makes with `dfota --help`. */
#ifndef DFOTA_UPGRADE_FORMAT_H
#define DFOTA_UPGRADE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

/* Columns: name; made by dfota (otherwise by a command of the configuration); has header fields and a load
   address that the configuration may set; has efforts; the largest package in bytes that any module takes
   (0: depends on the device); the devices that take it. The EC618's archive has at most 491,520 bytes; the
   wrapper adds some. */
#define FORMAT_TABLE(X)                                                                                      \
    X("bsdiff", true, false, true, 0, "devices whose updater is bspatch")                                    \
    X("ec618-at", true, true, true, 491520 + 10, "EC618 modules (Air780E) with AT firmware")                 \
    X("ec618-csdk", true, true, true, 491520, "EC618 modules with CSDK firmware")                            \
    X("ec618-luatos", true, true, true, 491520 + 92, "EC618 modules with LuatOS")                            \
    X("external", false, false, false, 0, "devices that the configured command makes packages for")

struct format {
    const char *name;
    bool by_dfota, takes_header, has_efforts;
    int64_t max_bytes;
};

/* NULL: unknown. */
const struct format *format_find(const char *name);
bool format_is_known(const char *name);

/* "bsdiff, ec618-at, …", for messages. */
const char *format_names(void);

#endif
