/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `.par`, the archive in which an EC618 receives its delta packages: a head of 84 bytes, then one package
   per part of the firmware, each with its own head and payload. EC7xx chips use the same archive with
   other payloads. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_PAR_H
#define DFOTA_DELTA_CONTAINER_PAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/package_format.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "base/buffer.h"

#define PAR_MODULE_MAX PACKAGE_FORMAT_EC618_ARCHIVE_MAX /* a module refuses a longer archive */
#define PAR_HEAD_BYTES 84
/* In the archives of an EC618, which also accepts other values; an EC7xx has 0x45. */
#define PAR_VERSION 0x20
/* Offset of the bytes in which the module records its progress while it patches. */
#define PAR_PROGRESS            44
#define PAR_PROGRESS_BYTES      40   /* FF in every archive, and counted as FF in its hash */
#define PAR_LONG_PROGRESS_BYTES 136  /* in an archive for an EC7xx with 8 MB of flash; its head is longer */
#define PAR_PART_BYTES          0x70 /* the shortest head of a package; we write this one */
#define PAR_PARTS_MAX           8
#define PAR_NAME_BYTES          18  /* NUL padding included */
#define PAR_SEGMENTS_MAX        127 /* of all packages together; a module cannot record progress for more */
#define PAR_SEGMENT             32768
#define PAR_AP_ZONE             3014656 /* size of the flash of each part: limit of its old and its new image */
#define PAR_CP_ZONE             524288

/* In the vendor's public header, 4 to 6 are APP, APP2 and APP3. */
enum par_attribute { PAR_BL = 1, PAR_AP = 2, PAR_CP = 3 };

const char *par_attribute_name(unsigned int attribute); /* "AP", …; "?": no name */

/* ---- Writing ---- */

struct par_source {
    enum par_attribute attribute;
    bool reverse; /* the order of the payload is `RvsO` */
    uint32_t load_address;
    struct bytes old, new; /* for sizes and hashes */
    struct bytes payload;
};

/* Writes an archive for an EC618 into *ret, which the caller frees. The archive may be longer than PAR_MODULE_MAX;
   the caller compares. ERROR_TOO_LARGE: an image is larger than its zone, or there are more packages or
   segments than a module accepts; ERROR_INTERNAL: no memory. */
bool par_make(const struct par_source *source, size_t count, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Writes an archive for an EC7xx with 4 MB of flash, or 8 MB if `is_long`. The caller checks all limits,
   and each payload is a whole one of an EC7xx.
   ERROR_TOO_LARGE: 4 GiB or more; ERROR_INTERNAL: no memory. */
bool par_make_ec7xx(const struct par_source *source, size_t count, bool is_long, struct buffer *ret,
                    struct error *err) __attribute__((warn_unused_result));

/* The largest image of that part of an EC618, in bytes. 0: no package changes that part. */
size_t par_zone(unsigned int attribute);

/* ---- Reading ---- */

struct par_part { /* views into the archive */
    struct bytes head;
    unsigned int index, attribute, segments;
    bool reverse;
    uint32_t package_bytes; /* as stated, including the head */
    uint32_t load_address, new_bytes, base_bytes;
    struct sha256 base_hash, new_hash;
    char name[PAR_NAME_BYTES + 1]; /* up to the first NUL; may contain any other bytes */
    struct bytes payload;          /* as far as the archive goes */
};

struct par {
    struct bytes all, head;
    size_t progress_bytes;             /* PAR_PROGRESS_BYTES or PAR_LONG_PROGRESS_BYTES */
    unsigned int stated_parts, method; /* from byte 3: the number of parts, and the bits that are 1 in
                                          every archive */
    uint32_t segment_bytes, stated_bytes;
    struct sha256 stated_hash;
    unsigned int parts;
    struct par_part part[PAR_PARTS_MAX];
    struct bytes rest; /* after the last part that could be read; may be everything after the head */
};

bool par_owns(struct bytes bytes); /* whether it begins with the magic number */

/* Reads the packages as far as the archive goes, also when it is cut off, and checks only what reading
   needs. ERROR_CORRUPT: no complete head. */
bool par_read(struct bytes bytes, struct par *ret, struct error *err) __attribute__((warn_unused_result));

/* Whether the archive is complete: lengths, hash, and the stated number of packages, which fill it. Holds
   for every chip; ec618/rules.h has the additional rules of an EC618. ERROR_CORRUPT with the first fault. */
bool par_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* What every chip needs besides: each package changes another part, and all have at most PAR_SEGMENTS_MAX segments.
   ERROR_CORRUPT. */
bool par_check_parts(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* Whether the package is made from this old image. ERROR_INVALID with both hashes. */
bool par_check_base(const struct par_part *part, struct bytes old, struct error *err)
    __attribute__((warn_unused_result));

/* The hash of an archive with a complete head: SHA-256 with the hash field as zeros and the progress bytes as
   FF. */
void par_hash(struct bytes archive, struct sha256 *ret);

#endif
