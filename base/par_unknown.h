/* What nobody outside of the vendor knows of the `.par` archive of EC618 modules (delta/par.h): its fields by
   name, and what is written there unless somebody says otherwise: to `dfota diff --header`, or in the
   configuration of the server. */
#ifndef DFOTA_BASE_PAR_UNKNOWN_H
#define DFOTA_BASE_PAR_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"

enum par_place { PAR_IN_HEAD, PAR_IN_PART };

/* Bytes that are written as the one known sample has them. Adding one is adding a row. */
enum par_unknown {
    PAR_HEAD_2,
    PAR_HEAD_3,
    PAR_HEAD_4,
    PAR_HEAD_6,
    PAR_HEAD_44,
    PAR_PART_8,
    PAR_PART_12,
    PAR_PART_16,
    PAR_PART_56,
    PAR_PART_60,
    PAR_PART_92,
    PAR_UNKNOWNS,
};

#define PAR_UNKNOWN_MAX 40 /* bytes of the longest */

struct par_unknown_row {
    const char *name; /* as an override names it */
    enum par_place place;
    size_t offset, size; /* in its head */
    bool computed;       /* follows from the images unless overridden; `sample` is not used */
    uint8_t sample[PAR_UNKNOWN_MAX];
    const char *known; /* what is known of it, for people */
};

extern const struct par_unknown_row par_unknown_table[PAR_UNKNOWNS];

/* Other bytes in place of the sample's, in every package of the archive. All zero overrides nothing. */
struct par_overrides {
    bool set[PAR_UNKNOWNS];
    uint8_t value[PAR_UNKNOWNS][PAR_UNKNOWN_MAX];
};

/* Reads "head-2=20,part-56=03240000": row names and hex of exactly the row's size. Empty is none.
   ERROR_BAD_REQUEST says what is wrong. */
bool par_overrides_read(struct slice text, struct par_overrides *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The same again in one way only: in the table's order, hex in lower case. Empty for none. */
#define PAR_OVERRIDES_TEXT 512
void par_overrides_write(const struct par_overrides *overrides, char out[PAR_OVERRIDES_TEXT]);

#endif
