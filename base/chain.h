/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The hash chain of the ledger: which bytes of a row are hashed, and the check of rows in order. The server
   writes the chain; dfotactl checks it too. doc/ledger.md describes it for other programs. */
#ifndef DFOTA_BASE_CHAIN_H
#define DFOTA_BASE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"

#define CHAIN_CHECKPOINT "ledger-pruned" /* the kind of the row that says which older rows were removed */

struct chain_row { /* borrowed texts, "" if a row has none */
    int64_t seq, at_ms;
    const char *kind, *product, *firmware, *device;
    int64_t attempt;
    const char *package, *detail;
    struct sha256 prev, hash;
};

struct chain_head { /* the last row of a chain; seq 0 and a zero hash: no row */
    int64_t seq;
    struct sha256 hash;
};

/* The hash that the row must have: over all its fields except `hash`. */
void chain_hash(const struct chain_row *row, struct sha256 *ret);

/* Reads an exported head, {"hash":"…","seq":N}. False if the text is not a head. */
bool chain_head_read(const char *json, struct chain_head *ret);

struct
    chain_check {  /* set to zero, except `compares` and `against`; read `last` and `count` after the check */
    bool compares; /* with a head that was exported earlier */
    struct chain_head against; /* this head */
    bool met;                  /* the row of this head was checked */
    int64_t first_seq, count;
    struct sha256 first_prev;
    struct chain_head last;
    struct chain_head removed; /* the last removed row, from the newest checkpoint */
};

/* Checks the next row, in order of seq. False if the row is wrong; err then has a sentence for people. */
bool chain_check_row(struct chain_check *check, const struct chain_row *row, struct error *err)
    __attribute__((warn_unused_result));
/* Call after the last row. False if rows are missing at the beginning or the end. */
bool chain_check_end(const struct chain_check *check, struct error *err) __attribute__((warn_unused_result));

#endif
