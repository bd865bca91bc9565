/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* `.binpkg`, the full firmware of an EC618 or EC7xx: a head, then entries. Each entry is a head of 364 bytes and
   its data. A delta package can change the AP and CP entries. The file has no magic number: it is
   recognised by its first entry. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_BINPKG_H
#define DFOTA_DELTA_CONTAINER_BINPKG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/buffer.h"

#define BINPKG_HEAD_BYTES   52
#define BINPKG_HEAD_PKGMODE 0x1D8 /* size of a head with the word `pkgmode` */
#define BINPKG_ENTRY_BYTES  364
#define BINPKG_ENTRIES_MAX  32
#define BINPKG_HASH_BYTES   256
#define BINPKG_PRODUCT      0x190 /* the product name in a head with the word `pkgmode` */
#define BINPKG_PRODUCT_SIZE 17    /* with the NUL */

/* Offsets in the head of an entry. */
#define BINPKG_ENTRY_SIZE 76
#define BINPKG_ENTRY_HASH 80

struct binpkg_entry { /* views into the file */
    struct bytes head;
    char name[65], type[17]; /* up to the first NUL; may contain any other bytes */
    uint32_t address, flash_bytes, offset, image_bytes;
    uint16_t vt, vt_bytes; /* these four have names from a public reader; their meaning is unknown, and
                              they are zero in known files */
    uint32_t reserved, data;
    bool has_hash; /* the hash field contains 64 hex digits */
    struct sha256 hash;
    struct bytes image; /* the data, as far as the file goes */
};

struct binpkg { /* views into the file */
    struct bytes head;
    bool pkgmode;
    char product[BINPKG_PRODUCT_SIZE]; /* names the chip (chip.h): "EC718HM_PRD"; "": no such name */
    unsigned int entries;
    struct binpkg_entry entry[BINPKG_ENTRIES_MAX];
    struct bytes rest; /* after the last entry that could be read */
};

bool binpkg_owns(struct bytes bytes); /* whether the first entry looks like an entry */

/* Reads the entries as far as the file goes, and checks only what reading needs. ERROR_CORRUPT: not a
   .binpkg. */
bool binpkg_read(struct bytes bytes, struct binpkg *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether the file is complete and sound: the entries fill the file, each has the stated hash, and there
   is at most one AP and one CP. ERROR_CORRUPT with the first fault. */
bool binpkg_check(const struct binpkg *binpkg, struct error *err) __attribute__((warn_unused_result));

const struct binpkg_entry *binpkg_find(const struct binpkg *binpkg,
                                       const char *type); /* NULL: no such entry */

/* Makes the file with other data in some entries. `image[i]` is the data of entry i; for an unchanged
   entry, pass the view of the entry itself. A changed entry gets a new size and hash. All other bytes
   stay. The caller frees *ret. ERROR_TOO_LARGE: the file would exceed max_bytes; ERROR_INTERNAL: no
   memory. */
bool binpkg_rebuild(const struct binpkg *binpkg, const struct bytes image[BINPKG_ENTRIES_MAX],
                    size_t max_bytes, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
