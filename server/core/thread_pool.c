/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/thread_pool.h"

#include <stdlib.h>
#include "base/thread.h"

struct job {
    thread_pool_function *run;
    void *cls;
    struct job *next;
};

struct thread_pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    struct job *first, **last;
    bool stopping;
    unsigned count, waiting;
    pthread_t thread[];
};

static void *work(void *cls)
{
    struct thread_pool *thread_pool = cls;
    pthread_mutex_lock(&thread_pool->lock);
    for (;;) {
        struct job *job = thread_pool->first;
        if (!job && thread_pool->stopping)
            break;
        if (!job) {
            pthread_cond_wait(&thread_pool->more, &thread_pool->lock);
            continue;
        }
        thread_pool->first = job->next;
        thread_pool->waiting--;
        if (!thread_pool->first)
            thread_pool->last = &thread_pool->first;
        pthread_mutex_unlock(&thread_pool->lock);
        job->run(job->cls);
        free(job);
        pthread_mutex_lock(&thread_pool->lock);
    }
    pthread_mutex_unlock(&thread_pool->lock);
    return NULL;
}

bool thread_pool_start(unsigned threads, struct thread_pool **ret, struct error *err)
{
    struct thread_pool *thread_pool = calloc(1, sizeof *thread_pool + threads * sizeof(pthread_t));
    if (!thread_pool)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pthread_mutex_init(&thread_pool->lock, NULL);
    pthread_cond_init(&thread_pool->more, NULL);
    thread_pool->last = &thread_pool->first;
    for (; thread_pool->count < threads; thread_pool->count++)
        if (!thread_start("worker", work, thread_pool, &thread_pool->thread[thread_pool->count], err)) {
            thread_pool_stop(thread_pool);
            return false;
        }
    *ret = thread_pool;
    return true;
}

void thread_pool_add(struct thread_pool *thread_pool, thread_pool_function *run, void *cls)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        abort();
    *job = (struct job){run, cls, NULL};
    pthread_mutex_lock(&thread_pool->lock);
    *thread_pool->last = job;
    thread_pool->last = &job->next;
    thread_pool->waiting++;
    pthread_cond_signal(&thread_pool->more);
    pthread_mutex_unlock(&thread_pool->lock);
}

unsigned thread_pool_waiting(struct thread_pool *thread_pool)
{
    pthread_mutex_lock(&thread_pool->lock);
    unsigned waiting = thread_pool->waiting;
    pthread_mutex_unlock(&thread_pool->lock);
    return waiting;
}

void thread_pool_stop(struct thread_pool *thread_pool)
{
    if (!thread_pool)
        return;
    pthread_mutex_lock(&thread_pool->lock);
    thread_pool->stopping = true;
    pthread_cond_broadcast(&thread_pool->more);
    pthread_mutex_unlock(&thread_pool->lock);
    for (unsigned i = 0; i < thread_pool->count; i++)
        thread_join(thread_pool->thread[i]);
    pthread_cond_destroy(&thread_pool->more);
    pthread_mutex_destroy(&thread_pool->lock);
    free(thread_pool);
}
