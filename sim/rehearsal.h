/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Rehearses a campaign: a scratch server with the real images, and simulated modules. Time runs in rounds: in one round
   each module asks once, as it does once in an interval of real time. Between two rounds the server has
   interval / speed; settle times are divided by the speed. */
#ifndef DFOTA_SIM_REHEARSAL_H
#define DFOTA_SIM_REHEARSAL_H

#include <jansson.h>
#include "sim/api.h"
#include "sim/fleet.h"
#include "sim/option.h"
#include "sim/scratch.h"

struct rehearsal {
    const struct sim_options *options;
    struct plan plan;
    struct hop_log hops;
    struct fleet fleet;
    struct scratch scratch;
    struct api *api;
    char firmware[3 * 64 + 64]; /* path of the firmware in the API */
    int64_t speed, interval_ms;
    unsigned rounds;
    uint64_t asks;
    size_t faults;    /* modules that broke, or did not reach the server */
    char fault[240];  /* the first of them, and why */
    json_t *forecast; /* of the server, before the start */
    json_t *campaign; /* as the server showed it last */
    json_t *events;   /* array of texts: what happened in which round */
};

/* Runs it to its end, and prints the report. *ret_agree: the server has the outcome of each module as the module knows
   it. ERROR_BAD_REQUEST: the command line is wrong; ERROR_INVALID: the server refused something. */
bool rehearsal_run(const struct sim_options *options, bool *ret_agree, struct error *err)
    __attribute__((warn_unused_result));

#endif
