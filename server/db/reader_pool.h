/* Connections that only read, lent to one thread at a time. */
#ifndef DFOTA_SERVER_DB_READER_POOL_H
#define DFOTA_SERVER_DB_READER_POOL_H

#include "storage/db.h"

struct readers;

bool readers_open(const char *path, struct readers **ret, struct error *err);
/* Opens another one when all are lent. */
bool readers_take(struct readers *readers, struct db **ret, struct error *err)
    __attribute__((warn_unused_result));
void readers_give(struct readers *readers, struct db *db); /* NULL is fine */
/* From now on no connection is given out once one of these files is no longer where it was. `place` is the caller's. */
void readers_watch(struct readers *readers, struct file_watch *file_watch);
void readers_close(struct readers *readers);               /* all must have been given back; NULL is fine */

#endif
