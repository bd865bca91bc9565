/* The package formats that a firmware may name: those that `dfota` makes. A test compares the two lists. */
#ifndef DFOTA_UPGRADE_FORMAT_H
#define DFOTA_UPGRADE_FORMAT_H

#include <stdbool.h>

/* Name, and who takes it. */
#define FORMAT_TABLE(X)                                                                                      \
    X("bsdiff", "devices whose updater is bspatch")                                                          \
    X("ec618-at", "EC618 modules (Air780E) with AT firmware")                                                \
    X("ec618-csdk", "EC618 modules with CSDK firmware")                                                      \
    X("ec618-luatos", "EC618 modules with LuatOS")

bool format_is_known(const char *name);

/* "bsdiff, ec618-at, …", for messages. */
const char *format_names(void);

#endif
