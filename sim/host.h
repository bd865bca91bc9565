/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The controller beside a module: tells the server which version really runs, and gets the next link for it.
 */
#ifndef DFOTA_SIM_HOST_H
#define DFOTA_SIM_HOST_H

#include <stdbool.h>
#include "sim/fetch.h"

struct host_answer {
    int status;         /* 0: there was no answer; see why */
    bool broken;        /* a module could not have read it */
    char why[160];      /* when status is not 200, or the answer makes no sense */
    char confirmed[64]; /* as the server says */
    char *next_url;     /* caller frees; NULL: nothing to do */
};

/* Posts {"version": `version`}. False when there is no sound answer of status 200; ret->why says what there
 * was. */
bool host_report(const struct url *report_url, const char *version, struct host_answer *ret);

/* Posts what a host captured of an upgrade from one full name to the other. As host_report(). */
bool host_send_transcript(const struct url *report_url, const char *before, const char *after,
                          struct host_answer *ret);

/* The module's name for `release` of `firmware` (NULL: not known): what ATI prints. False when it does not
 * fit. */
bool host_full_name(const char *firmware, const char *release, char *out, size_t out_size);

#endif
