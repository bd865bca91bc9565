/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Limits with seccomp (Linux) which system calls a child process and its descendants may make. */
#ifndef DFOTA_SERVER_PROCESS_FILTER_H
#define DFOTA_SERVER_PROCESS_FILTER_H

#include <stdbool.h>

enum syscall_filter {
    /* For dfota: files, memory, time, processes of its own. No socket of any kind, and nothing else that is not in the
       list: such a call fails with ENOSYS. */
    FILTER_OWN,
    /* For a foreign program: everything but what observes or changes other processes, the kernel or the machine (ptrace, mount,
       modules, bpf, keys, namespaces, io_uring, clocks, …): EPERM. Of sockets only AF_UNIX: EAFNOSUPPORT. */
    FILTER_FOREIGN,
    FILTER_FOREIGN_NETWORK, /* the same, with all sockets */
    FILTERS
};

/* True: dfotad was built with libseccomp and without a sanitizer, and the kernel has seccomp. Any thread. */
bool filter_is_there(void);

/* Makes the filters, once. Call before fork: filter_enter() allocates nothing. Any thread. */
void filter_prepare(void);

/* Call between fork and exec, as the last step. Async-signal-safe. Where filter_is_there() is false nothing happens. False, with
   errno: the filter could not be made or used. */
bool filter_enter(enum syscall_filter filter);

#endif
