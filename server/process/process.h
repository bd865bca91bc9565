/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Runs one child process under limits until it ends. The server makes packages from untrusted bytes this way.

   The child gets its own process group, a niceness of 10, a minimal environment, a pipe as stderr,
   /dev/null as stdin and, unless it is read, as stdout, and no other descriptor. It is killed when the
   thread that runs it ends, so also when the server is killed with SIGKILL. When the child ends, the rest
   of its process group is killed. Where the kernel has seccomp, the child can make only the system calls that dfota
   needs: no sockets, no tracing (filter.h). */
#ifndef DFOTA_SERVER_PROCESS_PROCESS_H
#define DFOTA_SERVER_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* 0: no limit. */
struct process_limits {
    uint64_t cpu_s;
    uint64_t memory_bytes; /* of address space; programs built with a sanitizer need 0 */
    uint64_t wall_ms;
    uint64_t out_max; /* bytes: the largest file it may write */
};

enum process_end {
    CHILD_EXITED, /* it ended by itself: see exit_status */
    /* by a signal that was not sent here: a crash, SIGXCPU or SIGXFSZ at a limit, or the kernel is out of
       memory */
    CHILD_SIGNALLED,
    CHILD_TIMED_OUT, /* killed after wall_ms */
    CHILD_CANCELLED, /* killed because of cancel_fd */
};

#define CHILD_TEXT_SIZE 401

struct process_outcome {
    enum process_end end;
    int exit_status; /* when CHILD_EXITED, else -1 */
    int signal;      /* when CHILD_SIGNALLED, else 0 */
    /* user and system time of the child and of the children that it waited for */
    uint64_t cpu_ms;
    char stderr_text[CHILD_TEXT_SIZE]; /* its first 400 bytes as one clean UTF-8 line; "": nothing */
};

/* Where the kernel has Landlock, each later child of process_run() with this program can read only the folder of the program,
   the libraries of the system, and blobs/, incoming/ and suffix/ of the data directory, and can write only to the last two.
   Call once, before the first child. ERROR_INVALID: a path is too long. */
bool process_confine(const char *program, const char *data_dir, struct error *err)
    __attribute__((warn_unused_result));

/* Runs argv and waits for its end. argv[0] is a path; NULL ends argv. When cancel_fd becomes readable the
   child is killed; the descriptor is not read, so one can serve many children; -1: none. False, with nothing
   started: the program cannot be run (ERROR_NOT_FOUND: it does not exist), or the machine has no more
   processes or descriptors.

   Any number of threads at once. The process must not ignore SIGCHLD. */
bool process_run(char *const argv[], const struct process_limits *limits, int cancel_fd,
                 struct process_outcome *ret, struct error *err) __attribute__((warn_unused_result));

/* What a child writes to its standard output: the first size - 1 bytes unchanged, then a NUL. Further
   bytes are read and dropped, so that the child does not block. `text` and `size` (at least 1) come from
   the caller. */
struct process_capture {
    char *text;
    size_t size;
    size_t len; /* set if the child was run */
};

/* Where a foreign program (one that is not part of dfota) runs. Each member may be NULL. */
struct process_place {
    const char *directory;    /* the working directory */
    char *const *environment; /* the whole environment, NULL ends it; NULL: that of process_run() */
    /* the only folders where it may write, if the kernel has Landlock; NULL ends them. NULL: wherever the
       server may write */
    const char *const *writable;
    bool network; /* may use sockets other than AF_UNIX (filter.h) */
};

/* Like process_run(), for a foreign program in a place. Both of its outputs go into one log, as lines of
   UTF-8; of a long output the beginning and the end are kept. When this returns, every process that the
   program started is gone, also one that left its process group. */
bool process_run_foreign(char *const argv[], const struct process_limits *limits, int cancel_fd,
                         const struct process_place *place, struct process_capture *log,
                         struct process_outcome *ret, struct error *err) __attribute__((warn_unused_result));

/* Like process_run(), and also reads the standard output. `capture` NULL: not. */
bool process_run_heard(char *const argv[], const struct process_limits *limits, int cancel_fd,
                       struct process_capture *capture, struct process_outcome *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Describes the end for an admin, with the text of stderr: "exit status 1: …", "took longer than 900000
   ms", … */
void process_describe(const struct process_outcome *outcome, const struct process_limits *limits, char *out,
                      size_t out_size);

#endif
