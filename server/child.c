#include "server/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/slice.h"
#include "server/keeper.h"
#include "server/sandbox.h"

#define NICENESS      10
#define KEEPER_END_MS 5000

static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};

/* ---- In the child, between fork and exec: async-signal-safe calls only ---- */

enum child_fd { FD_STDERR = 2, FD_ERROR = 3, FD_CLOSE_FROM = 4, FD_ASIDE = 10 };

/* Lower than now, where the process is limited already. */
static bool set_limit(__rlimit_resource_t resource, uint64_t soft, uint64_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max < hard)
        hard = now.rlim_max;
    return setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard}) == 0;
}

static bool set_limits(const struct child_limits *limits)
{
    /* SIGXCPU at the limit, and should it be caught, SIGKILL two seconds later. */
    if (limits->cpu_s && !set_limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 2))
        return false;
    if (limits->memory_bytes && !set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes))
        return false;
    if (limits->out_max && !set_limit(RLIMIT_FSIZE, limits->out_max, limits->out_max))
        return false;
    return set_limit(RLIMIT_CORE, 0, 0);
}

/* The server's handlers write to descriptors that the child shares with it, and what the server ignores would
   stay ignored: all back to the default before anything is let through. */
static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where a child's output goes. They may stand anywhere, 0 to 3 included. */
struct child_fds {
    int out, /* -1: nowhere */
        err, error;
};

static bool set_descriptors(const struct child_fds *fds, int *error_fd)
{
    int error_aside = fcntl(fds->error, F_DUPFD_CLOEXEC, FD_ASIDE);
    if (error_aside < 0)
        return false;
    *error_fd = error_aside;
    int stderr_aside = fcntl(fds->err, F_DUPFD_CLOEXEC, FD_ASIDE);
    int stdout_aside = fds->out < 0 ? -1 : fcntl(fds->out, F_DUPFD_CLOEXEC, FD_ASIDE);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int null_aside = null_fd < 0 ? -1 : fcntl(null_fd, F_DUPFD_CLOEXEC, FD_ASIDE);
    if (stderr_aside < 0 || null_aside < 0 || (fds->out >= 0 && stdout_aside < 0) ||
        dup2(null_aside, STDIN_FILENO) < 0 ||
        dup2(stdout_aside < 0 ? null_aside : stdout_aside, STDOUT_FILENO) < 0 ||
        dup2(stderr_aside, FD_STDERR) < 0 || dup3(error_aside, FD_ERROR, O_CLOEXEC) < 0)
        return false;
    *error_fd = FD_ERROR;
    closefrom(FD_CLOSE_FROM);
    return true;
}

struct start { /* what a child is to become */
    char *const *argv;
    const struct child_limits *limits;
    const struct child_place *place; /* NULL: a program of ours */
    pid_t parent;
    struct child_fds fds;
};

/* A process of its own group that ends with the server. A foreign program gets one more above it, which keeps
   what it starts together. */
static bool stand_alone(pid_t parent, bool foreign, int error_fd)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, foreign ? SIGTERM : SIGKILL) != 0)
        return false;
    if (getppid() != parent) /* it died before the line above took effect */
        _exit(EXIT_FAILURE);
    return !foreign || keeper_begin(error_fd);
}

static bool take_place(const struct child_place *place)
{
    if (!place)
        return true;
    return (!place->directory || chdir(place->directory) == 0) &&
           (!place->writable || sandbox_enter(place->writable));
}

/* Becomes the program, or tells the parent errno and ends. */
static _Noreturn void become(const struct start *start)
{
    const struct child_place *place = start->place;
    int error_fd = start->fds.error;
    if (set_descriptors(&start->fds, &error_fd) && stand_alone(start->parent, place, error_fd) &&
        set_limits(start->limits) && take_place(place)) {
        errno = 0;
        if (nice(NICENESS) == -1 && errno != 0)
            setpriority(PRIO_PROCESS, 0, NICENESS);
        reset_signals();
        execve(start->argv[0], start->argv, place && place->environment ? place->environment : environment);
    }
    int number = errno;
    ssize_t written = write(error_fd, &number, sizeof number);
    (void)written;
    _exit(EXIT_FAILURE);
}

/* ---- In the server ---- */

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
        return error_errno(err, errno, "no pipe to a child");
    *ret = (struct pipe_ends){ends[0], ends[1]};
    return true;
}

static void pipe_close_writer(struct pipe_ends *pipe)
{
    cleanup_close(&pipe->to);
    pipe->to = -1;
}

/* With all signals blocked: a handler of the server must not run in the child. */
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

/* Waits until the program runs. False when it does not: the child is gone then. */
static bool await_exec(pid_t pid, int error_fd, const char *path, struct error *err)
{
    int number = 0;
    ssize_t got;
    do
        got = read(error_fd, &number, sizeof number);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return true; /* closed by exec, or the child was killed before it: its status tells */
    int status;
    struct rusage usage;
    wait_for(pid, &status, &usage);
    error_errno(err, number, "cannot run %s", path);
    if (number == ENOENT)
        err->code = ERROR_NOT_FOUND;
    return false;
}

enum { SAYS_ERR, SAYS_OUT, SAYS }; /* what a child can say, and where it is heard */

struct listening {
    char *text;
    size_t size, used;
    bool to_end;   /* keep the end too: the second half of `text` slides */
    uint64_t lost; /* bytes between the two */
};

/* Of what does not fit, all but the last bytes that were heard makes room. */
static size_t make_room(struct listening *heard, size_t wanted)
{
    size_t half = heard->size / 2, room = heard->size - heard->used;
    if (!heard->to_end || wanted <= room)
        return wanted < room ? wanted : room;
    size_t drop =
        wanted - room; /* no more than stands in the second half: take_output() reads less at once */
    memmove(heard->text + half, heard->text + half + drop, heard->used - half - drop);
    heard->used -= drop;
    heard->lost += drop;
    return wanted;
}

/* Takes what has come, keeps what is asked for. False when there was nothing. */
static bool take_output(int fd, struct listening *heard)
{
    char bytes[4096];
    size_t most = heard->to_end && heard->size / 2 < sizeof bytes ? heard->size / 2 : sizeof bytes;
    ssize_t got = read(fd, bytes, most);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    size_t take = make_room(heard, (size_t)got);
    memcpy(heard->text + heard->used, bytes, take);
    heard->used += take;
    return true;
}

static int remaining_ms(int64_t deadline_ms)
{
    if (deadline_ms == INT64_MAX)
        return -1;
    int64_t left = deadline_ms - clock_boot_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Until the child has ended (it is not reaped), its time is over, or it is cancelled. */
static enum child_end watch(int pid_fd, const int said_fd[SAYS], int cancel_fd, int64_t deadline_ms,
                            struct listening heard[SAYS])
{
    struct pollfd fds[2 + SAYS] = {{pid_fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    for (int i = 0; i < SAYS; i++)
        fds[2 + i] = (struct pollfd){said_fd[i], POLLIN, 0};
    for (;;) {
        int timeout_ms = remaining_ms(deadline_ms);
        int ready = poll(fds, 2 + SAYS, timeout_ms);
        if (ready < 0)
            continue; /* EINTR; nothing else can be */
        if (fds[0].revents)
            return CHILD_EXITED;
        if (fds[1].revents)
            return CHILD_CANCELLED;
        if (ready == 0 && remaining_ms(deadline_ms) == 0)
            return CHILD_TIMED_OUT;
        for (int i = 0; i < SAYS; i++)
            if (fds[2 + i].revents && !take_output(said_fd[i], &heard[i]))
                fds[2 + i].fd = -1;
    }
}

/* One line that may be shown and stored: blanks for control characters, question marks for what is no UTF-8.
 */
static void clean_text(char *text, size_t used)
{
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
    for (size_t cut = 0; cut <= 3 && cut <= used; cut++)
        if (slice_is_clean_utf8((struct slice){text, used - cut})) {
            used -= cut; /* it was cut inside a character */
            break;
        }
    while (used > 0 && text[used - 1] == ' ')
        used--;
    if (!slice_is_clean_utf8((struct slice){text, used}))
        for (size_t i = 0; i < used; i++)
            if (text[i] & 0x80)
                text[i] = '?';
    text[used] = '\0';
}

static void conclude(enum child_end end, int status, const struct rusage *usage,
                     struct child_outcome *outcome)
{
    if (end == CHILD_EXITED && WIFSIGNALED(status))
        end = CHILD_SIGNALLED;
    outcome->end = end;
    outcome->exit_status = end == CHILD_EXITED ? WEXITSTATUS(status) : -1;
    outcome->signal = end == CHILD_SIGNALLED ? WTERMSIG(status) : 0;
    outcome->cpu_ms = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000 +
                      (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000;
}

/* A keeper ends what it keeps, and then itself. One that cannot is ended with its group by the caller. */
static void ask_keeper_to_end(pid_t pid, int pid_fd)
{
    struct pollfd ended = {pid_fd, POLLIN, 0};
    kill(pid, SIGTERM);
    while (poll(&ended, 1, KEEPER_END_MS) < 0)
        ; /* EINTR */
}

struct running {
    pid_t pid;
    bool kept;         /* `pid` is a keeper */
    int said_fd[SAYS]; /* -1: not heard */
    struct listening heard[SAYS];
};

/* Watches a child that runs until it is gone, whatever it takes. False: it could not be watched. */
static bool see_through(struct running *child, int cancel_fd, int64_t deadline_ms,
                        struct child_outcome *outcome)
{
    _cleanup_(cleanup_close) int pid_fd = pidfd_open(child->pid, 0);
    int number = errno, status;
    enum child_end end = CHILD_CANCELLED;
    struct rusage usage;
    if (pid_fd >= 0)
        end = watch(pid_fd, child->said_fd, cancel_fd, deadline_ms, child->heard);
    if (child->kept && end != CHILD_EXITED)
        ask_keeper_to_end(child->pid, pid_fd);

    /* The child itself is not reaped yet, so its number and its group's are nobody else's. */
    kill(-child->pid, SIGKILL);
    wait_for(child->pid, &status, &usage);
    for (int i = 0; i < SAYS; i++) {
        struct listening *heard = &child->heard[i];
        while (child->said_fd[i] >= 0 && (heard->to_end || heard->used < heard->size) &&
               take_output(child->said_fd[i], heard))
            ;
    }
    conclude(end, status, &usage, outcome);
    errno = number;
    return pid_fd >= 0;
}

static int64_t deadline_of(const struct child_limits *limits)
{
    bool limited = limits->wall_ms > 0 && limits->wall_ms < INT64_MAX / 2;
    return limited ? clock_boot_ms() + (int64_t)limits->wall_ms : INT64_MAX;
}

/* `heard` says where each output goes; one without room is not heard, and an error output without room goes
   where the other does. */
static bool run(struct start *start, int cancel_fd, struct listening heard[SAYS],
                struct child_outcome *outcome, struct error *err)
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
    int64_t deadline_ms = deadline_of(start->limits);
    start->fds = (struct child_fds){tells.to, one ? tells.to : says.to, fails.to};
    start->parent = getpid();
    pid_t pid = fork_blocked();
    if (pid == 0)
        become(start);
    if (pid < 0)
        return error_errno(err, errno, "no process for %s", start->argv[0]);
    pipe_close_writer(&says);
    pipe_close_writer(&tells);
    pipe_close_writer(&fails);
    if (!await_exec(pid, fails.from, start->argv[0], err))
        return false;
    struct running child = {
        pid, start->place, {[SAYS_ERR] = says.from, [SAYS_OUT] = tells.from}, {heard[0], heard[1]}};
    bool ok = see_through(&child, cancel_fd, deadline_ms, outcome) ||
              error_errno(err, errno, "cannot watch %s", start->argv[0]);
    memcpy(heard, child.heard, sizeof child.heard);
    return ok;
}

bool child_run_heard(char *const argv[], const struct child_limits *limits, int cancel_fd,
                     struct child_capture *capture, struct child_outcome *ret, struct error *err)
{
    struct child_outcome outcome = {0};
    struct start start = {.argv = argv, .limits = limits};
    struct listening heard[SAYS] = {
        [SAYS_ERR] = {.text = outcome.stderr_text, .size = sizeof outcome.stderr_text - 1}};
    if (capture)
        heard[SAYS_OUT] = (struct listening){.text = capture->text, .size = capture->size - 1};
    if (!run(&start, cancel_fd, heard, &outcome, err))
        return false;
    clean_text(outcome.stderr_text, heard[SAYS_ERR].used);
    if (capture) {
        capture->text[heard[SAYS_OUT].used] = '\0';
        capture->len = heard[SAYS_OUT].used;
    }
    *ret = outcome;
    return true;
}

bool child_run(char *const argv[], const struct child_limits *limits, int cancel_fd,
               struct child_outcome *ret, struct error *err)
{
    return child_run_heard(argv, limits, cancel_fd, NULL, ret, err);
}

/* Adds text as lines of UTF-8. False: no room. */
static size_t add_clean(char *log, size_t at, size_t log_size, const char *text, size_t len)
{
    for (size_t i = 0; i < len && at + 4 < log_size;) {
        unsigned char first = (unsigned char)text[i];
        size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
        if (size > len - i || !slice_is_clean_utf8((struct slice){text + i, size})) {
            log[at++] = first == '\n' ? '\n' : first < 0x80 ? ' ' : '?';
            i++;
            continue;
        }
        memcpy(log + at, text + i, size);
        at += size;
        i += size;
    }
    return at;
}

static void write_log(const struct listening *heard, char *log, size_t log_size)
{
    char gap[64];
    size_t half = heard->size / 2, head = heard->lost ? half : heard->used, at = 0;
    at = add_clean(log, at, log_size, heard->text, head);
    if (heard->lost) {
        snprintf(gap, sizeof gap, "\n(%llu bytes are left out here)\n", (unsigned long long)heard->lost);
        at = add_clean(log, at, log_size, gap, strlen(gap));
        at = add_clean(log, at, log_size, heard->text + half, heard->used - half);
    }
    while (at > 0 && (log[at - 1] == '\n' || log[at - 1] == ' '))
        at--;
    log[at] = '\0';
}

bool child_run_foreign(char *const argv[], const struct child_limits *limits, int cancel_fd,
                       const struct child_place *place, char *log, size_t log_size, struct child_outcome *ret,
                       struct error *err)
{
    struct child_outcome outcome = {0};
    struct start start = {.argv = argv, .limits = limits, .place = place};
    _cleanup_(cleanup_free) char *text = malloc(log_size);
    if (!text)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    /* Room for the line between the two halves. */
    struct listening heard[SAYS] = {[SAYS_OUT] = {.text = text, .size = log_size - 80, .to_end = true}};
    log[0] = '\0';
    if (!run(&start, cancel_fd, heard, &outcome, err))
        return false;
    write_log(&heard[SAYS_OUT], log, log_size);
    *ret = outcome;
    return true;
}

static void describe_signal(int signal, const struct child_limits *limits, char *out, size_t out_size)
{
    if (signal == SIGXCPU && limits->cpu_s)
        snprintf(out, out_size, "more than %llu s of processor time", (unsigned long long)limits->cpu_s);
    else if (signal == SIGXFSZ && limits->out_max)
        snprintf(out, out_size, "a file of more than %llu bytes", (unsigned long long)limits->out_max);
    else
        snprintf(out, out_size, "killed by SIG%s", sigabbrev_np(signal) ? sigabbrev_np(signal) : "?");
}

void child_describe(const struct child_outcome *outcome, const struct child_limits *limits, char *out,
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
