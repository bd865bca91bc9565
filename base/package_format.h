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

/* The same for the chip with the most room in the family EC7xx; other chips have less (base/chip.h). */
#define PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX 950272

/* The largest full package of CSDK for an EC618, in bytes. */
#define PACKAGE_FORMAT_EC618_FULL_MAX (1472 * 1024)

#define PACKAGE_FORMAT_EC618_IMAGES "two .soc, two .binpkg files, or two raw images of the AP part"
#define PACKAGE_FORMAT_EC7XX_IMAGES "two .soc, two .binpkg files, or two raw images of AP or CP"

/* The columns are the fields of struct package_format, after the identifier. To add a format, add a row. */
/* clang-format off */
#define PACKAGE_FORMAT_TABLE(X)                                                                                      \
    X(BSDIFF, "bsdiff", "devices whose updater is bspatch",                                                          \
      "any two files", "none",                                                                                       \
      true, PACKAGE_CHIP_NONE, true, true, 1, 0)                                                                     \
    X(EC618_AT, "ec618-at", "EC618 modules (Air780E) with AT firmware",                                              \
      PACKAGE_FORMAT_EC618_IMAGES, "the 10-byte head of AT firmware",                                                \
      true, PACKAGE_CHIP_EC618, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX + 10)                              \
    X(EC618_CSDK, "ec618-csdk", "EC618 modules with CSDK firmware",                                                  \
      PACKAGE_FORMAT_EC618_IMAGES, "none (the bare .par)",                                                           \
      true, PACKAGE_CHIP_EC618, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX)                                   \
    X(EC618_LUATOS, "ec618-luatos", "EC618 modules with LuatOS",                                                     \
      PACKAGE_FORMAT_EC618_IMAGES, "the 92-byte head of LuatOS",                                                     \
      true, PACKAGE_CHIP_EC618, false, false, 2, PACKAGE_FORMAT_EC618_ARCHIVE_MAX)                                   \
    X(EC7XX_AT, "ec7xx-at", "EC716 and EC718 modules (Air780EP) with AT firmware",                                   \
      PACKAGE_FORMAT_EC7XX_IMAGES, "the 10-byte head of AT firmware",                                                \
      true, PACKAGE_CHIP_EC7XX, false, false, 1, PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX + 10)                              \
    X(EC7XX_CSDK, "ec7xx-csdk", "EC716 and EC718 modules with CSDK firmware",                                        \
      PACKAGE_FORMAT_EC7XX_IMAGES, "the 92-byte head",                                                               \
      true, PACKAGE_CHIP_EC7XX, false, false, 1, PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX)                                   \
    X(EC7XX_LUATOS, "ec7xx-luatos", "EC716 and EC718 modules with LuatOS",                                           \
      PACKAGE_FORMAT_EC7XX_IMAGES, "the 92-byte head of LuatOS",                                                     \
      true, PACKAGE_CHIP_EC7XX, false, false, 1, PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX)                                   \
    X(EXTERNAL, "external", "devices whose packages are made by a command in the server's configuration",            \
      "any two files", "decided by the command",                                                                     \
      false, PACKAGE_CHIP_NONE, false, false, 1, 0)
/* clang-format on */

enum package_format_id {
#define X(id, ...) PACKAGE_FORMAT_##id,
    PACKAGE_FORMAT_TABLE(X)
#undef X
        PACKAGE_FORMAT_COUNT,
};

/* The format of a new firmware whose name does not tell a known family of modules. */
#define PACKAGE_FORMAT_DEFAULT PACKAGE_FORMAT_BSDIFF

enum package_chip {                    /* the family of chips in the modules */
                    PACKAGE_CHIP_NONE, /* any device */
                    PACKAGE_CHIP_EC618,
                    PACKAGE_CHIP_EC7XX, /* EC716 and EC718 */
};

struct package_format {
    const char *name;    /* in the API, in the database and after `dfota diff --format` */
    const char *devices; /* which devices apply such packages, after "for" */
    const char *images;  /* what a package is made from */
    const char *wrapper; /* what surrounds the package */
    bool
        by_dfota; /* dfota makes such a package, applies it to the old image and compares the result (proven).
                            Otherwise a command in the server's configuration makes it, and it is unproven unless a
                            second command verifies it. */
    enum package_chip chip; /* a load address can be set for modules */
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

/* How many bytes a packed script may have when a release does not state how much its modules keep, by the size of its
   script area. All known builds keep more: 284 of 448 KB, 360 of 512 KB, else 3/4. */
#define PACKAGE_FORMAT_KEPT_AT_LEAST(area_bytes) ((area_bytes) / 8 * 5)

/* How many bytes of a package do not count against the limit: the 92-byte head, and the script, which a module keeps in
   an area of its own. What counts is the change of the core. `start`: the first bytes of the package, at least a head
   if it has one. The package must be verified: then the script was compared with that area. 0 for other formats. */
int64_t package_format_uncounted(const char *name, const uint8_t *start, size_t start_size, int64_t size);

/* Whether devices with the format `name` take a package that was recognised as `package`: the same format, or, with
   ec7xx-luatos, a package of ec7xx-csdk, which is one without a script. */
bool package_format_takes(const char *name, const char *package);

/* "bsdiff, ec618-at, …", for messages. */
const char *package_format_names(void);

#endif
