/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* From fork to exec: the child becomes the program, with its limits, descriptors and place. Only
   async-signal-safe calls: this runs in a fork of a process with threads. */
#ifndef DFOTA_SERVER_PROCESS_START_H
#define DFOTA_SERVER_PROCESS_START_H

#include <sys/types.h>
#include "server/process/process.h"

/* Where the output of a child goes. The descriptors may have any number, also 0 to 3. */
struct process_fds {
    int out, /* -1: /dev/null */
        err, error;
};

struct process_start { /* the program that a child becomes */
    char *const *argv;
    const struct process_limits *limits;
    const struct process_place *place; /* NULL: a program of dfota */
    pid_t parent;
    struct process_fds fds;
};

/* Call in the child, with all signals blocked. The child becomes the program, and fds.error is closed. If
   that fails, errno is written to fds.error as an int and the child ends. */
_Noreturn void process_become(const struct process_start *start);

#endif
