/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What bytes and records cost in the compressed streams of a BSDIFF40 package. The costs are learned from
   the streams of one script and used to choose the next script. */
#ifndef DFOTA_DELTA_BSDIFF_COSTS_H
#define DFOTA_DELTA_BSDIFF_COSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bsdiff/bsdiff.h"
#include "base/buffer.h"
#include "delta/match/match.h"

#define BSDIFF_BIT  64 /* costs are in this fraction of a bit */
#define BSDIFF_RUNS 8  /* classes of lengths of a run of zeros */

/* The context of a diff byte: the number of zeros after it, and the byte after those zeros. The bytes
   before it hardly matter, because bzip2 sorts by what follows. */
struct bsdiff_context {
    uint8_t run, behind; /* run: at most BSDIFF_RUN_MAX */
};

struct bsdiff_costs { /* about 1 MB, and 2 bytes per byte of new. Free with bsdiff_costs_free(). */
    uint16_t diff[BSDIFF_RUNS][256][256]; /* of a diff byte, by class of the run and by the byte after the
                                             run */
    uint16_t *extra;                      /* of each byte of new as an extra byte */
    uint32_t record;                      /* set by the caller */
};

/* The caller frees *ret, also on failure. ERROR_INTERNAL: no memory. */
bool bsdiff_costs_new(size_t new_len, struct bsdiff_costs **ret, struct error *err)
    __attribute__((warn_unused_result));

struct bsdiff_sample { /* the input of learning */
    const struct match_script *script;
    struct bytes diff;                 /* the diff bytes of the script */
    size_t packed_len[BSDIFF_STREAMS]; /* compressed lengths of the streams */
};

/* ERROR_INTERNAL: no memory. */
bool bsdiff_costs_learn(struct bytes new, const struct bsdiff_sample *sample, struct bsdiff_costs *ret,
                        struct error *err) __attribute__((warn_unused_result));

void bsdiff_costs_free(struct bsdiff_costs **costs); /* for _cleanup_ */

#define BSDIFF_RUN_MAX 32 /* zeros beyond this number are not counted */

/* The class of a run. */
static inline unsigned int bsdiff_run_class(unsigned int run)
{
    static const uint8_t of[BSDIFF_RUN_MAX + 1] = {0, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6,
                                                   6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7};
    return of[run];
}

/* Moves the context from a byte to the byte before it. */
static inline void bsdiff_context_move(struct bsdiff_context *context, uint8_t byte)
{
    uint8_t longer = (uint8_t)(context->run + (context->run < BSDIFF_RUN_MAX));
    context->run = byte == 0 ? longer : 0;
    context->behind = byte == 0 ? context->behind : byte;
}

#endif
