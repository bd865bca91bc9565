/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/hop_log.h"

#include <stdio.h>
#include <string.h>

void hop_log_init(struct hop_log *log)
{
    memset(log, 0, sizeof *log);
    pthread_mutex_init(&log->lock, NULL);
}

void hop_log_add(struct hop_log *log, const char *from, const char *to, const char *module, bool applied)
{
    unsigned at = 0;
    pthread_mutex_lock(&log->lock);
    while (at < log->count && (strcmp(log->hop[at].from, from) != 0 || strcmp(log->hop[at].to, to) != 0))
        at++;
    if (at < HOPS_MAX) {
        struct hop *hop = &log->hop[at];
        if (at == log->count) {
            log->count++;
            snprintf(hop->from, sizeof hop->from, "%s", from);
            snprintf(hop->to, sizeof hop->to, "%s", to);
            snprintf(hop->first, sizeof hop->first, "%s", module);
        }
        hop->downloads++;
        hop->applied += applied;
        hop->refused += !applied;
    }
    pthread_mutex_unlock(&log->lock);
}
