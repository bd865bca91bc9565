/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The delta of one segment: control records, extra bytes and difference bytes, three blocks behind ECHEADER. The
   records are those of bsdiff: add difference bytes to the old image, copy extra bytes, move the read position.
   Layout: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC7XX_DELTA_H
#define DFOTA_DELTA_EC7XX_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/bzip2/decode.h"

#define EC7XX_DELTA_HEAD 22 /* ECHEADER, three lengths, two marks */
/* Largest bzip2 block after the first run-length stage: the largest that the device's code was seen to take. Its
   limit is not known. The vendor's packer and we make blocks of at most 8,192 bytes. */
#define EC7XX_BZIP_BLOCK 27587

struct ec7xx_delta_block { /* where a block is, for `dfota inspect` */
    struct bytes bytes;
    bool is_packed; /* with LZMA; never the difference block */
};

struct ec7xx_delta {   /* free with ec7xx_delta_free() */
    struct bytes head; /* views into the segment */
    struct ec7xx_delta_block control, extra, difference;
    struct bytes rest;  /* empty, or the zero that the vendor's packer adds */
    uint32_t new_bytes; /* as stated in the control block */
    struct buffer records, extra_bytes, difference_bytes; /* unpacked, without their heads */
    struct bzip_shape shape;                              /* of the difference block */
};

/* Divides a delta into its blocks, and unpacks nothing. All zeros for the rest of *ret. ERROR_CORRUPT with the
   fault. */
bool ec7xx_delta_read(struct bytes bytes, struct ec7xx_delta *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Reads and unpacks a delta that makes `new_bytes` bytes. Any bytes are safe: takes memory in proportion to
   `new_bytes`. The caller frees *ret, also after an error. ERROR_CORRUPT with the fault; ERROR_INTERNAL: no
   memory. */
bool ec7xx_delta_open(struct bytes bytes, uint32_t new_bytes, struct ec7xx_delta *ret, struct error *err)
    __attribute__((warn_unused_result));

void ec7xx_delta_free(struct ec7xx_delta *delta);

/* Makes delta->new_bytes bytes at `out`. The read position starts at the beginning of `old`, the bytes that the
   segment may read. ERROR_CORRUPT: a record reads outside of `old` or goes past the end, or bytes are left. */
bool ec7xx_delta_apply(const struct ec7xx_delta *delta, struct bytes old, uint8_t *out, struct error *err)
    __attribute__((warn_unused_result));

/* Takes the next record from *records. False: *records is not a whole record. */
struct ec7xx_record {
    uint32_t add, copy;
    int32_t seek;
};
bool ec7xx_delta_next(struct bytes *records, struct ec7xx_record *ret);

#endif
