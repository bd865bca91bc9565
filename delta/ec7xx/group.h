/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A group of packed sections in an EC7xx image. A module patches a whole group at once: it unpacks the old
   sections, patches the bytes, and packs the new sections with its own encoder. Layout:
   doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC7XX_GROUP_H
#define DFOTA_DELTA_EC7XX_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"

#define EC7XX_GROUP_SECTIONS_MAX 32         /* our own limit */
#define EC7XX_GROUP_PLAIN_MAX    (1U << 20) /* an unpacked group; our own limit, far above any real group */
#define EC7XX_SECTOR             4096       /* the flash is erased in sectors; areas begin and end there */

struct ec7xx_section {
    unsigned int index; /* its number in the image; any */
    bool is_packed;     /* false: stored as it is */
    uint32_t offset, packed_bytes, plain_bytes;
};

struct ec7xx_group {
    unsigned int number;
    uint32_t offset, area_bytes; /* in the image, in bytes */
    uint32_t head_bytes;         /* before the first section: the section table, or 0 */
    uint32_t tail_bytes;         /* at the end of the area: the end of the image, or 0 */
    uint32_t plain_bytes;        /* head, unpacked sections and tail */
    unsigned int sections;
    struct ec7xx_section section[EC7XX_GROUP_SECTIONS_MAX]; /* by offset */
};

/* Whether area and sections are possible in an image of that size: each section begins at the next multiple of
   4 behind the bytes before it, nothing leaves the area, and the sizes fit. ERROR_CORRUPT with the fault. */
bool ec7xx_group_check(const struct ec7xx_group *group, size_t image_bytes, struct error *err)
    __attribute__((warn_unused_result));

bool ec7xx_group_equal(const struct ec7xx_group *a, const struct ec7xx_group *b);

/* Appends head, unpacked sections and tail of a checked group. ERROR_CORRUPT: a section cannot be unpacked to its
   size; ERROR_INTERNAL: no memory. After an error *ret may have grown. */
bool ec7xx_group_unpack(const struct ec7xx_group *group, struct bytes image, struct buffer *ret,
                        struct error *err) __attribute__((warn_unused_result));

/* Packs as a module does, and appends the bytes of the whole area. `plain` has group->plain_bytes bytes.
   ERROR_CORRUPT: a section does not get the stated packed size; ERROR_INTERNAL: no memory. After an error *ret
   may have grown. */
bool ec7xx_group_pack(const struct ec7xx_group *group, struct bytes plain, struct buffer *ret,
                      struct error *err) __attribute__((warn_unused_result));

#endif
