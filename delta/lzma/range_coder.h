/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The range coder of LZMA: bits with adaptive probabilities become bytes. */
#ifndef DFOTA_DELTA_LZMA_RANGE_CODER_H
#define DFOTA_DELTA_LZMA_RANGE_CODER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

/* A probability is that of the bit 0, in 1/2048. */
#define RANGE_PROBABILITY_BITS 11
#define RANGE_PROBABILITY_ONE  (1U << RANGE_PROBABILITY_BITS)
#define RANGE_PROBABILITY_HALF (RANGE_PROBABILITY_ONE / 2)

struct range_coder {
    struct buffer *out;
    uint64_t low;    /* the lower end of the range: 32 bits and a carry */
    uint32_t size;   /* of the range */
    uint64_t behind; /* number of bytes FF that wait behind `first` for a carry */
    uint8_t first;   /* the first byte that waits */
    bool failed;     /* no memory; no more bytes are added */
};

/* Appends to `out`, which must live as long as the coder. */
void range_coder_init(struct range_coder *coder, struct buffer *out);

/* Codes one bit and adapts the probability. */
void range_coder_add(struct range_coder *coder, uint16_t *probability, unsigned int bit);

/* Codes a number of `bits` bits, the highest bit first, with a tree of 2^bits probabilities (0 is not
   used). */
void range_coder_add_tree(struct range_coder *coder, uint16_t *tree, unsigned int bits, uint32_t value);

/* As range_coder_add_tree(), the lowest bit first. */
void range_coder_add_reverse(struct range_coder *coder, uint16_t *tree, unsigned int bits, uint32_t value);

/* Codes the lowest `bits` bits of a number without probabilities, the highest bit first. */
void range_coder_add_direct(struct range_coder *coder, unsigned int bits, uint32_t value);

/* Writes what is left. ERROR_INTERNAL: there was no memory. */
bool range_coder_finish(struct range_coder *coder, struct error *err) __attribute__((warn_unused_result));

#endif
