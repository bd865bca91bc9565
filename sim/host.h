/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The host of a module: reports to the server which version runs, and gets the next link. */
#ifndef DFOTA_SIM_HOST_H
#define DFOTA_SIM_HOST_H

#include <stdbool.h>
#include "sim/fetch.h"

struct host_answer {
    int status;         /* 0: no answer; see why */
    bool broken;        /* a module cannot read the answer */
    char why[160];      /* reason in words if the call failed */
    char confirmed[64]; /* version that the server has confirmed */
    char *next_url;     /* owned by the caller; NULL: nothing more to do */
};

/* Posts {"version": `version`}. Blocks. False: no answer of status 200 that is understood; ret->why is the
   reason. */
bool host_report(const struct url *report_url, const char *version, struct host_answer *ret);

/* Posts the text that a host captures during an upgrade between these full names. Else like host_report(). */
bool host_send_transcript(const struct url *report_url, const char *before, const char *after,
                          struct host_answer *ret);

/* The full name of a release of `firmware` (NULL: not known), as ATI prints it. False: it does not fit. */
bool host_full_name(const char *firmware, const char *release, char *out, size_t out_size);

#endif
