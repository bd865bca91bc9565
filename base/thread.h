/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Threads: start, join, and wait on a condition until a deadline. Any thread may call these functions. */
#ifndef DFOTA_BASE_THREAD_H
#define DFOTA_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

typedef void *thread_function(void *cls);

/* Starts a thread that runs run(cls). All signals are blocked in the thread: only the main thread handles
   signals. The system shows the first 15 bytes of the name. The caller joins or detaches *ret. Fails when
   the system cannot start another thread. */
bool thread_start(const char *name, thread_function *run, void *cls, pthread_t *ret, struct error *err)
    __attribute__((warn_unused_result));
void thread_join(pthread_t thread);

/* Waits on the condition, with the mutex held, until the deadline on the clock of clock_monotonic_ms().
   False: the deadline has passed. True: the condition was signalled, or the wait ended without a reason;
   check in a loop what you wait for. The condition needs no attributes. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ms);

#endif
