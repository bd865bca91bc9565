/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A stage as it is written on command lines: 5,min=4,fail=0,silent=0,settle=1d,approve=1. Pure. */
#ifndef DFOTA_UPGRADE_STAGE_OPTION_H
#define DFOTA_UPGRADE_STAGE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

#define STAGE_OPTION_HELP                                                                                    \
    "5, 10% or all, then min=N, confirmed=PERCENT, fail=N, silent=N, settle=1d and approve=N, with commas"
#define STAGE_OPTION_FIELDS_MAX 8

struct stage_option_field {
    const char *name; /* in the API: "devices", "min_confirmed"; "all" is true there */
    int64_t value;
};

struct stage_option { /* what was written, in this order */
    struct stage_option_field field[STAGE_OPTION_FIELDS_MAX];
    size_t count;
};

/* False: `text` is not a stage. */
bool stage_option_read(struct slice text, struct stage_option *ret);

#endif
