/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define NAME_SIZE 16 /* the kernel's limit, with NUL */

bool thread_start(const char *name, thread_function *run, void *cls, pthread_t *ret, struct error *err)
{
    pthread_t thread;
    char shown[NAME_SIZE];
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, run, cls);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_errno(err, failed, "cannot start the thread \"%s\"", name);
    snprintf(shown, sizeof shown, "%s", name);
    pthread_setname_np(thread, shown);
    *ret = thread;
    return true;
}

void thread_join(pthread_t thread)
{
    pthread_join(thread, NULL);
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}
