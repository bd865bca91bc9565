/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "server/process/filter.h"
#include "server/process/output.h"
#include "server/process/start.h"

#define REAPER_END_MS  5000
#define REAPER_STEP_MS 50
#define REST_BYTES     (1 << 20) /* read at most this after the end of the child: no pipe holds more */

struct pipe_ends {
    int from, to;
};

static void pipe_close(struct pipe_ends *pipe)
{
    cleanup_close(&pipe->from);
    cleanup_close(&pipe->to);
}

static bool pipe_open(struct pipe_ends *ret, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(err, errno, "cannot make a pipe for a child process");
    *ret = (struct pipe_ends){ends[0], ends[1]};
    return true;
}

static void pipe_close_writer(struct pipe_ends *pipe)
{
    cleanup_close(&pipe->to);
    pipe->to = -1;
}

/* Forks with all signals blocked: a signal handler of the server must not run in the child. */
static pid_t fork_blocked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        return 0;
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

static void wait_for(pid_t pid, int *ret_status, struct rusage *ret_usage)
{
    *ret_status = 0;
    memset(ret_usage, 0, sizeof *ret_usage);
    while (wait4(pid, ret_status, 0, ret_usage) < 0 && errno == EINTR)
        ;
}

enum { SAYS_ERR, SAYS_OUT, SAYS }; /* the outputs of a child */

struct running {
    pid_t pid;
    bool kept;         /* `pid` is a reaper */
    int said_fd[SAYS]; /* -1: not read */
    struct process_output heard[SAYS];
    int fails_fd;    /* closed by a successful exec; otherwise the child writes errno here */
    int exec_failed; /* errno of exec; 0: the program runs, or was killed before */
};

/* Reads whether exec worked. A child can be stopped before exec, so the caller must not wait for this
   alone. */
static void hear_start(struct running *child)
{
    int number;
    if (read(child->fails_fd, &number, sizeof number) == (ssize_t)sizeof number)
        child->exec_failed = number;
}

static int remaining_ms(int64_t deadline_ms)
{
    if (deadline_ms == INT64_MAX)
        return -1;
    int64_t left = deadline_ms - clock_boot_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Waits until the child has ended (it is not reaped here), its time is over, or it is cancelled. */
static enum process_end watch(struct running *child, int pid_fd, int cancel_fd, int64_t deadline_ms)
{
    struct pollfd fds[3 + SAYS] = {{pid_fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}, {child->fails_fd, POLLIN, 0}};
    for (int i = 0; i < SAYS; i++)
        fds[3 + i] = (struct pollfd){child->said_fd[i], POLLIN, 0};
    for (;;) {
        int timeout_ms = remaining_ms(deadline_ms);
        int ready = poll(fds, 3 + SAYS, timeout_ms);
        if (ready < 0)
            continue; /* EINTR: no other error is possible */
        if (fds[2].revents) {
            hear_start(child);
            fds[2].fd = -1;
        }
        if (fds[0].revents)
            return CHILD_EXITED;
        if (fds[1].revents)
            return CHILD_CANCELLED;
        if (remaining_ms(deadline_ms) == 0)
            return CHILD_TIMED_OUT;
        for (int i = 0; i < SAYS; i++)
            if (fds[3 + i].revents && !process_output_take(child->said_fd[i], &child->heard[i]))
                fds[3 + i].fd = -1;
    }
}

static void conclude(enum process_end end, int status, const struct rusage *usage,
                     struct process_outcome *outcome)
{
    if (end == CHILD_EXITED && WIFSIGNALED(status))
        end = CHILD_SIGNALLED;
    outcome->end = end;
    outcome->exit_status = end == CHILD_EXITED ? WEXITSTATUS(status) : -1;
    outcome->signal = end == CHILD_SIGNALLED ? WTERMSIG(status) : 0;
    outcome->cpu_ms = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
                      (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/* Asks the reaper to kill its descendants and end. SIGCONT makes it go on if it was stopped. If it does
   not end in time, the caller kills it with its process group. */
static void ask_reaper_to_end(pid_t pid, int pid_fd)
{
    struct pollfd ended = {pid_fd, POLLIN, 0};
    kill(pid, SIGTERM);
    for (int waited_ms = 0; waited_ms < REAPER_END_MS; waited_ms += REAPER_STEP_MS) {
        kill(pid, SIGCONT);
        if (poll(&ended, 1, REAPER_STEP_MS) > 0)
            return;
    }
}

/* Limited, because another process may still write to the pipe. */
static void hear_rest(int fd, struct process_output *heard)
{
    uint64_t most = heard->used + heard->lost + REST_BYTES;
    while (fd >= 0 && (heard->to_end || heard->used < heard->size) && heard->used + heard->lost < most &&
           process_output_take(fd, heard))
        ;
}

/* Watches a child until it has ended, is killed if necessary, and is reaped. False: it could not be
   watched. */
static bool see_through(struct running *child, int cancel_fd, int64_t deadline_ms,
                        struct process_outcome *outcome)
{
    _cleanup_(cleanup_close) int pid_fd = pidfd_open(child->pid, 0);
    int number = errno, status;
    enum process_end end = CHILD_CANCELLED;
    struct rusage usage;
    if (pid_fd >= 0)
        end = watch(child, pid_fd, cancel_fd, deadline_ms);
    if (child->kept && end != CHILD_EXITED)
        ask_reaper_to_end(child->pid, pid_fd);

    /* The child is not reaped yet, so no other process can have its process id or group id. The group may
       not exist yet. */
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    wait_for(child->pid, &status, &usage);
    hear_start(child);
    for (int i = 0; i < SAYS; i++)
        hear_rest(child->said_fd[i], &child->heard[i]);
    conclude(end, status, &usage, outcome);
    errno = number;
    return pid_fd >= 0;
}

static int64_t deadline_of(const struct process_limits *limits)
{
    bool limited = limits->wall_ms > 0 && limits->wall_ms < INT64_MAX / 2;
    return limited ? clock_boot_ms() + (int64_t)limits->wall_ms : INT64_MAX;
}

static bool cannot_run(const char *path, int number, struct error *err)
{
    error_errno(err, number, "cannot run %s", path);
    if (number == ENOENT)
        err->code = ERROR_NOT_FOUND;
    return false;
}

/* `heard` has a buffer for each output. An output without a buffer is not read; an error output without a
   buffer goes to the buffer of the standard output. */
static bool run(struct process_start *start, int cancel_fd, struct process_output heard[SAYS],
                struct process_outcome *outcome, struct error *err)
{
    _cleanup_(pipe_close) struct pipe_ends says = {-1, -1};
    _cleanup_(pipe_close) struct pipe_ends tells = {-1, -1};
    _cleanup_(pipe_close) struct pipe_ends fails = {-1, -1};
    bool one = heard[SAYS_ERR].size == 0;
    if ((!one && !pipe_open(&says, err)) || !pipe_open(&fails, err) ||
        (heard[SAYS_OUT].size > 0 && !pipe_open(&tells, err)))
        return false;
    fcntl(says.from, F_SETFL, O_NONBLOCK);
    fcntl(tells.from, F_SETFL, O_NONBLOCK);
    fcntl(fails.from, F_SETFL, O_NONBLOCK);
    int64_t deadline_ms = deadline_of(start->limits);
    start->fds = (struct process_fds){tells.to, one ? tells.to : says.to, fails.to};
    start->parent = getpid();
    filter_prepare();
    pid_t pid = fork_blocked();
    if (pid == 0)
        process_become(start);
    if (pid < 0)
        return error_errno(err, errno, "cannot start a process for %s", start->argv[0]);
    pipe_close_writer(&says);
    pipe_close_writer(&tells);
    pipe_close_writer(&fails);
    struct running child = {.pid = pid,
                            .kept = start->place != NULL,
                            .said_fd = {[SAYS_ERR] = says.from, [SAYS_OUT] = tells.from},
                            .heard = {heard[0], heard[1]},
                            .fails_fd = fails.from};
    bool ok = see_through(&child, cancel_fd, deadline_ms, outcome) ||
              error_errno(err, errno, "cannot watch the process of %s", start->argv[0]);
    if (ok && child.exec_failed)
        return cannot_run(start->argv[0], child.exec_failed, err);
    memcpy(heard, child.heard, sizeof child.heard);
    return ok;
}

bool process_run_heard(char *const argv[], const struct process_limits *limits, int cancel_fd,
                       struct process_capture *capture, struct process_outcome *ret, struct error *err)
{
    struct process_outcome outcome = {0};
    struct process_start start = {.argv = argv, .limits = limits};
    struct process_output heard[SAYS] = {
        [SAYS_ERR] = {.text = outcome.stderr_text, .size = sizeof outcome.stderr_text - 1}};
    if (capture)
        heard[SAYS_OUT] = (struct process_output){.text = capture->text, .size = capture->size - 1};
    if (!run(&start, cancel_fd, heard, &outcome, err))
        return false;
    process_output_clean(outcome.stderr_text, heard[SAYS_ERR].used);
    if (capture) {
        capture->text[heard[SAYS_OUT].used] = '\0';
        capture->len = heard[SAYS_OUT].used;
    }
    *ret = outcome;
    return true;
}

bool process_run(char *const argv[], const struct process_limits *limits, int cancel_fd,
                 struct process_outcome *ret, struct error *err)
{
    return process_run_heard(argv, limits, cancel_fd, NULL, ret, err);
}

bool process_run_foreign(char *const argv[], const struct process_limits *limits, int cancel_fd,
                         const struct process_place *place, struct process_capture *log,
                         struct process_outcome *ret, struct error *err)
{
    struct process_outcome outcome = {0};
    struct process_start start = {.argv = argv, .limits = limits, .place = place};
    _cleanup_(cleanup_free) char *text = malloc(log->size);
    if (!text)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    /* 80 bytes stay free for the line between the two halves. */
    struct process_output heard[SAYS] = {[SAYS_OUT] = {.text = text, .size = log->size - 80, .to_end = true}};
    log->text[0] = '\0';
    if (!run(&start, cancel_fd, heard, &outcome, err))
        return false;
    process_output_write(&heard[SAYS_OUT], log->text, log->size);
    *ret = outcome;
    return true;
}

static void describe_signal(int signal, const struct process_limits *limits, char *out, size_t out_size)
{
    if (signal == SIGXCPU && limits->cpu_s)
        snprintf(out, out_size, "used more than %llu s of CPU time", (unsigned long long)limits->cpu_s);
    else if (signal == SIGXFSZ && limits->out_max)
        snprintf(out, out_size, "wrote a file of more than %llu bytes", (unsigned long long)limits->out_max);
    else
        snprintf(out, out_size, "killed by SIG%s", sigabbrev_np(signal) ? sigabbrev_np(signal) : "?");
}

void process_describe(const struct process_outcome *outcome, const struct process_limits *limits, char *out,
                      size_t out_size)
{
    char what[96] = "cancelled";
    if (outcome->end == CHILD_EXITED)
        snprintf(what, sizeof what, "exit status %d", outcome->exit_status);
    else if (outcome->end == CHILD_SIGNALLED)
        describe_signal(outcome->signal, limits, what, sizeof what);
    else if (outcome->end == CHILD_TIMED_OUT)
        snprintf(what, sizeof what, "took longer than %llu ms", (unsigned long long)limits->wall_ms);
    snprintf(out, out_size, "%s%s%s", what, outcome->stderr_text[0] ? ": " : "", outcome->stderr_text);
}
