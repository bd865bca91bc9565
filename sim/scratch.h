/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A dfotad with a data directory of its own, which is removed at the end. It listens on the loopback only, on free
   ports. */
#ifndef DFOTA_SIM_SCRATCH_H
#define DFOTA_SIM_SCRATCH_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/error.h"

struct scratch {
    pid_t pid;           /* 0: not started */
    char dir[64];        /* "": none */
    char admin[64];      /* HOST:PORT */
    char device_url[96]; /* http://HOST:PORT */
    char token[128];     /* of the admin */
};

/* `program` NULL: the dfotad beside this program, else that in PATH. `options`: words for its command line, ended with
   NULL. ERROR_UNAVAILABLE: it cannot be started; the last line of its log is the reason. */
bool scratch_start(const char *program, const char *const *options, struct scratch *ret, struct error *err)
    __attribute__((warn_unused_result));
/* SIGINT or SIGTERM has come since the start. The caller then ends, and removes the directory. Any thread. */
bool scratch_is_interrupted(void);
/* Ends the server, and removes its directory. For _cleanup_; also for a struct of zeros. */
void scratch_stop(struct scratch *scratch);

#endif
