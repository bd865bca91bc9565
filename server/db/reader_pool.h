/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Connections that only read, lent to one thread at a time. */
#ifndef DFOTA_SERVER_DB_READER_POOL_H
#define DFOTA_SERVER_DB_READER_POOL_H

#include "storage/db.h"

struct reader_pool;

bool reader_pool_open(const char *path, struct reader_pool **ret, struct error *err);
/* Opens another one when all are lent. */
bool reader_pool_take(struct reader_pool *reader_pool, struct db **ret, struct error *err)
    __attribute__((warn_unused_result));
void reader_pool_give(struct reader_pool *reader_pool, struct db *db); /* NULL is fine */
/* From now on no connection is given out once one of these files is no longer where it was. `place` is the caller's. */
void reader_pool_watch(struct reader_pool *reader_pool, struct file_watch *file_watch);
void reader_pool_close(struct reader_pool *reader_pool); /* all must have been given back; NULL is fine */

#endif
