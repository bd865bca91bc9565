/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The modules of one run: made from the command line or from a file of links, and run in parallel. */
#ifndef DFOTA_SIM_FLEET_H
#define DFOTA_SIM_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim/module.h"

#define FLEET_MAX 100000u

struct fleet {
    struct module *module;
    size_t count;
};

struct fleet_source {
    const char *imei;    /* of the first module; the others count up */
    size_t count;        /* number of modules that ask at plan->url */
    const char *link;    /* one module with this link; or NULL */
    const char *links;   /* one module per line of this file: URL, or imei,version,url,report_url; or NULL */
    const char *version; /* version that they report; "": the version in the image */
    const struct image *image; /* image that they run; NULL: the image of their version */
};

/* *ret: freed with fleet_free(). ERROR_BAD_REQUEST: the source is wrong; other errors: a file cannot be
   read. */
bool fleet_make(const struct plan *plan, const struct fleet_source *source, struct fleet *ret,
                struct error *err) __attribute__((warn_unused_result));
void fleet_free(struct fleet *fleet);

/* Runs all modules that have not ended to their end, at most `parallel` exchanges at the same time. Fails only if no thread can
   be started. */
bool fleet_run(struct fleet *fleet, size_t parallel, struct error *err) __attribute__((warn_unused_result));

#endif
