/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The settings of a run, the same for all modules; read-only while modules run. */
#ifndef DFOTA_SIM_PLAN_H
#define DFOTA_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include "sim/dialect.h"
#include "sim/hop_log.h"
#include "sim/release.h"
#include "sim/trace.h"
#include "sim/image_store.h"
#include "sim/url.h"

struct plan {
    const struct dialect *dialect;
    bool has_url; /* false: every module has a link */
    struct url url;
    const char *product_key, *firmware; /* NULL: not given */

    bool until_idle;
    char until[RELEASE_SIZE];  /* version that ends a module; empty: none */
    char expect[RELEASE_SIZE]; /* version that a module must run at the end; empty: none */
    uint64_t asks;             /* 0: ask again only after "please wait" and after a lost connection */
    int64_t interval_ms;

    uint64_t partition_bytes;
    const char *chip;   /* of an EC7xx; NULL: not known */
    uint64_t cut_bytes; /* UINT64_MAX: no cut */
    bool report;        /* a host reports the version and uses the next link */
    bool transcript;    /* the host sends the captured text; firmware is not NULL */

    unsigned loss_percent; /* of the downloads lose the connection */
    unsigned
        resets_percent; /* of the downloads end with a restart of the module, which forgets what it received */
    struct hop_log *hops; /* NULL: not wanted */

    struct image_store *store;
    struct trace trace;
};

#endif
