/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The payload of an EC618's delta packages, after their headers: a table, and one part per 32 KB of the
   new image. Each part is a bsdiff of its own in one bzip2 stream, made for patching in place. All
   numbers have 32 bits, low byte first. Layout and rules: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC618_PAYLOAD_H
#define DFOTA_DELTA_EC618_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

/* Size of a flash block of the module, and of what each part makes, except the last part. */
#define EC618_BLOCK_BYTES 32768
#define EC618_PARTS_MAX   127 /* a module cannot record progress for more */
/* Flag of a part: the block is unchanged, and the part has no stream. */
#define EC618_UNCHANGED 0x43424571
/* Largest bzip2 block after the first run-length stage; modules refuse 8193 bytes. */
#define EC618_BZIP_BLOCK   8192
#define EC618_PLAIN_MAX    (1 << 20) /* largest unpacked part; our own limit, far above any real part */
#define EC618_OLD_MAX      (1 << 30) /* largest old image for ec618_payload_make(), in bytes */
#define EC618_RECORD_BYTES 12        /* diff length, extra length, seek: each has 31 bits and a sign */

enum ec618_order {
    EC618_FORWARD, /* `NorO`: first block first. A part reads old from its own block to the end. */
    EC618_REVERSE, /* `RvsO`: last block first. A part reads old from the beginning to the end of its own
                      block. */
};

struct ec618_part {
    unsigned int block; /* index of the block that the part makes */
    uint32_t flag;
    uint32_t stated_bytes; /* length that the part states; modules ignore it */
    uint32_t new_bytes;
    struct bytes stream;
};

struct ec618_payload { /* a view. The bytes must live longer than the view. */
    enum ec618_order order;
    uint32_t old_bytes, new_bytes;
    unsigned int parts;
    struct ec618_part part[EC618_PARTS_MAX]; /* in the order in which the module takes them */
};

struct ec618_window { /* range [from, to) of the old image */
    size_t from, to;
};

/* The bytes of the old image that the part of that block may read. May be empty. */
struct ec618_window ec618_payload_window(enum ec618_order order, unsigned int block, size_t old_bytes);

/* The read position in old of the first record of a part. */
static inline int64_t ec618_payload_start(enum ec618_order order, unsigned int block)
{
    return order == EC618_FORWARD ? (int64_t)block * EC618_BLOCK_BYTES : 0;
}

/* Reads and checks header, table and part heads. Does not open a stream. ERROR_CORRUPT with the fault. */
bool ec618_payload_open(struct bytes bytes, struct ec618_payload *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Prints one line about the payload and one about each part and its stream, as `name=value` pairs.
   ERROR_CORRUPT: a stream is damaged; the lines before it are printed. */
bool ec618_payload_describe(const struct ec618_payload *payload, FILE *to, struct error *err)
    __attribute__((warn_unused_result));

/* Makes a payload from streams. `stream[i]` is the stream of block i; an empty stream means that the
   block is unchanged. The caller frees *ret. ERROR_INTERNAL: no memory. */
bool ec618_payload_write(enum ec618_order order, size_t old_bytes, size_t new_bytes,
                         const struct buffer *stream, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Time per MB of the new image on one core, for both orders together. Images that have nothing in common
   take several times as long. */
enum ec618_effort {
    EC618_QUICK, /* about 2 s */
    EC618_GOOD,  /* about 5 s */
    EC618_BEST,  /* about 12 s */
};

struct ec618_options {
    enum ec618_effort effort;
    bool closed_last_part; /* the last part of EC618_REVERSE reads nothing of old, as in the packages of
                              the vendor's tool */
    bool only_order;       /* make `order`, not the smaller of both orders */
    enum ec618_order order;
};

/* Makes the payload old → new into *ret, which the caller frees. Needs 5 bytes of memory per byte of both
   images, and about 15 MB. ERROR_TOO_LARGE: new has more than EC618_PARTS_MAX blocks, or old more than
   EC618_OLD_MAX bytes; ERROR_INVALID: new is empty; ERROR_INTERNAL: no memory. */
bool ec618_payload_make(struct bytes old, struct bytes new, struct ec618_options options, struct buffer *ret,
                        struct error *err) __attribute__((warn_unused_result));

#endif
