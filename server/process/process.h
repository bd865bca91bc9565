/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One child process under limits, run to its end: how the server makes packages of bytes it does not trust.

   The child gets its own process group, a niceness of 10, a minimal environment, /dev/null as stdin and,
   unless it is heard, as stdout, a pipe as stderr and no other descriptor. It dies with the thread that runs
   it, so also when the server is killed hard. What is left of its process group when it ends is killed. */
#ifndef DFOTA_SERVER_PROCESS_PROCESS_H
#define DFOTA_SERVER_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* 0 is no limit. */
struct process_limits {
    uint64_t cpu_s;
    uint64_t memory_bytes; /* of address space; programs built with a sanitizer need 0 */
    uint64_t wall_ms;
    uint64_t out_max; /* bytes: the largest file it may write */
};

enum process_end {
    CHILD_EXITED,    /* by itself: exit_status */
    CHILD_SIGNALLED, /* by a signal that was not ours: a crash, SIGXCPU and SIGXFSZ over a limit, the kernel
                        out of memory */
    CHILD_TIMED_OUT, /* killed after wall_ms */
    CHILD_CANCELLED, /* killed because of cancel_fd */
};

#define CHILD_TEXT_SIZE 401

struct process_outcome {
    enum process_end end;
    int exit_status;                   /* when CHILD_EXITED, else -1 */
    int signal;                        /* when CHILD_SIGNALLED, else 0 */
    uint64_t cpu_ms;                   /* user and system, of the child and what it waited for */
    char stderr_text[CHILD_TEXT_SIZE]; /* its first 400 bytes as one clean UTF-8 line; "" when it said nothing
                                        */
};

/* Runs argv (argv[0] is a path; NULL ends it) and waits. cancel_fd: once it is readable the child is killed;
   it is not read, so one can serve many children; -1 for none. False, with nothing started, when the program
   cannot be run (ERROR_NOT_FOUND when it is not there) or the machine is out of processes or descriptors.

   Any number of threads at once. SIGCHLD must not be ignored in the process. */
bool process_run(char *const argv[], const struct process_limits *limits, int cancel_fd,
                 struct process_outcome *ret, struct error *err) __attribute__((warn_unused_result));

/* What a child writes to its standard output: the first size - 1 bytes as they are, and a NUL. What is more
   is read and thrown away, so that nobody waits. `text` and `size` are the caller's, size at least 1. */
struct process_capture {
    char *text;
    size_t size;
    size_t len; /* set where it was run */
};

/* Where a foreign program runs: all of it may be NULL or empty. */
struct process_place {
    const char *directory;       /* to begin in */
    char *const *environment;    /* all of it, NULL at its end; NULL: that of process_run() */
    const char *const *writable; /* the only folders to write to, NULL at its end, where the kernel has
                                    Landlock; NULL: wherever the server may */
};

/* The same for a program that is not ours: in a place, with what it prints on both of its outputs in one log
   (log->len is not set), the beginning and the end of it where it is too long, as UTF-8 in lines. None of the processes that it
   started is left when this returns, not even one that left its process group. */
bool process_run_foreign(char *const argv[], const struct process_limits *limits, int cancel_fd,
                         const struct process_place *place, struct process_capture *log,
                         struct process_outcome *ret, struct error *err) __attribute__((warn_unused_result));

/* The same as process_run(), and hears its standard output too. NULL: not. */
bool process_run_heard(char *const argv[], const struct process_limits *limits, int cancel_fd,
                       struct process_capture *capture, struct process_outcome *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The end in words for an admin, with what stderr said: "exit status 1: …", "took longer than 900000 ms", …
 */
void process_describe(const struct process_outcome *outcome, const struct process_limits *limits, char *out,
                      size_t out_size);

#endif
