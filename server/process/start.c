/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "server/process/filter.h"
#include "server/process/reaper.h"
#include "server/process/sandbox.h"

#define NICENESS 10

static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};

enum { FD_STDERR = 2, FD_ERROR = 3, FD_CLOSE_FROM = 4, FD_ASIDE = 10 };

/* Never raises a limit that the process already has. */
static bool set_limit(__rlimit_resource_t resource, uint64_t soft, uint64_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max < hard)
        hard = now.rlim_max;
    return setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard}) == 0;
}

static bool set_limits(const struct process_limits *limits)
{
    /* SIGXCPU at the limit; SIGKILL two seconds later, in case SIGXCPU is caught. */
    if (limits->cpu_s && !set_limit(RLIMIT_CPU, limits->cpu_s, limits->cpu_s + 2))
        return false;
    if (limits->memory_bytes && !set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes))
        return false;
    if (limits->out_max && !set_limit(RLIMIT_FSIZE, limits->out_max, limits->out_max))
        return false;
    return set_limit(RLIMIT_CORE, 0, 0);
}

/* The signal handlers of the server write to descriptors that the child shares, and ignored signals would
   stay ignored. So all signals get their default action before they are unblocked. */
static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_descriptors(const struct process_fds *fds, int *error_fd)
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

/* Gives the child its own process group and makes it end with the server. A foreign program also gets a
   reaper above it. */
static bool stand_alone(pid_t parent, bool foreign, int error_fd)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, foreign ? SIGTERM : SIGKILL) != 0)
        return false;
    if (getppid() != parent) /* the parent ended before prctl() took effect */
        _exit(EXIT_FAILURE);
    return !foreign || reaper_begin(error_fd);
}

/* What dfota may use. Set before the first child. */
static struct {
    char program[PATH_MAX], folder[PATH_MAX], blobs[PATH_MAX], incoming[PATH_MAX], suffix[PATH_MAX];
} own;

bool process_confine(const char *program, const char *data_dir, struct error *err)
{
    const char *end = strrchr(program, '/');
    if (!end || strlen(program) >= sizeof own.program || strlen(data_dir) + 16 > sizeof own.blobs)
        return error_set(err, ERROR_INVALID, "the path of dfota or of the data directory is too long");
    snprintf(own.folder, sizeof own.folder, "%.*s", (int)(end - program), program);
    snprintf(own.blobs, sizeof own.blobs, "%s/blobs", data_dir);
    snprintf(own.incoming, sizeof own.incoming, "%s/incoming", data_dir);
    snprintf(own.suffix, sizeof own.suffix, "%s/suffix", data_dir);
    snprintf(own.program, sizeof own.program, "%s", program);
    return true;
}

static bool take_own_place(const char *program)
{
    const char *const readable[] = {own.folder, own.blobs, NULL};
    const char *const writable[] = {own.incoming, own.suffix, NULL};
    return strcmp(program, own.program) != 0 || sandbox_enter_own(readable, writable);
}

static bool take_place(const struct process_place *place, const char *program)
{
    if (!place)
        return take_own_place(program);
    return (!place->directory || chdir(place->directory) == 0) &&
           (!place->writable || sandbox_enter(place->writable));
}

_Noreturn void process_become(const struct process_start *start)
{
    const struct process_place *place = start->place;
    int error_fd = start->fds.error;
    if (set_descriptors(&start->fds, &error_fd) && stand_alone(start->parent, place, error_fd) &&
        set_limits(start->limits) && take_place(place, start->argv[0])) {
        errno = 0;
        if (nice(NICENESS) == -1 && errno != 0)
            setpriority(PRIO_PROCESS, 0, NICENESS);
        reset_signals();
        if (filter_enter(!place ? FILTER_OWN : place->network ? FILTER_FOREIGN_NETWORK : FILTER_FOREIGN))
            execve(start->argv[0], start->argv,
                   place && place->environment ? place->environment : environment);
    }
    int number = errno;
    ssize_t written = write(error_fd, &number, sizeof number);
    (void)written;
    _exit(EXIT_FAILURE);
}
