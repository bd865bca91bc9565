/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/chain_finder.h"

#define HASHED_BYTES 3
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

struct heads { /* the newest positions + 1 with the same hash */
    uint32_t pair, chain;
};

/* Puts the position into the tables, and goes on. At least HASHED_BYTES bytes are left. */
static struct heads enter(struct chain_finder *finder)
{
    const uint8_t *at = finder->plain.ptr + finder->position;
    uint32_t pair = finder->crc[at[0]] ^ at[1], hash = (pair ^ (uint32_t)at[2] << 8) % CHAIN_HASHES;
    struct heads heads = {finder->newest_pair[pair % CHAIN_PAIRS], finder->newest[hash]};
    uint32_t here = (uint32_t)finder->position + 1;
    finder->newest_pair[pair % CHAIN_PAIRS] = here;
    finder->newest[hash] = here;
    finder->older[here % CHAIN_ENTRIES] = heads.chain;
    finder->position++;
    return heads;
}

static uint32_t count_same(const uint8_t *at, uint32_t distance, uint32_t limit)
{
    uint32_t len = 0;
    while (len < limit && at[len] == *(at + len - distance))
        len++;
    return len;
}

/* Returns the length of the longest match so far. */
static uint32_t keep_longer(struct chain_matches *found, uint32_t longest, uint32_t len, uint32_t distance)
{
    if (len <= longest)
        return longest;
    found->match[found->count++] = (struct chain_match){len, distance};
    return len;
}

static void follow_chain(const struct chain_finder *finder, uint32_t candidate, uint32_t limit,
                         uint32_t longest, struct chain_matches *found)
{
    uint32_t here = (uint32_t)finder->position; /* of the searched byte, + 1 */
    const uint8_t *at = finder->plain.ptr + here - 1;
    for (unsigned int steps = 0; steps < STEPS_MAX && candidate != 0 && longest < limit; steps++) {
        uint32_t distance = here - candidate;
        if (distance > CHAIN_DISTANCE_MAX)
            return;
        if (at[longest] == *(at + longest - distance))
            longest = keep_longer(found, longest, count_same(at, distance, limit), distance);
        candidate = finder->older[candidate % CHAIN_ENTRIES];
    }
}

void chain_finder_search(struct chain_finder *finder, struct chain_matches *found)
{
    const uint8_t *at = finder->plain.ptr + finder->position;
    size_t left = finder->plain.len - finder->position;
    uint32_t limit = left < CHAIN_LENGTH_MAX ? (uint32_t)left : CHAIN_LENGTH_MAX;
    uint32_t longest = HASHED_BYTES - 1;
    found->count = 0;
    if (limit < HASHED_BYTES) {
        finder->position++;
        return;
    }
    struct heads heads = enter(finder);
    uint32_t distance = (uint32_t)finder->position - heads.pair;
    if (heads.pair != 0 && distance <= CHAIN_DISTANCE_MAX && *at == *(at - distance))
        longest = keep_longer(found, 1, count_same(at, distance, limit), distance);
    follow_chain(finder, heads.chain, limit, longest, found);
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
