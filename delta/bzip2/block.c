/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/block.h"

#include <stdint.h>
#include "base/cleanup.h"
#include "delta/bzip2/cuts.h"
#include "delta/bzip2/decode.h"
#include "delta/bzip2/selectors.h"
#include "delta/bzip2/symbols.h"

#define MAGIC_BLOCK 0x314159265359ULL
#define MAGIC_END   0x177245385090ULL
#define LEVEL_BYTES 100000 /* block size per level */

struct writer {
    struct buffer *out;
    uint64_t pending; /* bits that are not yet written, in the low end */
    unsigned int pending_bits;
    uint32_t crc;
};

static bool put_bits(struct writer *w, unsigned int count, uint64_t value, struct error *err)
{
    w->pending = w->pending << count | value; /* at most 48 bits, and 7 bits from before */
    w->pending_bits += count;
    uint8_t bytes[8];
    size_t len = 0;
    for (; w->pending_bits >= 8; w->pending_bits -= 8)
        bytes[len++] = (uint8_t)(w->pending >> (w->pending_bits - 8));
    return buffer_add(w->out, bytes, len, err);
}

static bool put_used(struct writer *w, const bool *used, struct error *err)
{
    uint32_t groups = 0, group[16] = {0};
    for (unsigned int i = 0; i < 256; i++)
        if (used[i]) {
            groups |= 0x8000U >> i / 16;
            group[i / 16] |= 0x8000U >> i % 16;
        }
    bool ok = put_bits(w, 16, groups, err);
    for (unsigned int i = 0; i < 16; i++)
        ok = ok && (group[i] == 0 || put_bits(w, 16, group[i], err));
    return ok;
}

static bool put_selectors(struct writer *w, const struct bzip_tables *tables, struct error *err)
{
    uint8_t order[BZIP_TABLES_MAX] = {0, 1, 2, 3, 4, 5};
    bool ok = put_bits(w, 3, tables->tables, err) && put_bits(w, 15, tables->groups, err);
    for (size_t i = 0; i < tables->groups; i++) {
        unsigned int place = bzip_selectors_place(order, tables->selector[i]);
        ok = ok && put_bits(w, place + 1, (1ULL << (place + 1)) - 2, err);
    }
    return ok;
}

static bool put_lengths(struct writer *w, const uint8_t *length, unsigned int alphabet, struct error *err)
{
    unsigned int now = length[0];
    bool ok = put_bits(w, 5, now, err);
    for (unsigned int i = 0; i < alphabet; i++) {
        for (; now < length[i]; now++)
            ok = ok && put_bits(w, 2, 2, err);
        for (; now > length[i]; now--)
            ok = ok && put_bits(w, 2, 3, err);
        ok = ok && put_bits(w, 1, 0, err);
    }
    return ok;
}

static void assign_codes(const uint8_t *length, unsigned int alphabet, uint32_t *code)
{
    uint32_t next = 0;
    for (unsigned int len = 1; len <= BZIP_CODE_MAX; len++, next <<= 1)
        for (unsigned int i = 0; i < alphabet; i++)
            if (length[i] == len)
                code[i] = next++;
}

static bool put_symbols(struct writer *w, const struct bzip_symbols *symbols,
                        const struct bzip_tables *tables, struct error *err)
{
    uint32_t code[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX];
    for (unsigned int t = 0; t < tables->tables; t++)
        assign_codes(tables->length[t], symbols->alphabet, code[t]);
    bool ok = true;
    for (size_t i = 0; i < symbols->count; i++) {
        unsigned int table = tables->selector[i / BZIP_GROUP], symbol = symbols->symbol[i];
        ok = ok && put_bits(w, tables->length[table][symbol], code[table][symbol], err);
    }
    return ok;
}

static bool put_block(struct writer *w, const struct bzip_symbols *symbols, const struct bzip_tables *tables,
                      uint32_t crc, struct error *err)
{
    bool ok = put_bits(w, 48, MAGIC_BLOCK, err) && put_bits(w, 32, crc, err) && put_bits(w, 1, 0, err) &&
              put_bits(w, 24, symbols->origin, err) && put_used(w, symbols->used, err) &&
              put_selectors(w, tables, err);
    for (unsigned int t = 0; t < tables->tables; t++)
        ok = ok && put_lengths(w, tables->length[t], symbols->alphabet, err);
    w->crc = bzip_crc_combine(w->crc, crc);
    return ok && put_symbols(w, symbols, tables, err);
}

static uint32_t crc_of(struct bytes piece)
{
    uint32_t crc = BZIP_CRC_START;
    for (size_t i = 0; i < piece.len; i++)
        crc = bzip_crc_add(crc, piece.ptr[i]);
    return ~crc;
}

static bool put_piece(struct writer *w, struct bytes piece, enum bzip_effort effort, struct error *err)
{
    _cleanup_(bzip_symbols_free) struct bzip_symbols symbols = {0};
    struct bzip_tables tables;
    if (!bzip_symbols_make(piece, &symbols, err))
        return false;
    bzip_tables_choose(&symbols, effort, &tables);
    return put_block(w, &symbols, &tables, crc_of(piece), err);
}

bool bzip_block_add_stream(struct buffer *out, struct bytes plain, size_t limit, enum bzip_effort effort,
                           struct error *err)
{
    _cleanup_(bzip_cuts_free) struct bzip_cuts cuts = {0};
    struct writer w = {.out = out};
    const char head[4] = {'B', 'Z', 'h', (char)('0' + (limit + LEVEL_BYTES - 1) / LEVEL_BYTES)};
    if (!bzip_cuts_choose(plain, limit, effort, &cuts, err) || !buffer_add(out, head, sizeof head, err))
        return false;
    for (size_t i = 0; i < cuts.blocks; i++) {
        struct bytes piece = {plain.ptr + cuts.at[i], cuts.at[i + 1] - cuts.at[i]};
        if (!put_piece(&w, piece, effort, err))
            return false;
    }
    bool ok = put_bits(&w, 48, MAGIC_END, err) && put_bits(&w, 32, w.crc, err);
    return ok && put_bits(&w, 7, 0, err); /* fills the last byte; the remaining bits are zero */
}

bool bzip_block_measure(struct bytes plain, size_t limit, size_t *ret_len, struct error *err)
{
    _cleanup_(bzip_cuts_free) struct bzip_cuts cuts = {0};
    if (!bzip_cuts_choose(plain, limit, BZIP_ROUGH, &cuts, err))
        return false;
    size_t bits = 32 + 48 + 32; /* head, end, checksum */
    for (size_t i = 0; i < cuts.blocks; i++)
        bits += cuts.bits[i];
    *ret_len = (bits + 7) / 8;
    return true;
}
