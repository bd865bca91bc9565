/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What bytes and records cost in the streams of a BSDIFF40 package: learned from the streams that one script
   makes, to choose the next by. */
#ifndef DFOTA_DELTA_BSDIFF_COSTS_H
#define DFOTA_DELTA_BSDIFF_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bsdiff/bsdiff.h"
#include "base/buffer.h"
#include "delta/match/match.h"

#define BSDIFF_BIT  64 /* costs are counted in so many parts of a bit */
#define BSDIFF_RUNS 8  /* lengths of a run of zeros that are told apart */

/* What precedes a byte hardly matters to bzip2, it sorts by what follows. So that is the context of a diff
   byte: how many zeros follow, and what stands behind them. */
struct bsdiff_context {
    uint8_t run, behind; /* run: up to BSDIFF_RUN_MAX */
};

struct bsdiff_costs { /* about 1 MB, and 2 bytes per byte of new; free with bsdiff_costs_free */
    uint16_t diff[BSDIFF_RUNS][256][256]; /* of a diff byte, by class of run and by what stands behind it */
    uint16_t *extra;                      /* of each byte of new, if it is an extra one */
    uint32_t record;                      /* set by the caller */
};

/* ERROR_INTERNAL: no memory. Free what it gives also when it fails. */
bool bsdiff_costs_new(size_t new_len, struct bsdiff_costs **ret, struct error *err)
    __attribute__((warn_unused_result));

struct bsdiff_sample { /* what is learned from */
    const struct match_script *script;
    struct bytes diff;                 /* the diff bytes that it makes */
    size_t packed_len[BSDIFF_STREAMS]; /* what bzip2 made of its streams */
};

/* ERROR_INTERNAL: no memory. */
bool bsdiff_costs_learn(struct bytes new, const struct bsdiff_sample *sample, struct bsdiff_costs *ret,
                        struct error *err) __attribute__((warn_unused_result));

void bsdiff_costs_free(struct bsdiff_costs **costs); /* for _cleanup_ */

#define BSDIFF_RUN_MAX 32 /* zeros that are counted */

/* The class of a run. */
static inline unsigned int bsdiff_run_class(unsigned int run)
{
    static const uint8_t of[BSDIFF_RUN_MAX + 1] = {0, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6,
                                                   6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7};
    return of[run];
}

/* The context of the byte before that one. */
static inline void bsdiff_context_move(struct bsdiff_context *context, uint8_t byte)
{
    if (byte == 0) {
        context->run = (uint8_t)(context->run + (context->run < BSDIFF_RUN_MAX));
    } else {
        context->run = 0;
        context->behind = byte;
    }
}

#endif
