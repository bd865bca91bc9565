/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `.binpkg`, the full firmware of an EC618: a head, then entries, each a head of 364 bytes and its data. The
   AP and CP entries are what a delta package can change. It has no magic of its own: it is known by its first
   entry. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_BINPKG_H
#define DFOTA_DELTA_CONTAINER_BINPKG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/buffer.h"

#define BINPKG_HEAD_BYTES   52
#define BINPKG_HEAD_PKGMODE 0x1D8 /* where `pkgmode` stands in it */
#define BINPKG_ENTRY_BYTES  364
#define BINPKG_ENTRIES_MAX  32
#define BINPKG_HASH_BYTES   256

/* Offsets in an entry's head, and where a rebuilt entry is written down. */
#define BINPKG_ENTRY_SIZE 76
#define BINPKG_ENTRY_HASH 80

struct binpkg_entry { /* views into the file */
    struct bytes head;
    char name[65], type[17]; /* cut at NUL; not cleaned */
    uint32_t address, flash_bytes, offset, image_bytes;
    uint16_t vt, vt_bytes; /* these four: names from a public reader, meaning unknown, zero where seen */
    uint32_t reserved, data;
    bool has_hash; /* its hash field holds 64 hex digits */
    struct sha256 hash;
    struct bytes image; /* as much of it as is there */
};

struct binpkg { /* views into the file */
    struct bytes head;
    bool pkgmode;
    unsigned int entries;
    struct binpkg_entry entry[BINPKG_ENTRIES_MAX];
    struct bytes rest; /* behind the last entry that could be read */
};

bool binpkg_owns(struct bytes bytes); /* does its first entry look like one? */

/* Reads as far as there is something to read and checks nothing that is not needed for that. ERROR_CORRUPT:
   it is no .binpkg. */
bool binpkg_read(struct bytes bytes, struct binpkg *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether it is whole and sound: entries fill the file, each with the hash that it states, and no two of one
   type that a package can change. Says what is wrong first. ERROR_CORRUPT. */
bool binpkg_check(const struct binpkg *binpkg, struct error *err) __attribute__((warn_unused_result));

const struct binpkg_entry *binpkg_find(const struct binpkg *binpkg, const char *type); /* or NULL */

/* The file again with other data in some entries: `image[i]` is for entry i, and no other than the entry's
   own view where nothing changes. Size and hash of a changed entry follow its data; every other byte stays.
   *ret is freed by the caller. ERROR_TOO_LARGE: a file of more than max_bytes; ERROR_INTERNAL: no memory. */
bool binpkg_rebuild(const struct binpkg *binpkg, const struct bytes image[BINPKG_ENTRIES_MAX],
                    size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
