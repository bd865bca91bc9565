/* A few threads for work that may block (admin handlers, reading a blob for the first time). First come, first served. */
#ifndef DFOTA_SERVER_CORE_THREAD_POOL_H
#define DFOTA_SERVER_CORE_THREAD_POOL_H

struct workers;

struct workers *workers_start(unsigned threads);
void workers_add(struct workers *workers, void (*run)(void *cls), void *cls); /* any thread */
void workers_stop(struct workers *workers); /* what has been added is still run; NULL is fine */

#endif
