/* The package formats that a firmware may name. A test compares those of dfota with `dfota --help`. */
#ifndef DFOTA_UPGRADE_FORMAT_H
#define DFOTA_UPGRADE_FORMAT_H

#include <stdbool.h>

/* Name; does dfota make it (else a command of the configuration does); has it header fields and a load
   address that the configuration may set; does dfota know efforts for it; and who takes it. */
#define FORMAT_TABLE(X)                                                                                      \
    X("bsdiff", true, false, true, "devices whose updater is bspatch")                                       \
    X("ec618-at", true, true, true, "EC618 modules (Air780E) with AT firmware")                              \
    X("ec618-csdk", true, true, true, "EC618 modules with CSDK firmware")                                    \
    X("ec618-luatos", true, true, true, "EC618 modules with LuatOS")                                         \
    X("external", false, false, false, "whatever the configured command makes packages for")

struct format {
    const char *name;
    bool by_dfota, takes_header, has_efforts;
};

/* NULL: there is none of that name. */
const struct format *format_find(const char *name);
bool format_is_known(const char *name);

/* "bsdiff, ec618-at, …", for messages. */
const char *format_names(void);

#endif
