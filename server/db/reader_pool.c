#include "server/db/reader_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "storage/file_watch.h"

#define IDLE_MAX 16 /* more than these threads never read at once */

struct readers {
    char *path;
    struct file_watch *file_watch; /* NULL: not watched */
    pthread_mutex_t mutex;
    struct db *idle[IDLE_MAX];
    unsigned count;
};

bool readers_open(const char *path, struct readers **ret, struct error *err)
{
    struct readers *readers = calloc(1, sizeof *readers);
    if (readers)
        readers->path = strdup(path);
    if (!readers || !readers->path) {
        free(readers);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    pthread_mutex_init(&readers->mutex, NULL);
    *ret = readers;
    return true;
}

bool readers_take(struct readers *readers, struct db **ret, struct error *err)
{
    struct db *db = NULL;
    if (readers->file_watch && !file_watch_check(readers->file_watch, err))
        return false;
    pthread_mutex_lock(&readers->mutex);
    if (readers->count)
        db = readers->idle[--readers->count];
    pthread_mutex_unlock(&readers->mutex);
    if (!db && !db_open_reader(readers->path, &db, err))
        return false;
    *ret = db;
    return true;
}

void readers_give(struct readers *readers, struct db *db)
{
    pthread_mutex_lock(&readers->mutex);
    if (db && readers->count < IDLE_MAX) {
        readers->idle[readers->count++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&readers->mutex);
    db_close(db);
}

void readers_watch(struct readers *readers, struct file_watch *file_watch)
{
    readers->file_watch = file_watch;
}

void readers_close(struct readers *readers)
{
    if (!readers)
        return;
    for (unsigned i = 0; i < readers->count; i++)
        db_close(readers->idle[i]);
    pthread_mutex_destroy(&readers->mutex);
    free(readers->path);
    free(readers);
}
