/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* From fork to exec: the child becomes the program, with its limits, descriptors and place. Async-signal-safe calls only:
   the server that was forked has threads. */
#ifndef DFOTA_SERVER_PROCESS_START_H
#define DFOTA_SERVER_PROCESS_START_H

#include <sys/types.h>
#include "server/process/process.h"

/* Where a child's output goes. They may have any number, 0 to 3 included. */
struct process_fds {
    int out, /* -1: nowhere */
        err, error;
};

struct process_start { /* what a child is to become */
    char *const *argv;
    const struct process_limits *limits;
    const struct process_place *place; /* NULL: a program of ours */
    pid_t parent;
    struct process_fds fds;
};

/* In the child, all signals blocked. Becomes the program, which closes fds.error; or writes errno there, an int, and
   ends. */
_Noreturn void process_become(const struct process_start *start);

#endif
