/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The package formats: names and facts, one row each, for all programs. The functions that make and apply
   packages are in delta/engine.c. doc/package-formats.md describes the formats. */
#ifndef DFOTA_BASE_PACKAGE_FORMAT_H
#define DFOTA_BASE_PACKAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest archive that an EC618 accepts, in bytes. The wrapper around the archive is not counted. */
#define PACKAGE_FORMAT_EC618_ARCHIVE_MAX 491520

/* The largest full package of CSDK for an EC618, in bytes. */
#define PACKAGE_FORMAT_EC618_FULL_MAX (1472 * 1024)

#define PACKAGE_FORMAT_EC618_IMAGES "two .soc, two .binpkg files, or two raw images of the AP part"

/* The columns are the fields of struct package_format, after the identifier. To add a format, add a row. */
/* clang-format off */
#define PACKAGE_FORMAT_TABLE(X)                                                                              \
    X(BSDIFF, "bsdiff", "devices whose updater is bspatch",                                                  \
      "any two files", "none",                                                                               \
      true, false, true, true, 1, 0)                                                                               \
    X(EC618_AT, "ec618-at", "EC618 modules (Air780E) with AT firmware",                                      \
      PACKAGE_FORMAT_EC618_IMAGES, "the 10-byte head of AT firmware",                                        \
      true, true, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX + 10)                                           \
    X(EC618_CSDK, "ec618-csdk", "EC618 modules with CSDK firmware",                                          \
      PACKAGE_FORMAT_EC618_IMAGES, "none (the bare .par)",                                                   \
      true, true, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX)                                                \
    X(EC618_LUATOS, "ec618-luatos", "EC618 modules with LuatOS",                                             \
      PACKAGE_FORMAT_EC618_IMAGES, "the 92-byte head of LuatOS",                                             \
      true, true, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX)                                           \
    X(EXTERNAL, "external", "devices whose packages are made by a command in the server's configuration",    \
      "any two files", "decided by the command",                                                             \
      false, false, false, false, 1, 0)
/* clang-format on */

enum package_format_id {
#define X(id, ...) PACKAGE_FORMAT_##id,
    PACKAGE_FORMAT_TABLE(X)
#undef X
        PACKAGE_FORMAT_COUNT,
};

/* The format of a new firmware whose name does not tell a known family of modules. */
#define PACKAGE_FORMAT_DEFAULT PACKAGE_FORMAT_BSDIFF

struct package_format {
    const char *name;    /* in the API, in the database and after `dfota diff --format` */
    const char *devices; /* which devices apply such packages, after "for" */
    const char *images;  /* what a package is made from */
    const char *wrapper; /* what surrounds the package */
    bool
        by_dfota; /* dfota makes such a package, applies it to the old image and compares the result (proven).
                            Otherwise a command in the server's configuration makes it, and it is unproven unless a
                            second command verifies it. */
    bool is_ec618;    /* for an EC618: a load address and a closed last part can be set */
    bool no_canary;   /* the updater that devices run is a program that runs on a server, too: an admin may
                         switch the canary off */
    bool takes_index; /* an index of the old image can be kept in a file (`dfota diff --suffix-file`) */
    unsigned int
        rules; /* number of the rules by which packages are made and judged. It goes up when those rules were
                            wrong; the server then makes the packages again. */
    int64_t
        max_bytes; /* no module accepts a package of which more bytes count (package_format_uncounted()). 0: the device decides. */
};

extern const struct package_format package_format_table[PACKAGE_FORMAT_COUNT]; /* by enum package_format_id */

const struct package_format *package_format_find(const char *name); /* NULL: unknown name */

/* Whether `name` is the name of that format. */
bool package_format_is(const char *name, enum package_format_id id);

/* The head of a package for LuatOS, and where it states the length of the script. */
#define PACKAGE_FORMAT_LUATOS_HEAD   92
#define PACKAGE_FORMAT_LUATOS_SCRIPT 52

/* How many bytes of a package do not count against the limit: with ec618-luatos the head, and the script, which a module
   keeps in an area of its own. What counts is the change of the core. `start`: the first bytes of the package, at least a head
   if it has one. The package must be verified: then the script was compared with that area. 0 for other formats. */
int64_t package_format_uncounted(const char *name, const uint8_t *start, size_t start_size, int64_t size);

/* "bsdiff, ec618-at, …", for messages. */
const char *package_format_names(void);

#endif
