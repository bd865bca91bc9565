/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Read-only connections. One thread at a time uses a connection. */
#ifndef DFOTA_SERVER_DB_READER_POOL_H
#define DFOTA_SERVER_DB_READER_POOL_H

#include "storage/db.h"

struct reader_pool;

bool reader_pool_open(const char *path, struct reader_pool **ret, struct error *err);
/* Opens a new connection when all are in use. */
bool reader_pool_take(struct reader_pool *reader_pool, struct db **ret, struct error *err)
    __attribute__((warn_unused_result));
void reader_pool_give(struct reader_pool *reader_pool, struct db *db); /* NULL is fine */
/* From now on no connection is given out when one of these files was moved or removed. The watch is
   borrowed. */
void reader_pool_watch(struct reader_pool *reader_pool, struct file_watch *file_watch);
void reader_pool_close(
    struct reader_pool *reader_pool); /* after all connections were given back; NULL is fine */

#endif
