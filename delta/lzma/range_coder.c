/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/range_coder.h"

#define ADAPT_SHIFT 5           /* a probability moves by 1/32 of the way */
#define SIZE_MIN    (1U << 24)  /* below, the range grows by one byte */
#define FLUSH_BYTES 5           /* of `low`, and the first byte, which is always 0 */
#define CARRY_OPEN  0xFF000000U /* from here on a carry can still change the bytes that wait */

void range_coder_init(struct range_coder *coder, struct buffer *out)
{
    *coder = (struct range_coder){.out = out, .size = UINT32_MAX};
}

static void write_byte(struct range_coder *coder, uint8_t byte)
{
    struct buffer *out = coder->out;
    struct error err;
    if (coder->failed || (out->len == out->capacity && !buffer_reserve(out, 1, &err)))
        coder->failed = true;
    else
        out->ptr[out->len++] = byte;
}

/* Moves the highest byte out of `low`. It waits while a carry can still change it. */
static void move_byte(struct range_coder *coder)
{
    if (coder->low < CARRY_OPEN || coder->low > UINT32_MAX) {
        uint8_t carry = (uint8_t)(coder->low >> 32);
        write_byte(coder, (uint8_t)(coder->first + carry));
        for (; coder->behind > 0; coder->behind--)
            write_byte(coder, (uint8_t)(0xFF + carry));
        coder->first = (uint8_t)(coder->low >> 24);
    } else {
        coder->behind++;
    }
    coder->low = coder->low << 8 & UINT32_MAX;
}

static void grow(struct range_coder *coder)
{
    if (coder->size < SIZE_MIN) {
        coder->size <<= 8;
        move_byte(coder);
    }
}

void range_coder_add(struct range_coder *coder, uint16_t *probability, unsigned int bit)
{
    uint32_t zero = (coder->size >> RANGE_PROBABILITY_BITS) * *probability;
    if (bit == 0) {
        coder->size = zero;
        *probability = (uint16_t)(*probability + ((RANGE_PROBABILITY_ONE - *probability) >> ADAPT_SHIFT));
    } else {
        coder->low += zero;
        coder->size -= zero;
        *probability = (uint16_t)(*probability - (*probability >> ADAPT_SHIFT));
    }
    grow(coder);
}

void range_coder_add_tree(struct range_coder *coder, uint16_t *tree, unsigned int bits, uint32_t value)
{
    uint32_t node = 1;
    while (bits-- > 0) {
        unsigned int bit = value >> bits & 1;
        range_coder_add(coder, &tree[node], bit);
        node = node << 1 | bit;
    }
}

void range_coder_add_reverse(struct range_coder *coder, uint16_t *tree, unsigned int bits, uint32_t value)
{
    uint32_t node = 1;
    for (; bits > 0; bits--, value >>= 1) {
        range_coder_add(coder, &tree[node], value & 1);
        node = node << 1 | (value & 1);
    }
}

void range_coder_add_direct(struct range_coder *coder, unsigned int bits, uint32_t value)
{
    while (bits-- > 0) {
        coder->size >>= 1;
        if (value >> bits & 1)
            coder->low += coder->size;
        grow(coder);
    }
}

bool range_coder_finish(struct range_coder *coder, struct error *err)
{
    for (unsigned int i = 0; i < FLUSH_BYTES; i++)
        move_byte(coder);
    return !coder->failed || error_set(err, ERROR_INTERNAL, "no memory for a packed section");
}
