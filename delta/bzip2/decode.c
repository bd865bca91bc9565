/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/decode.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

#define TABLES_MIN  2
#define TABLES_MAX  6
#define CODE_MAX    20
#define SYMBOLS_MAX 258
#define GROUP       50 /* number of symbols that share a selector */
#define SELECTORS   32768
#define MAGIC_BLOCK 0x314159265359ULL
#define MAGIC_END   0x177245385090ULL

struct table {
    uint16_t count[CODE_MAX + 1]; /* number of codes of each length */
    uint16_t symbol[SYMBOLS_MAX]; /* sorted by code */
};

struct decoder {
    struct bzip_limits limits;
    struct bytes in;
    size_t at_bit; /* may be after the end of `in`; bits there are 0 */
    struct buffer *out;
    size_t plain_left;
    struct bzip_shape shape;

    /* the current block */
    struct table table[TABLES_MAX];
    unsigned int tables;
    uint8_t value[256]; /* the used byte values, in move-to-front order */
    unsigned int values;
    uint8_t selector[SELECTORS];
    size_t selectors;
    uint32_t origin, crc;
    size_t len;
    uint32_t *cell; /* limits.block_bytes entries: a byte in the low 8 bits, the index of the next cell
                       above */
};

uint32_t bzip_crc_add(uint32_t crc, uint8_t byte)
{
    static const uint32_t step[16] = {
        /* CRC-32, high bit first, four bits at a time */
        0x00000000, 0x04C11DB7, 0x09823B6E, 0x0D4326D9, 0x130476DC, 0x17C56B6B, 0x1A864DB2, 0x1E475005,
        0x2608EDB8, 0x22C9F00F, 0x2F8AD6D6, 0x2B4BCB61, 0x350C9B64, 0x31CD86D3, 0x3C8EA00A, 0x384FBDBD,
    };
    crc ^= (uint32_t)byte << 24;
    crc = crc << 4 ^ step[crc >> 28];
    return crc << 4 ^ step[crc >> 28];
}

uint32_t bzip_crc_combine(uint32_t stream_crc, uint32_t block_crc)
{
    return (stream_crc << 1 | stream_crc >> 31) ^ block_crc;
}

static bool corrupt(struct error *err, const char *what)
{
    return error_set(err, ERROR_CORRUPT, "bzip2: %s", what);
}

static unsigned int bit(struct decoder *d)
{
    size_t at = d->at_bit++;
    return at / 8 < d->in.len ? (unsigned int)d->in.ptr[at / 8] >> (7 - at % 8) & 1U : 0;
}

static uint64_t bits(struct decoder *d, int count)
{
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 1 | bit(d);
    return value;
}

static bool past_end(const struct decoder *d)
{
    return d->at_bit > d->in.len * 8;
}

/* Bits after the end of the input are zeros, which soon end every loop below. So the end is checked once
   per stage. */
static bool check_end(const struct decoder *d, struct error *err)
{
    return !past_end(d) || corrupt(err, "the stream is cut off");
}

static void read_values(struct decoder *d)
{
    uint64_t groups = bits(d, 16);
    d->values = 0;
    for (unsigned int group = 0; group < 16; group++) {
        uint64_t used = groups >> (15 - group) & 1 ? bits(d, 16) : 0;
        for (unsigned int i = 0; i < 16; i++)
            if (used >> (15 - i) & 1)
                d->value[d->values++] = (uint8_t)(group * 16 + i);
    }
}

static bool read_selectors(struct decoder *d, struct error *err)
{
    uint8_t order[TABLES_MAX] = {0, 1, 2, 3, 4, 5};
    d->selectors = (size_t)bits(d, 15);
    for (size_t i = 0; i < d->selectors; i++) {
        unsigned int place = 0;
        while (bit(d))
            if (++place == d->tables)
                return corrupt(err, "a selector names no table");
        uint8_t chosen = order[place];
        memmove(order + 1, order, place);
        order[0] = d->selector[i] = chosen;
    }
    return true;
}

static bool read_table(struct decoder *d, struct table *table, struct error *err)
{
    uint8_t length[SYMBOLS_MAX];
    unsigned int symbols = d->values + 2;
    int now = (int)bits(d, 5);
    memset(table, 0, sizeof *table);
    for (unsigned int i = 0; i < symbols; i++) {
        while (now >= 1 && now <= CODE_MAX && bit(d))
            now += bit(d) ? -1 : 1;
        if (now < 1 || now > CODE_MAX)
            return corrupt(err, "a code length is out of range");
        length[i] = (uint8_t)now;
        table->count[now]++;
    }
    uint32_t room = 1, at = 0; /* unused codes of this length */
    for (int len = 1; len <= CODE_MAX; len++) {
        room = room * 2;
        if (table->count[len] > room)
            return corrupt(err, "a table has more codes than bits allow");
        room -= table->count[len];
        for (unsigned int i = 0; i < symbols; i++)
            if (length[i] == len)
                table->symbol[at++] = (uint16_t)i;
    }
    return true;
}

static bool read_block_head(struct decoder *d, struct error *err)
{
    d->crc = (uint32_t)bits(d, 32);
    if (bit(d))
        return corrupt(err, "a block is randomised");
    d->origin = (uint32_t)bits(d, 24);
    read_values(d);
    d->tables = (unsigned int)bits(d, 3);
    if (past_end(d))
        return corrupt(err, "the stream is cut off");
    if (d->values == 0)
        return corrupt(err, "a block has no byte values");
    if (d->tables < TABLES_MIN || d->tables > TABLES_MAX)
        return error_set(err, ERROR_CORRUPT, "bzip2: a block has %u Huffman tables, not %d to %d", d->tables,
                         TABLES_MIN, TABLES_MAX);
    if (!read_selectors(d, err))
        return false;
    for (unsigned int i = 0; i < d->tables; i++)
        if (!read_table(d, &d->table[i], err))
            return false;
    return check_end(d, err);
}

/* -1: the code is not in the table. */
static int read_symbol(struct decoder *d, const struct table *table)
{
    uint32_t code = 0, first = 0, index = 0;
    for (int len = 1; len <= CODE_MAX; len++) {
        code = code << 1 | bit(d);
        first <<= 1;
        if (code - first < table->count[len])
            return table->symbol[index + code - first];
        index += table->count[len];
        first += table->count[len];
    }
    return -1;
}

static bool add_run(struct decoder *d, size_t count, struct error *err)
{
    if (count > d->limits.block_bytes - d->len)
        return error_set(err, ERROR_CORRUPT, "bzip2: a block has more than %zu bytes, which a module refuses",
                         d->limits.block_bytes);
    for (; count > 0; count--)
        d->cell[d->len++] = d->value[0];
    return true;
}

static uint8_t move_to_front(uint8_t *value, unsigned int place)
{
    uint8_t moved = value[place];
    memmove(value + 1, value, place);
    value[0] = moved;
    return moved;
}

static bool read_symbols(struct decoder *d, struct error *err)
{
    size_t run = 0, weight = 1;
    d->len = 0;
    for (size_t i = 0;; i++) {
        if (i / GROUP >= d->selectors)
            return corrupt(err, "a block has too few selectors");
        int symbol = read_symbol(d, &d->table[d->selector[i / GROUP]]);
        if (symbol < 0 || past_end(d))
            return corrupt(err, past_end(d) ? "the stream is cut off" : "a code is not in the table");
        if (symbol <= 1) {
            run += weight << symbol;
            weight <<= 1;
            if (run > d->limits.block_bytes) /* stops the weights before they overflow */
                return add_run(d, run, err);
            continue;
        }
        if (!add_run(d, run, err))
            return false;
        run = 0;
        weight = 1;
        if ((unsigned int)symbol == d->values + 1)
            return true;
        move_to_front(d->value, (unsigned int)symbol - 1);
        if (!add_run(d, 1, err))
            return false;
    }
}

/* Inverts the Burrows-Wheeler transform: each cell gets the index of the cell with the next byte. */
static bool link_cells(struct decoder *d, struct error *err)
{
    uint32_t start[256] = {0}, total = 0;
    if (d->origin >= d->len)
        return corrupt(err, "a block's origin is outside of it");
    for (size_t i = 0; i < d->len; i++)
        start[d->cell[i] & 0xFF]++;
    for (size_t i = 0; i < 256; i++) {
        uint32_t count = start[i];
        start[i] = total;
        total += count;
    }
    for (size_t i = 0; i < d->len; i++)
        d->cell[start[d->cell[i] & 0xFF]++] |= (uint32_t)i << 8;
    return true;
}

static bool emit(struct decoder *d, uint8_t byte, size_t count, uint32_t *crc, struct error *err)
{
    if (count > d->plain_left)
        return error_set(err, ERROR_CORRUPT, "bzip2: the stream unpacks to more than %zu bytes",
                         d->limits.plain_bytes);
    d->plain_left -= count;
    if (!buffer_reserve(d->out, count, err))
        return false;
    for (; count > 0; count--) {
        d->out->ptr[d->out->len++] = byte;
        *crc = bzip_crc_add(*crc, byte);
    }
    return true;
}

/* Inverts the first run-length stage: after four equal bytes, the next byte is the number of further
   equal bytes. */
static bool emit_block(struct decoder *d, struct error *err)
{
    uint32_t crc = BZIP_CRC_START, at = d->cell[d->origin] >> 8;
    int last = -1, equal = 0;
    for (size_t i = 0; i < d->len; i++) {
        uint8_t byte = (uint8_t)d->cell[at];
        at = d->cell[at] >> 8;
        bool counts = equal == 4;
        equal = counts ? 0 : byte == last ? equal + 1 : 1;
        if (!emit(d, counts ? (uint8_t)last : byte, counts ? byte : 1, &crc, err))
            return false;
        last = counts ? -1 : byte;
    }
    if (equal == 4)
        return corrupt(err, "a block ends in a run without its length");
    if (~crc != d->crc)
        return corrupt(err, "a block's checksum is wrong");
    return true;
}

static bool decode_block(struct decoder *d, struct error *err)
{
    if (!read_block_head(d, err) || !read_symbols(d, err) || !link_cells(d, err) || !emit_block(d, err))
        return false;
    struct bzip_shape *shape = &d->shape;
    shape->fewest_tables =
        shape->blocks++ == 0 || d->tables < shape->fewest_tables ? d->tables : shape->fewest_tables;
    shape->most_tables = d->tables > shape->most_tables ? d->tables : shape->most_tables;
    shape->largest_block = d->len > shape->largest_block ? d->len : shape->largest_block;
    return true;
}

static bool decode_stream(struct decoder *d, struct error *err)
{
    uint32_t crc = 0;
    for (;;) {
        uint64_t magic = bits(d, 48);
        if (magic == MAGIC_END)
            break;
        if (magic != MAGIC_BLOCK)
            return corrupt(err, past_end(d) ? "the stream is cut off"
                                            : "a block does not begin with its magic number");
        if (!decode_block(d, err))
            return false;
        crc = bzip_crc_combine(crc, d->crc);
    }
    if (bits(d, 32) != crc && !past_end(d))
        return corrupt(err, "the stream's checksum is wrong");
    if (!check_end(d, err))
        return false;
    return (d->at_bit + 7) / 8 == d->in.len || corrupt(err, "bytes follow after the stream");
}

bool bzip_decode(struct bytes packed, struct bzip_limits limits, struct buffer *out, struct bzip_shape *shape,
                 struct error *err)
{
    if (packed.len < 4 || memcmp(packed.ptr, "BZh1", 4) != 0)
        return corrupt(err, "the stream does not begin with BZh1");
    _cleanup_(cleanup_free) struct decoder *d = calloc(1, sizeof *d);
    _cleanup_(cleanup_free) uint32_t *cell = calloc(limits.block_bytes, sizeof *cell);
    if (!d || !cell)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    d->limits = limits;
    d->in = packed;
    d->at_bit = 32;
    d->out = out;
    d->plain_left = limits.plain_bytes;
    d->cell = cell;
    if (!decode_stream(d, err))
        return false;
    if (shape)
        *shape = d->shape;
    return true;
}
