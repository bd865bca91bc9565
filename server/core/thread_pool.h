/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A few threads for work that may block (admin handlers, reading a blob for the first time). First come, first served. */
#ifndef DFOTA_SERVER_CORE_THREAD_POOL_H
#define DFOTA_SERVER_CORE_THREAD_POOL_H

#include <stdbool.h>
#include "base/error.h"

struct thread_pool;

typedef void thread_pool_function(void *cls);

bool thread_pool_start(unsigned threads, struct thread_pool **ret, struct error *err)
    __attribute__((warn_unused_result));
void thread_pool_add(struct thread_pool *thread_pool, thread_pool_function *run, void *cls); /* any thread */
void thread_pool_stop(struct thread_pool *thread_pool); /* what has been added is still run; NULL is fine */

#endif
