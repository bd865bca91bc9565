/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only async-signal-safe calls: this runs in a fork of a process with threads. */

/* Waits until the program has ended. Returns its status, or -1 after SIGTERM. */
static int await(pid_t program)
{
    sigset_t news;
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    sigaddset(&news, SIGTERM);
    for (;;) {
        int status;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            if (pid == program)
                return status;
        if (sigwaitinfo(&news, NULL) == SIGTERM)
            return -1;
    }
}

static int open_children(void)
{
    char path[64] = "/proc/self/task/", digits[24];
    size_t at = 16, count = 0;
    for (pid_t rest = getpid(); rest > 0; rest /= 10) /* snprintf is not async-signal-safe */
        digits[count++] = (char)('0' + rest % 10);
    while (count > 0)
        path[at++] = digits[--count];
    for (const char *tail = "/children"; *tail; tail++)
        path[at++] = *tail;
    path[at] = '\0';
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* "123 456 " */
static void kill_children(void)
{
    char text[512];
    int fd = open_children();
    pid_t pid = 0;
    for (ssize_t got; fd >= 0 && (got = read(fd, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < got; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
                continue;
            }
            if (pid > 0)
                kill(pid, SIGKILL);
            pid = 0;
        }
    if (fd >= 0)
        close(fd);
}

/* Repeats: the children of a killed process become children of this one. */
static void kill_all(void)
{
    do
        kill_children();
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static _Noreturn void end_as(int status)
{
    if (WIFSIGNALED(status)) {
        sigset_t none;
        struct sigaction action = {.sa_handler = SIG_DFL};
        sigaction(WTERMSIG(status), &action, NULL);
        kill(getpid(), WTERMSIG(status));
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool reaper_begin(int error_fd)
{
    struct sigaction action = {.sa_handler = SIG_DFL}; /* an ignored SIGCHLD would never arrive */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || sigaction(SIGCHLD, &action, NULL) != 0)
        return false;
    pid_t reaper = getpid(), program = fork();
    if (program < 0)
        return false;
    if (program == 0)
        return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == reaper;
    close(error_fd);
    int status = await(program);
    kill_all();
    end_as(status < 0 ? EXIT_FAILURE << 8 : status);
}
