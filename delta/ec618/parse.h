/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses the records of one part by their cost: which bytes are taken from old at which shift, and which
   are stored in the stream. It is a shortest path. */
#ifndef DFOTA_DELTA_EC618_PARSE_H
#define DFOTA_DELTA_EC618_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/match.h"
#include "delta/match/match.h"

#define EC618_BIT 64 /* costs are in this fraction of a bit */

struct ec618_costs {
    uint32_t diff[256], extra[256]; /* of a byte of that value in the stream */
    uint32_t record;
};

struct ec618_part_task {
    struct bytes old, new; /* the whole images */
    size_t begin, len;     /* the part of new */
    int64_t start;         /* read position in old of the first record */
};

/* Estimates costs without a previous stream. */
void ec618_costs_guess(const struct ec618_part_task *task, unsigned int record_bits, struct ec618_costs *ret);

/* Learns costs from the stream of a script. */
void ec618_costs_learn(const struct ec618_part_task *task, const struct match_script *script,
                       unsigned int record_bits, struct ec618_costs *ret);

/* Replaces the script in *ret with the cheapest one. ERROR_INTERNAL: no memory. */
bool ec618_parse_part(const struct ec618_part_task *task, const struct ec618_spans *spans,
                      const struct ec618_costs *costs, struct match_script *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Appends the stream of a part before compression: each record, followed by its bytes. ERROR_INTERNAL: no
   memory. */
bool ec618_parse_write(const struct ec618_part_task *task, const struct match_script *script,
                       struct buffer *out, struct error *err) __attribute__((warn_unused_result));

#endif
