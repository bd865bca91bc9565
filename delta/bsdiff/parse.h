/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses records by their cost: which bytes of new are taken from old at which shift, and which are
   extra. It is a shortest path from the end of new to its beginning. */
#ifndef DFOTA_DELTA_BSDIFF_PARSE_H
#define DFOTA_DELTA_BSDIFF_PARSE_H

#include <stdbool.h>
#include "base/error.h"
#include "delta/bsdiff/costs.h"
#include "delta/bsdiff/spans.h"
#include "base/buffer.h"
#include "delta/match/match.h"

/* Replaces the script in *ret with the cheapest one and adds to its steps. Takes 1/4 byte of memory per
   byte of all spans, and 6 bytes per byte of new. ERROR_INTERNAL: no memory. */
bool bsdiff_parse(struct bytes old, struct bytes new, const struct bsdiff_spans *spans,
                  const struct bsdiff_costs *costs, struct match_script *ret, struct bsdiff_spans *narrow,
                  struct error *err) __attribute__((warn_unused_result));

#endif
