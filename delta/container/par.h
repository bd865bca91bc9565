/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `.par`, the archive in which an EC618 takes its delta packages: a head of 84 bytes, then one package per
   part of the firmware, each with a head of its own and a payload. The archive of EC7xx chips has the same
   frame around other payloads. Layout: doc/package-formats.md. */
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

#define PAR_MODULE_MAX     PACKAGE_FORMAT_EC618_ARCHIVE_MAX /* a module refuses a longer archive */
#define PAR_HEAD_BYTES     84
#define PAR_VERSION        0x20 /* of an EC618's archives, which takes others too; an EC7xx's have 0x45 */
#define PAR_PROGRESS       44   /* where the module keeps its progress while it patches: */
#define PAR_PROGRESS_BYTES 40   /* FF in every archive, and FF to its hash */
#define PAR_PART_BYTES     0x70 /* the shortest head of a package, and the one that is written */
#define PAR_PARTS_MAX      8
#define PAR_NAME_BYTES     18  /* NUL padding included */
#define PAR_SEGMENTS_MAX   127 /* of all packages together: a module can note the progress of no more */
#define PAR_SEGMENT        32768
#define PAR_AP_ZONE        3014656 /* the flash of each part: neither its old nor its new image is longer */
#define PAR_CP_ZONE        524288

enum par_attribute { PAR_BL = 1, PAR_AP = 2, PAR_CP = 3 }; /* public header: 4 to 6 are APP, APP2, APP3 */

const char *par_attribute_name(unsigned int attribute); /* "AP", …; "?" for what has no name */

/* ---- Writing ---- */

struct par_source {
    enum par_attribute attribute;
    bool reverse; /* the payload's order is `RvsO` */
    uint32_t load_address;
    struct bytes old, new; /* for sizes and hashes */
    struct bytes payload;
};

/* Writes the archive into *ret, which the caller frees. It may be longer than PAR_MODULE_MAX: whoever serves
   it compares. ERROR_TOO_LARGE: an image beyond its zone, or more packages or segments than a module takes;
   ERROR_INTERNAL: no memory. */
bool par_make(const struct par_source *source, size_t count, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The largest image of that part; 0 for a part that no package changes. */
size_t par_zone(unsigned int attribute);

/* ---- Reading ---- */

struct par_part { /* views into the archive */
    struct bytes head;
    unsigned int index, attribute, segments;
    bool reverse;
    uint32_t package_bytes; /* stated, head included */
    uint32_t load_address, new_bytes, base_bytes;
    struct sha256 base_hash, new_hash;
    char name[PAR_NAME_BYTES + 1]; /* cut at NUL; not cleaned */
    struct bytes payload;          /* as much of it as is there */
};

struct par {
    struct bytes all, head;
    unsigned int stated_parts, method; /* of byte 3: the count, and the bits that are 1 in every archive */
    uint32_t segment_bytes, stated_bytes;
    struct sha256 stated_hash;
    unsigned int parts;
    struct par_part part[PAR_PARTS_MAX];
    struct bytes rest; /* behind the last part that could be read; may be the whole remainder */
};

bool par_owns(struct bytes bytes); /* does it begin as an archive does? */

/* Reads as far as there is something to read, also of an archive that is cut off, and checks nothing that is
   not needed for that. ERROR_CORRUPT: not even the head is there. */
bool par_read(struct bytes bytes, struct par *ret, struct error *err) __attribute__((warn_unused_result));

/* Whether it is whole: lengths, hash, and packages that fill it, as many as the head counts. Says what is
   wrong first. Holds for every chip; ec618_rules.h has what an EC618 demands beside it. ERROR_CORRUPT. */
bool par_check(const struct par *par, struct error *err) __attribute__((warn_unused_result));

/* What the hash's field holds: SHA-256 of the archive, with that field as zeros and the progress as FF. */
void par_hash(struct bytes archive, struct sha256 *ret);

#endif
