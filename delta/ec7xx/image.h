/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An AP or CP image of an EC7xx with packed sections. In front is a plain part, which a module patches in its
   place; behind it are groups of packed sections. A table in the first group lists the sections, and the image
   ends in a tail with CMAR. Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC7XX_IMAGE_H
#define DFOTA_DELTA_EC7XX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/ec7xx/group.h"

#define EC7XX_GROUPS_MAX 16 /* our own limit */

/* Layout of the tail and of the table, in bytes. */
#define EC7XX_TAIL_BYTES         20 /* without its pieces */
#define EC7XX_PIECE_BYTES        12
#define EC7XX_PIECES_MAX         19 /* the length of a tail has 8 bits in a package */
#define EC7XX_TABLE_HEAD_BYTES   8
#define EC7XX_ENTRY_BYTES        56
#define EC7XX_ENTRY_HASH         24
#define EC7XX_TABLE_END_BYTES    4
#define EC7XX_TABLE_SECTIONS_MAX 96 /* our own limit */

struct ec7xx_image { /* a view. The bytes must live longer than the view. */
    struct bytes all;
    uint32_t plain_bytes; /* length of the plain part */
    uint32_t table_at;    /* offset of the section table; FF between plain part and table */
    unsigned int pieces;  /* of the plain part, listed in the tail */
    uint32_t tail_bytes;
    unsigned int sections; /* in the table */
    unsigned int groups;
    struct ec7xx_group group[EC7XX_GROUPS_MAX]; /* in the order of the table */
};

/* Reads and checks tail, table and groups. Unpacks nothing. ERROR_CORRUPT with the fault; ERROR_INVALID: an
   image without packed sections. */
bool ec7xx_image_open(struct bytes bytes, struct ec7xx_image *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Unpacks all sections and compares them with their SHA-256 in the table. ERROR_CORRUPT: a section is damaged;
   ERROR_INTERNAL: no memory. */
bool ec7xx_image_check_hashes(const struct ec7xx_image *image, struct error *err)
    __attribute__((warn_unused_result));

/* Whether a module packs every section to the bytes that are in the image. Only such an image can be the new
   image of a package. ERROR_INVALID names the section; ERROR_CORRUPT and ERROR_INTERNAL as above. */
bool ec7xx_image_check_packing(const struct ec7xx_image *image, struct error *err)
    __attribute__((warn_unused_result));

/* The group with that number, or NULL. */
const struct ec7xx_group *ec7xx_image_find_group(const struct ec7xx_image *image, unsigned int number);

#endif
