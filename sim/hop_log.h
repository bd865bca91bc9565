/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What modules did with the package of each hop. Any thread. */
#ifndef DFOTA_SIM_HOP_LOG_H
#define DFOTA_SIM_HOP_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "sim/release.h"

#define HOPS_MAX 256

struct hop_log {
    pthread_mutex_t lock;
    unsigned count;
    struct hop {
        char from[RELEASE_SIZE], to[RELEASE_SIZE];
        char first[72]; /* the module that had the whole package first */
        uint64_t downloads, applied, refused;
        char out_of_service[160]; /* why, as the server says; "": in service */
    } hop[HOPS_MAX];
};

void hop_log_init(struct hop_log *log);
/* A module has the whole package. Nothing for more than HOPS_MAX hops. */
void hop_log_add(struct hop_log *log, const char *from, const char *to, const char *module, bool applied);

#endif
