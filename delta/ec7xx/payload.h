/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The payload of an EC7xx's delta packages, after their headers: a head, a table, and one segment per group of
   packed sections and per 96 KB of the plain part. Each segment has one delta (delta.h). Numbers have 32 bits,
   low byte first, unless stated otherwise. Layout and rules: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC7XX_PAYLOAD_H
#define DFOTA_DELTA_EC7XX_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/ec7xx/group.h"
#include "delta/ec7xx/image.h"

#define EC7XX_SEGMENT_BYTES  0x18000 /* what a plain segment makes, except the last of the image */
#define EC7XX_SEGMENTS_MAX   255     /* the number has 8 bits in a package */
#define EC7XX_SEGMENT_ROW    12      /* bytes of a segment in the table */
#define EC7XX_PAYLOAD_HEAD   24
#define EC7XX_GROUP_HEAD     44 /* before the sections of a group segment */
#define EC7XX_GROUP_PAIR_ROW 32 /* bytes of an old and a new section */

enum ec7xx_order {
    EC7XX_FORWARD,  /* the plain part is patched from its begin. A segment reads old from its own place to the
                       end. */
    EC7XX_BACKWARD, /* from its end. A segment reads old from the beginning to the end of its own place. */
};

struct ec7xx_segment {
    bool is_group;
    unsigned int group; /* only with is_group: index in ec7xx_payload.pair */
    uint32_t at;        /* where the segment writes in the image */
    uint32_t new_bytes; /* length of what the delta makes */
    struct bytes all;   /* head and delta */
    struct bytes delta;
};

struct ec7xx_pair { /* a group in the old and in the new image */
    struct ec7xx_group old, new;
};

struct ec7xx_payload { /* a view. The bytes must live longer than the view. */
    struct bytes all;
    enum ec7xx_order order;
    uint32_t old_plain, new_plain; /* length of the plain part of each image */
    uint32_t old_table, new_table; /* offset of the section table in each image */
    unsigned int groups, segments;
    struct ec7xx_pair pair[EC7XX_GROUPS_MAX];
    struct ec7xx_segment segment[EC7XX_SEGMENTS_MAX]; /* in the order in which a module takes them: first the
                                                         groups */
};

/* The bytes of the old plain part that a plain segment at that offset may read. `is_first`: no other plain segment
   was written before. */
struct bytes ec7xx_payload_window(enum ec7xx_order order, struct bytes old_plain, uint32_t at, bool is_first);

bool ec7xx_payload_owns(struct bytes payload); /* whether it begins as a payload of an EC7xx */

/* Whether the payload has the second form of the vendor's packer, with symbols ("HLS"). Nothing here can read
   that form. */
bool ec7xx_payload_is_second_form(struct bytes payload);

/* Reads and checks head, table and segment heads. Opens no delta. ERROR_CANNOT_APPLY: the second form, or an image
   without packed sections; ERROR_CORRUPT with the fault. */
bool ec7xx_payload_open(struct bytes bytes, struct ec7xx_payload *ret, struct error *err)
    __attribute__((warn_unused_result));

/* What ec7xx_payload_write() needs. */
struct ec7xx_payload_source {
    enum ec7xx_order order;
    const struct ec7xx_image *old, *new; /* with the same groups */
    const struct buffer *group_delta;    /* by group of `new` */
    const struct buffer *plain_delta;    /* by segment of the plain part, in the order of the image */
};

/* The number of plain segments of a new plain part. */
unsigned int ec7xx_payload_plain_segments(uint32_t new_plain);

/* The caller frees *ret. ERROR_TOO_LARGE: a field is too small for its value; ERROR_INTERNAL: no memory. */
bool ec7xx_payload_write(const struct ec7xx_payload_source *source, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
