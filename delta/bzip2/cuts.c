/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/cuts.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/bzip2/pieces.h"
#include "delta/bzip2/symbols.h"

#define TOO_LARGE                                                                                            \
    (SIZE_MAX / 1024) /* size of a block that is not allowed; many of these can be added
                                       without overflow */
#define PIECE_ERROR                                                                                          \
    16 /* a block may have this many bytes more than bzip_pieces_size() says, because a cut may divide a run */
#define NEAR 256 /* a cut is not moved by fewer bytes, because the gain would be too small */

#define SMALLEST_CELL 1024 /* in bytes after the first run-length stage */
/* A longer stream (after the first run-length stage) is divided into sections of one full block. The cuts of
   each section are searched on their own: a search over the whole stream would take minutes. */
#define LONG    (1 << 20)
#define SECTION (1 << 19) /* a larger piece is divided into more cells */

static const struct search {
    unsigned int halvings;    /* how often the distance is halved by which cuts are moved; it starts at a
                                 quarter of a block */
    unsigned int more_blocks; /* number of small blocks that are tried in addition to the minimum */
    unsigned int cells;       /* number of cells from which large blocks are joined */
    unsigned int long_cells;  /* the same for a section of a long stream */
} searches[] = {
    [BZIP_ROUGH] = {0, 0, 0, 0},
    [BZIP_QUICK] = {1, 0, 0, 0},
    [BZIP_GOOD] = {3, 1, 24, 24},
    [BZIP_BEST] = {5, 1, 32, 96},
};

struct cutter {
    struct bytes plain;
    size_t limit;              /* largest block */
    size_t capacity;           /* blocks */
    struct bzip_pieces pieces; /* of `plain`, or empty */
    struct bzip_symbols symbols;
    struct bzip_tables tables;
};

size_t bzip_cuts_block_bits(const struct bzip_symbols *symbols, const struct bzip_tables *tables)
{
    size_t bits = 48 + 32 + 1 + 24 + 16 + 3 + 15 + tables->bits;
    for (size_t i = 0; i < 16; i++)
        bits += memchr(symbols->used + 16 * i, true, 16) ? 16 : 0;
    return bits;
}

void bzip_cuts_free(struct bzip_cuts *cuts)
{
    free(cuts->at);
    free(cuts->bits);
    *cuts = (struct bzip_cuts){0};
}

static bool new_cuts(const struct cutter *c, struct bzip_cuts *cuts, struct error *err)
{
    cuts->at = calloc(c->capacity + 1, sizeof *cuts->at);
    cuts->bits = calloc(c->capacity, sizeof *cuts->bits);
    return (cuts->at && cuts->bits) || error_set(err, ERROR_INTERNAL, "out of memory");
}

static void copy_cuts(struct bzip_cuts *to, const struct bzip_cuts *from)
{
    to->blocks = from->blocks;
    memcpy(to->at, from->at, (from->blocks + 1) * sizeof *to->at);
    memcpy(to->bits, from->bits, from->blocks * sizeof *to->bits);
}

static bool is_too_large(const struct cutter *c, size_t from, size_t to)
{
    struct bytes piece = {c->plain.ptr + from, to - from};
    if (c->pieces.order && bzip_pieces_size(&c->pieces, from, to) + PIECE_ERROR <= c->limit)
        return false;
    return bzip_symbols_room(piece, c->limit) < piece.len;
}

static bool make_symbols(struct cutter *c, size_t from, size_t to, struct error *err)
{
    if (c->pieces.order)
        return bzip_pieces_symbols(&c->pieces, from, to, &c->symbols, err);
    return bzip_symbols_make((struct bytes){c->plain.ptr + from, to - from}, &c->symbols, err);
}

static bool measure(struct cutter *c, size_t from, size_t to, size_t *ret_bits, struct error *err)
{
    *ret_bits = TOO_LARGE;
    bool empty = from == to || (c->pieces.order && bzip_pieces_size(&c->pieces, from, to) == 0);
    if (empty || is_too_large(c, from, to))
        return true;
    if (!make_symbols(c, from, to, err))
        return false;
    bzip_tables_choose(&c->symbols, BZIP_ROUGH, &c->tables);
    *ret_bits = bzip_cuts_block_bits(&c->symbols, &c->tables);
    return true;
}

static size_t sum_bits(const struct bzip_cuts *cuts)
{
    size_t sum = 0;
    for (size_t i = 0; i < cuts->blocks; i++)
        sum += cuts->bits[i];
    return sum;
}

/* Makes blocks of that size after the first run-length stage. The last block has the rest. */
static void cut_by_size(const struct cutter *c, size_t size, struct bzip_cuts *cuts)
{
    cuts->blocks = 0;
    for (size_t at = 0; at < c->plain.len && cuts->blocks < c->capacity;) {
        at += bzip_symbols_room((struct bytes){c->plain.ptr + at, c->plain.len - at}, size);
        cuts->at[++cuts->blocks] = at;
    }
}

static bool measure_all(struct cutter *c, struct bzip_cuts *cuts, struct error *err)
{
    for (size_t i = 0; i < cuts->blocks; i++)
        if (!measure(c, cuts->at[i], cuts->at[i + 1], &cuts->bits[i], err))
            return false;
    return true;
}

/* Moves the cut before block i to `to` if that saves bits. */
static bool try_cut(struct cutter *c, struct bzip_cuts *cuts, size_t i, size_t to, struct error *err)
{
    size_t before, behind;
    if (to <= cuts->at[i - 1] || to >= cuts->at[i + 1])
        return true;
    if (!measure(c, cuts->at[i - 1], to, &before, err))
        return false;
    if (before > cuts->bits[i - 1] + cuts->bits[i]) /* the second half is not needed */
        return true;
    if (!measure(c, to, cuts->at[i + 1], &behind, err))
        return false;
    if (before + behind < cuts->bits[i - 1] + cuts->bits[i]) {
        cuts->at[i] = to;
        cuts->bits[i - 1] = before;
        cuts->bits[i] = behind;
    }
    return true;
}

static bool move_cuts(struct cutter *c, struct bzip_cuts *cuts, unsigned int halvings, struct error *err)
{
    if (cuts->blocks < 2)
        return true;
    size_t step = c->plain.len / cuts->blocks / 4;
    for (; halvings > 0 && step >= NEAR; halvings--, step /= 2)
        for (size_t i = 1; i < cuts->blocks; i++) {
            size_t now = cuts->at[i];
            if (!try_cut(c, cuts, i, now + step, err))
                return false;
            if (cuts->at[i] == now && now > step && !try_cut(c, cuts, i, now - step, err))
                return false;
        }
    return true;
}

/* Makes blocks of that size, moves their cuts, and keeps them in *best if they are better. */
static bool try_size(struct cutter *c, size_t size, unsigned int halvings, struct bzip_cuts *best,
                     struct error *err)
{
    _cleanup_(bzip_cuts_free) struct bzip_cuts cuts = {0};
    if (!new_cuts(c, &cuts, err))
        return false;
    cut_by_size(c, size, &cuts);
    if (!measure_all(c, &cuts, err) || !move_cuts(c, &cuts, halvings, err))
        return false;
    if (best->blocks == 0 || sum_bits(&cuts) < sum_bits(best))
        copy_cuts(best, &cuts);
    return true;
}

struct pair {      /* block i and the next block */
    size_t joined; /* bits of both as one block */
    size_t gain;   /* the bits that joining them saves */
    bool stale;    /* one of the blocks has grown since; the gain is probably smaller now */
};

static bool measure_pair(struct cutter *c, const struct bzip_cuts *cuts, size_t i, struct pair *pair,
                         struct error *err)
{
    size_t apart = cuts->bits[i] + cuts->bits[i + 1];
    if (!measure(c, cuts->at[i], cuts->at[i + 2], &pair->joined, err))
        return false;
    pair->gain = apart > pair->joined ? apart - pair->joined : 0;
    pair->stale = false;
    return true;
}

/* Joins block i and the next block. */
static void join(struct bzip_cuts *cuts, size_t i, struct pair *pair)
{
    size_t behind = cuts->blocks - i - 2;
    cuts->bits[i] = pair[i].joined;
    memmove(cuts->at + i + 1, cuts->at + i + 2, (behind + 1) * sizeof *cuts->at);
    memmove(cuts->bits + i + 1, cuts->bits + i + 2, behind * sizeof *cuts->bits);
    memmove(pair + i, pair + i + 1, behind * sizeof *pair);
    cuts->blocks--;
    pair[i].stale = true;
    if (i > 0)
        pair[i - 1].stale = true;
}

/* Whether a pair is joined or measured before another one: stale pairs without a gain are the last ones. */
static bool is_better(const struct pair *pair, const struct pair *other)
{
    return pair->gain != other->gain ? pair->gain > other->gain : pair->stale && !other->stale;
}

/* Joins the pair of blocks that saves most, until no pair saves anything. A pair is measured again only when it may be the best. */
static bool join_cells(struct cutter *c, struct bzip_cuts *cuts, struct error *err)
{
    _cleanup_(cleanup_free) struct pair *pair = calloc(cuts->blocks + 1, sizeof *pair);
    if (!pair)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i + 1 < cuts->blocks; i++)
        if (!measure_pair(c, cuts, i, &pair[i], err))
            return false;
    while (cuts->blocks > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < cuts->blocks; i++)
            best = is_better(&pair[i], &pair[best]) ? i : best;
        if (pair[best].gain == 0 && !pair[best].stale)
            break;
        if (!pair[best].stale)
            join(cuts, best, pair);
        else if (!measure_pair(c, cuts, best, &pair[best], err))
            return false;
    }
    return true;
}

static bool search_large(struct cutter *c, size_t size, const struct search *how, struct bzip_cuts *best,
                         struct error *err)
{
    _cleanup_(bzip_cuts_free) struct bzip_cuts cuts = {0};
    size_t cells = size > SECTION ? how->long_cells : how->cells;
    size_t cell = size / (cells + 1) + 8;
    if (how->cells == 0)
        return true;
    if (!new_cuts(c, &cuts, err))
        return false;
    cut_by_size(c, cell > SMALLEST_CELL ? cell : SMALLEST_CELL, &cuts);
    if (!measure_all(c, &cuts, err) || !join_cells(c, &cuts, err) || !move_cuts(c, &cuts, how->halvings, err))
        return false;
    if (sum_bits(&cuts) < sum_bits(best))
        copy_cuts(best, &cuts);
    return true;
}

static bool search_small(struct cutter *c, size_t size, const struct search *how, struct bzip_cuts *best,
                         struct error *err)
{
    size_t fewest = (size + c->limit - 1) / c->limit;
    for (size_t blocks = fewest; blocks <= fewest + how->more_blocks; blocks++) {
        size_t even = size / blocks + 8; /* a run that does not fit ends a block early */
        if (blocks > 1 && even < c->limit && !try_size(c, even, how->halvings, best, err))
            return false;
    }
    return true;
}

static bool search(struct cutter *c, enum bzip_effort effort, struct bzip_cuts *best, struct error *err)
{
    size_t size = bzip_symbols_size(c->plain);
    if (c->limit > BZIP_SMALL_BLOCK && searches[effort].cells > 0 && size > 0 &&
        !bzip_pieces_sort(c->plain, &c->pieces, err))
        return false;
    if (!try_size(c, c->limit, 0, best, err))
        return false;
    if (size < BZIP_SMALL_BLOCK / 4) /* too small for a second block */
        return true;
    return c->limit > BZIP_SMALL_BLOCK ? search_large(c, size, &searches[effort], best, err)
                                       : search_small(c, size, &searches[effort], best, err);
}

static void free_cutter(struct cutter **c)
{
    if (*c) {
        bzip_pieces_free(&(*c)->pieces);
        bzip_symbols_free(&(*c)->symbols);
    }
    free(*c);
}

/* The cuts of one section. */
static bool choose_section(struct cutter *c, struct bytes section, enum bzip_effort effort,
                           struct bzip_cuts *ret, struct error *err)
{
    bzip_pieces_free(&c->pieces);
    c->plain = section;
    c->capacity = section.len / 512 + 8; /* the smallest blocks in this file have 1/8 of 8 KB */
    return new_cuts(c, ret, err) && search(c, effort, ret, err);
}

static bool append_cuts(struct bzip_cuts *to, const struct bzip_cuts *from, struct error *err)
{
    size_t blocks = to->blocks + from->blocks;
    size_t begin = to->blocks > 0 ? to->at[to->blocks] : 0;
    size_t *at = reallocarray(to->at, blocks + 1, sizeof *at);
    to->at = at ? at : to->at;
    size_t *bits = reallocarray(to->bits, blocks + 1, sizeof *bits);
    to->bits = bits ? bits : to->bits;
    if (!at || !bits)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i <= from->blocks; i++)
        at[to->blocks + i] = begin + from->at[i];
    memcpy(bits + to->blocks, from->bits, from->blocks * sizeof *bits);
    to->blocks = blocks;
    return true;
}

static bool choose_all(struct cutter *c, struct bytes plain, enum bzip_effort effort, struct bzip_cuts *ret,
                       struct error *err)
{
    bool divide = c->limit > BZIP_SMALL_BLOCK && bzip_symbols_size(plain) > LONG;
    size_t at = 0;
    do {
        _cleanup_(bzip_cuts_free) struct bzip_cuts cuts = {0};
        struct bytes rest =
            at ? (struct bytes){plain.ptr + at, plain.len - at} : plain; /* may be empty, without a ptr */
        rest.len = divide ? bzip_symbols_room(rest, c->limit) : rest.len;
        if (!choose_section(c, rest, effort, &cuts, err) || !append_cuts(ret, &cuts, err))
            return false;
        at += rest.len;
    } while (at < plain.len);
    return true;
}

bool bzip_cuts_choose(struct bytes plain, size_t limit, enum bzip_effort effort, struct bzip_cuts *ret,
                      struct error *err)
{
    struct bzip_cuts best = {0};
    _cleanup_(free_cutter) struct cutter *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    c->limit = limit;
    if (!choose_all(c, plain, effort, &best, err)) {
        bzip_cuts_free(&best);
        return false;
    }
    *ret = best;
    return true;
}
