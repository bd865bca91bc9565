/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/turn_reader.h"

#include <stdlib.h>

struct turn {
    struct reader_pool *reader_pool;
    struct db *db;
    uint64_t commits; /* of the writer, before the snapshot */
};

static struct turn *begin_turn(struct reader_pool *reader_pool, struct error *err)
{
    struct turn *turn = calloc(1, sizeof *turn);
    if (!turn) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    turn->reader_pool = reader_pool;
    if (reader_pool_take(reader_pool, &turn->db, err))
        return turn;
    free(turn);
    return NULL;
}

bool turn_reader_take(void **turn, struct reader_pool *reader_pool, struct writer *writer, struct db **ret,
                      struct error *err)
{
    struct turn *own = *turn ? *turn : begin_turn(reader_pool, err);
    if (!own)
        return false;
    *turn = own;
    *ret = own->db;
    uint64_t commits = writer_commits(writer);
    bool in_transaction = db_in_transaction(own->db); /* an error may have ended the transaction */
    if (in_transaction && own->commits == commits)
        return true;
    if (in_transaction)
        db_rollback(own->db);
    own->commits = commits;
    return db_begin_read(own->db, err);
}

void turn_reader_leave(void *turn, struct writer *writer)
{
    const struct turn *own = turn;
    if (writer_log_is_long(writer))
        db_rollback(own->db);
}

uint64_t turn_reader_commits(const void *turn)
{
    const struct turn *own = turn;
    return own->commits;
}

void turn_reader_end(void *turn)
{
    struct turn *own = turn;
    db_rollback(own->db);
    reader_pool_give(own->reader_pool, own->db);
    free(own);
}
