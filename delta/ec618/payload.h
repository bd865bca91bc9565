/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Payload of the EC618's delta packages, what stands behind their headers: a table and one part per 32 KB of
   the new image, each a bsdiff of its own in one bzip2 stream, made for patching in place. All numbers are
   32 bits, little endian; layout and rules are told in doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC618_PAYLOAD_H
#define DFOTA_DELTA_EC618_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "base/buffer.h"

#define EC618_BLOCK_BYTES  32768      /* the module's flash block: all parts but the last make so many */
#define EC618_PARTS_MAX    127        /* a module can note the progress of no more */
#define EC618_UNCHANGED    0x43424571 /* a part's flag: the block stays as it is, the stream is not opened */
#define EC618_BZIP_BLOCK   8192       /* bytes after bzip2's first run-length stage: 8,193 are refused */
#define EC618_PLAIN_MAX    (1 << 20)  /* of a part unpacked; our own bound, far above what is ever made */
#define EC618_OLD_MAX      (1 << 30)  /* bytes of an old image that the maker takes */
#define EC618_RECORD_BYTES 12         /* diff length, extra length, seek: 31 bits and a sign each */

enum ec618_order {
    EC618_FORWARD, /* `NorO`: first block first, so a part reads old from its own block upward */
    EC618_REVERSE, /* `RvsO`: last block first, so a part reads old up to its own block's end */
};

struct ec618_part {
    unsigned int block; /* which one it makes */
    uint32_t flag;
    uint32_t stated_bytes; /* the length that the part itself states: modules ignore it */
    uint32_t new_bytes;
    struct bytes stream;
};

struct ec618_payload { /* a view: the bytes that it was opened on must outlive it */
    enum ec618_order order;
    uint32_t old_bytes, new_bytes;
    unsigned int parts;
    struct ec618_part part[EC618_PARTS_MAX]; /* in the order in which the module takes them */
};

struct ec618_window { /* [from, to) of the old image */
    size_t from, to;
};

/* What the part of that block may read of an old image of old_bytes; empty rather than reversed. */
struct ec618_window ec618_payload_window(enum ec618_order order, unsigned int block, size_t old_bytes);

/* Where in old a part begins to read before it has moved. */
static inline int64_t ec618_payload_start(enum ec618_order order, unsigned int block)
{
    return order == EC618_FORWARD ? (int64_t)block * EC618_BLOCK_BYTES : 0;
}

/* Reads and checks header, table and part heads, but opens no stream. ERROR_CORRUPT says what is wrong. */
bool ec618_payload_open(struct bytes bytes, struct ec618_payload *ret, struct error *err)
    __attribute__((warn_unused_result));

/* A line about the payload and one about each part, streams included, as `name=value` pairs. ERROR_CORRUPT
   when a stream is unsound: the lines before it stand. */
bool ec618_payload_describe(const struct ec618_payload *payload, FILE *to, struct error *err)
    __attribute__((warn_unused_result));

/* The reverse of opening: puts together a payload whose block i has the stream `stream[i]`, or stays as it is
   where that is empty. *ret is freed by the caller. ERROR_INTERNAL: no memory. */
bool ec618_payload_write(enum ec618_order order, size_t old_bytes, size_t new_bytes,
                         const struct buffer *stream, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* What it costs per MB of the new image on one core, both orders; several times as much where nothing is
 * alike: */
enum ec618_effort {
    EC618_QUICK, /* about 2 s */
    EC618_GOOD,  /* about 5 s */
    EC618_BEST,  /* about 12 s */
};

struct ec618_options {
    enum ec618_effort effort;
    bool closed_last_part; /* let the last part of EC618_REVERSE read nothing of old, as the vendor's tool
                              does */
    bool only_order;       /* make `order` instead of the smaller of both */
    enum ec618_order order;
};

/* Makes the payload old → new into *ret, which the caller frees. Memory: 5 bytes per byte of both images
   and some 15 MB. ERROR_TOO_LARGE: new has more than EC618_PARTS_MAX blocks, or old 1 GiB;
   ERROR_INVALID: new is empty; ERROR_INTERNAL: no memory. */
bool ec618_payload_make(struct bytes old, struct bytes new, struct ec618_options options, struct buffer *ret,
                        struct error *err) __attribute__((warn_unused_result));

#endif
