/* The modules of one run: made from the command line or from a file of links, run side by side, summed up. */
#ifndef DFOTA_SIM_FLEET_H
#define DFOTA_SIM_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim/module.h"

#define CREW_MAX 100000u

struct crew {
    struct module *module;
    size_t count;
};

struct crew_source {
    const char *imei; /* of the first module; the others count up */
    size_t count;     /* of modules that ask at plan->url */
    const char *link; /* one module with this link; or */
    const char
        *links; /* one for each line of this file: URL, or imei,version,url,report_url; or NULL: neither */
    const char *version;       /* what they say they run; "": the image knows */
    const struct image *image; /* what they run; NULL: the image of their version */
};

/* ERROR_BAD_REQUEST: the words do not fit together; others: the file. On success release with crew_free(). */
bool crew_make(const struct plan *plan, const struct crew_source *source, struct crew *ret, struct error *err)
    __attribute__((warn_unused_result));
void crew_free(struct crew *crew);

/* Runs all to their end, at most `parallel` exchanges at a time. Fails only when no thread can be had. */
bool crew_run(struct crew *crew, size_t parallel, struct error *err) __attribute__((warn_unused_result));

#endif
