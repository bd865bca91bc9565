/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The choice of records for one part: which bytes are taken from old at which shift and which stand in the
   stream, by a shortest path over what each would cost there. */
#ifndef DFOTA_DELTA_EC618_PARSE_H
#define DFOTA_DELTA_EC618_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/ec618/match.h"
#include "delta/match/match.h"

#define EC618_BIT 64 /* costs are counted in so many parts of a bit */

struct ec618_costs {
    uint32_t diff[256], extra[256]; /* of a byte of that value in the stream */
    uint32_t record;
};

struct ec618_part_task {
    struct bytes old, new; /* the whole images */
    size_t begin, len;     /* the part of new */
    int64_t start;         /* where in old its first record begins to read */
};

/* What bytes cost before anything is known. */
void ec618_costs_guess(const struct ec618_part_task *task, unsigned int record_bits, struct ec618_costs *ret);

/* What they cost in the stream that those records make. */
void ec618_costs_learn(const struct ec618_part_task *task, const struct match_script *script,
                       unsigned int record_bits, struct ec618_costs *ret);

/* The cheapest records into *ret, replacing what is there. ERROR_INTERNAL: no memory. */
bool ec618_parse_part(const struct ec618_part_task *task, const struct ec618_spans *spans,
                      const struct ec618_costs *costs, struct match_script *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The plain stream of a part: records with their bytes, interleaved. Appended to *out. */
bool ec618_parse_write(const struct ec618_part_task *task, const struct match_script *script,
                       struct buffer *out, struct error *err) __attribute__((warn_unused_result));

#endif
