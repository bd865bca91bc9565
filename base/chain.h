/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The ledger's chain: which bytes of a row are hashed, and the check of rows that come in order. Shared by
   the server, which writes it, and by dfotactl, which checks it from outside; doc/ledger.md tells others how.
 */
#ifndef DFOTA_BASE_CHAIN_H
#define DFOTA_BASE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"

#define CHAIN_CHECKPOINT "ledger-pruned" /* the kind of row that says which older ones were removed */

struct chain_row { /* borrowed texts, "" where a row has none */
    int64_t seq, at_ms;
    const char *kind, *product, *firmware, *device;
    int64_t attempt;
    const char *package, *detail;
    struct sha256 prev, hash;
};

struct chain_head { /* the last row of a chain; seq 0 and a zero hash: there is none */
    int64_t seq;
    struct sha256 hash;
};

/* The hash that the row should have: over all its fields but `hash`. */
void chain_hash(const struct chain_row *row, struct sha256 *ret);

/* Reads {"hash":"…","seq":N}, as an exported head has it. False when it is none. */
bool chain_head_read(const char *json, struct chain_head *ret);

struct chain_check { /* zeroed, but for the first two; the last row and the count may be read afterwards */
    bool compares;   /* with a head that was exported earlier */
    struct chain_head against; /* that one */
    bool met;                  /* its row was there */
    int64_t first_seq, count;
    struct sha256 first_prev;
    struct chain_head last;
    struct chain_head removed; /* the last row that was removed, as the newest checkpoint says */
};

/* The next row, in order of seq. False, with a sentence for people, at the first that is wrong. */
bool chain_check_row(struct chain_check *check, const struct chain_row *row, struct error *err)
    __attribute__((warn_unused_result));
/* There are no more: what is missing at either end. */
bool chain_check_end(const struct chain_check *check, struct error *err) __attribute__((warn_unused_result));

#endif
