#include "server/core/thread_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct job {
    void (*run)(void *cls);
    void *cls;
    struct job *next;
};

struct workers {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    struct job *first, **last;
    bool stopping;
    unsigned count;
    pthread_t thread[];
};

static void *work(void *cls)
{
    struct workers *workers = cls;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        struct job *job = workers->first;
        if (!job && workers->stopping)
            break;
        if (!job) {
            pthread_cond_wait(&workers->more, &workers->lock);
            continue;
        }
        workers->first = job->next;
        if (!workers->first)
            workers->last = &workers->first;
        pthread_mutex_unlock(&workers->lock);
        job->run(job->cls);
        free(job);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

struct workers *workers_start(unsigned threads)
{
    struct workers *workers = calloc(1, sizeof *workers + threads * sizeof(pthread_t));
    if (!workers)
        abort();
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->more, NULL);
    workers->last = &workers->first;

    sigset_t all, before; /* signals are the main thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; workers->count < threads; workers->count++) {
        if (pthread_create(&workers->thread[workers->count], NULL, work, workers) != 0)
            abort();
        pthread_setname_np(workers->thread[workers->count], "worker");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return workers;
}

void workers_add(struct workers *workers, void (*run)(void *cls), void *cls)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        abort();
    *job = (struct job){run, cls, NULL};
    pthread_mutex_lock(&workers->lock);
    *workers->last = job;
    workers->last = &job->next;
    pthread_cond_signal(&workers->more);
    pthread_mutex_unlock(&workers->lock);
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->more);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->count; i++)
        pthread_join(workers->thread[i], NULL);
    pthread_cond_destroy(&workers->more);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
