/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The modules of one run: made from the command line or from a file of links, run side by side, summed up. */
#ifndef DFOTA_SIM_FLEET_H
#define DFOTA_SIM_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim/module.h"

#define CREW_MAX 100000u

struct fleet {
    struct module *module;
    size_t count;
};

struct fleet_source {
    const char *imei; /* of the first module; the others count up */
    size_t count;     /* of modules that ask at plan->url */
    const char *link; /* one module with this link; or */
    const char
        *links; /* one for each line of this file: URL, or imei,version,url,report_url; or NULL: neither */
    const char *version;       /* what they say they run; "": the image knows */
    const struct image *image; /* what they run; NULL: the image of their version */
};

/* ERROR_BAD_REQUEST: the words do not fit together; others: the file. On success release with fleet_free(). */
bool fleet_make(const struct plan *plan, const struct fleet_source *source, struct fleet *ret,
                struct error *err) __attribute__((warn_unused_result));
void fleet_free(struct fleet *crew);

/* Runs all to their end, at most `parallel` exchanges at a time. Fails only when no thread can be had. */
bool fleet_run(struct fleet *crew, size_t parallel, struct error *err) __attribute__((warn_unused_result));

#endif
