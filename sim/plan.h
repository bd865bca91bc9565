/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the command line asked for: the same for all modules, read-only once they run. */
#ifndef DFOTA_SIM_PLAN_H
#define DFOTA_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include "sim/dialect.h"
#include "sim/release.h"
#include "sim/trace.h"
#include "sim/image_store.h"
#include "sim/url.h"

struct plan {
    const struct dialect *dialect;
    bool has_url; /* else every module has a link */
    struct url url;
    const char *product_key, *firmware; /* NULL: not said */

    bool until_idle;
    char until[RELEASE_SIZE];  /* empty: no version ends it */
    char expect[RELEASE_SIZE]; /* empty: anything but a fault will do */
    uint64_t asks;             /* 0: only "please wait" and a lost network are waited for */
    int64_t interval_ms;

    uint64_t partition_bytes;
    uint64_t cut_bytes; /* UINT64_MAX: no cut */
    bool report;        /* a host tells the server what runs, and types in the links it gets */
    bool transcript;    /* … by sending all that it captured; has a firmware then */

    struct image_store *shelf;
    struct trace trace;
};

#endif
