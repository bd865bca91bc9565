/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/chain_finder.h"

#define HASHED_BYTES 4
#define HASH_SHIFT   3  /* of the checksum of the fourth byte */
#define STEPS_MAX    80 /* candidates that are looked at for one position */
#define POLYNOMIAL   0xEDB88320U

void chain_finder_init(struct chain_finder *finder, struct bytes plain)
{
    memset(finder, 0, sizeof *finder);
    finder->plain = plain;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (unsigned int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        finder->crc[i] = crc;
    }
}

struct heads { /* the newest positions + 1 with the same hashes */
    uint32_t pair, triple, chain;
};

/* Puts the position into the tables, and goes on. At least HASHED_BYTES bytes are left. The order of the
   last two stores matters: both may have the same place. */
static struct heads enter(struct chain_finder *finder)
{
    const uint8_t *at = finder->plain.ptr + finder->position;
    uint32_t sum = finder->crc[at[0]] ^ at[1], pair = sum % CHAIN_PAIRS;
    sum ^= (uint32_t)at[2] << 8;
    uint32_t triple = sum % CHAIN_TRIPLES, hash = (sum ^ finder->crc[at[3]] << HASH_SHIFT) % CHAIN_HASHES;
    struct heads heads = {finder->pair[pair], finder->triple[triple], finder->link[hash]};
    uint32_t here = (uint32_t)++finder->position;
    finder->pair[pair] = here;
    finder->triple[triple] = here;
    finder->link[hash] = here;
    finder->link[here % CHAIN_LINKS] = heads.chain;
    return heads;
}

static uint32_t count_same(const uint8_t *at, uint32_t distance, uint32_t limit)
{
    uint32_t len = 0;
    while (len < limit && at[len] == *(at + len - distance))
        len++;
    return len;
}

static void add(struct chain_matches *found, uint32_t len, uint32_t distance)
{
    found->match[found->count++] = (struct chain_match){len, distance};
}

/* The distance to the newest position of a table; 0: no position is stored, or another byte is there. */
static uint32_t measure(const struct chain_finder *finder, uint32_t newest)
{
    uint32_t here = (uint32_t)finder->position, distance = here - newest;
    const uint8_t *at = finder->plain.ptr + here - 1;
    return newest != 0 && distance <= CHAIN_DISTANCE_MAX && *at == *(at - distance) ? distance : 0;
}

/* Looks at the newest positions with two and with three equal bytes. */
static void look_at_newest(const struct chain_finder *finder, struct heads heads, uint32_t limit,
                           struct chain_matches *found)
{
    const uint8_t *at = finder->plain.ptr + finder->position - 1;
    uint32_t pair = measure(finder, heads.pair), triple = measure(finder, heads.triple);
    if (pair != 0 && at[2] == *(at + 2 - pair))
        triple = pair;
    else if (pair != 0)
        add(found, 2, pair);
    if (triple != 0)
        add(found, count_same(at, triple, limit), triple);
}

static void follow_chain(const struct chain_finder *finder, uint32_t candidate, uint32_t limit,
                         struct chain_matches *found)
{
    uint32_t here = (uint32_t)finder->position; /* of the searched bytes, + 1 */
    const uint8_t *at = finder->plain.ptr + here - 1;
    uint32_t longest = found->count == 0 ? 0 : found->match[found->count - 1].len;
    if (longest < HASHED_BYTES - 1)
        longest = HASHED_BYTES - 1;
    for (unsigned int steps = 0; steps < STEPS_MAX && candidate != 0 && longest < limit; steps++) {
        uint32_t distance = here - candidate;
        if (distance == 0 || distance > CHAIN_DISTANCE_MAX)
            return;
        uint32_t len = at[longest] == *(at + longest - distance) ? count_same(at, distance, limit) : 0;
        if (len > longest)
            add(found, longest = len, distance);
        candidate = finder->link[candidate % CHAIN_LINKS];
    }
}

void chain_finder_search(struct chain_finder *finder, struct chain_matches *found)
{
    size_t left = finder->plain.len - finder->position;
    uint32_t limit = left < CHAIN_LENGTH_MAX ? (uint32_t)left : CHAIN_LENGTH_MAX;
    found->count = 0;
    if (limit < HASHED_BYTES) {
        finder->position++;
        return;
    }
    struct heads heads = enter(finder);
    look_at_newest(finder, heads, limit, found);
    follow_chain(finder, heads.chain, limit, found);
}

void chain_finder_skip(struct chain_finder *finder, size_t count)
{
    for (; count > 0; count--) {
        if (finder->plain.len - finder->position >= HASHED_BYTES)
            (void)enter(finder);
        else
            finder->position++;
    }
}
