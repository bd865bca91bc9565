/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/reader_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "storage/file_watch.h"

#define IDLE_MAX 64 /* more threads than this do not read at once */

struct reader_pool {
    char *path;
    struct file_watch *file_watch; /* NULL: not watched */
    pthread_mutex_t mutex;
    struct db *idle[IDLE_MAX];
    unsigned count;
};

bool reader_pool_open(const char *path, struct reader_pool **ret, struct error *err)
{
    struct reader_pool *reader_pool = calloc(1, sizeof *reader_pool);
    if (reader_pool)
        reader_pool->path = strdup(path);
    if (!reader_pool || !reader_pool->path) {
        free(reader_pool);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    pthread_mutex_init(&reader_pool->mutex, NULL);
    *ret = reader_pool;
    return true;
}

bool reader_pool_take(struct reader_pool *reader_pool, struct db **ret, struct error *err)
{
    struct db *db = NULL;
    if (reader_pool->file_watch && !file_watch_glance(reader_pool->file_watch, err))
        return false;
    pthread_mutex_lock(&reader_pool->mutex);
    if (reader_pool->count)
        db = reader_pool->idle[--reader_pool->count];
    pthread_mutex_unlock(&reader_pool->mutex);
    if (!db && !db_open_reader(reader_pool->path, &db, err))
        return false;
    *ret = db;
    return true;
}

void reader_pool_give(struct reader_pool *reader_pool, struct db *db)
{
    pthread_mutex_lock(&reader_pool->mutex);
    if (db && reader_pool->count < IDLE_MAX) {
        reader_pool->idle[reader_pool->count++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&reader_pool->mutex);
    db_close(db);
}

void reader_pool_watch(struct reader_pool *reader_pool, struct file_watch *file_watch)
{
    reader_pool->file_watch = file_watch;
}

void reader_pool_close(struct reader_pool *reader_pool)
{
    if (!reader_pool)
        return;
    for (unsigned i = 0; i < reader_pool->count; i++)
        db_close(reader_pool->idle[i]);
    pthread_mutex_destroy(&reader_pool->mutex);
    free(reader_pool->path);
    free(reader_pool);
}
