/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A few threads for work that may block: admin handlers, the first read of a blob. The work is done in the
   order in which it was added. */
#ifndef DFOTA_SERVER_CORE_THREAD_POOL_H
#define DFOTA_SERVER_CORE_THREAD_POOL_H

#include <stdbool.h>
#include "base/error.h"

struct thread_pool;

typedef void thread_pool_function(void *cls);

bool thread_pool_start(unsigned threads, struct thread_pool **ret, struct error *err)
    __attribute__((warn_unused_result));
void thread_pool_add(struct thread_pool *thread_pool, thread_pool_function *run, void *cls); /* any thread */
unsigned thread_pool_waiting(struct thread_pool *thread_pool); /* work that no thread has begun; any thread */
void thread_pool_stop(struct thread_pool *thread_pool); /* work that was added is still done; NULL is fine */

#endif
