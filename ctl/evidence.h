/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The checks of the payload of an evidence file (doc/evidence.md), after its signature. */
#ifndef DFOTA_CTL_EVIDENCE_H
#define DFOTA_CTL_EVIDENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct evidence_chain {
    int64_t rows, pieces; /* a piece: rows that follow each other */
    int64_t first, last;  /* seq */
    bool is_whole;        /* one piece, which ends with the head */
};
/* The rows of the ledger. False: a row does not have its hash, or does not follow the one before. */
bool evidence_check_chain(const json_t *payload, struct evidence_chain *ret, struct error *err)
    __attribute__((warn_unused_result));

struct evidence_match { /* how many of the facts, and for how many there is a row that says the same */
    size_t approvals, approvals_found, packages, packages_found, ends, ends_found;
};
/* Compares the other sections with the rows. False: a row says something else. */
bool evidence_check_match(const json_t *payload, struct evidence_match *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
