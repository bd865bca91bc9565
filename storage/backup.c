/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/backup.h"

#include "storage/entities.h"

static const char *const results[] = {NULL, "complete", "incomplete", "failed"};
const struct enum_names backup_result_names = ENUM_NAMES(results);

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(result, ENUM, row->result, &backup_result_names)                                                   \
    NEXT(made_ms, INT, row->made_ms)                                                                         \
    NEXT(ended_ms, INT, row->ended_ms)                                                                       \
    NEXT(token_name, TEXT, row->token_name)                                                                  \
    NEXT(size_bytes, INT, row->size_bytes)                                                                   \
    NEXT(files, INT, row->files)                                                                             \
    NEXT(missing, INT, row->missing)

enum { PUT, LIST, FIRST };
static const char *const sql[] = {
    [PUT] = "INSERT OR REPLACE INTO backup (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ")",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM backup ORDER BY made_ms, ended_ms",
    [FIRST] = "SELECT applied_ms FROM migration WHERE number = 1",
};
DB_TABLE(backup, ENTITY_BACKUP);

bool backup_record_put(struct db *db, const struct backup_record *record, struct error *err)
{
    return db_do(db, COMMAND(PUT, PARAMS(COLUMN_PARAMS(COLUMNS, record))), NULL, err);
}

struct reading {
    struct backup_record row;
    struct backup_state *state;
};

static bool take(void *cls)
{
    struct reading *reading = cls;
    if (reading->row.result == BACKUP_FAILED) {
        reading->state->failed = reading->row;
    } else {
        reading->state->last = reading->row;
        if (reading->row.result == BACKUP_COMPLETE)
            reading->state->complete_ms = reading->row.made_ms;
        reading->state->failed.result = BACKUP_NONE;
    }
    return true;
}

bool backup_state_load(struct db *db, struct backup_state *ret, struct error *err)
{
    struct reading reading = {.state = ret};
    struct backup_record *row = &reading.row;
    bool found;
    *ret = (struct backup_state){.first_ms = 0};
    return db_rows(db, QUERY(LIST, NO_PARAMS, FIELDS(COLUMN_FIELDS(COLUMNS, row))), take, &reading, err) &&
           db_row(db, QUERY(FIRST, NO_PARAMS, FIELDS(F_INT(&ret->first_ms))), &found, err);
}

int64_t backup_age_ms(const struct backup_state *state, int64_t now_ms)
{
    int64_t age_ms = now_ms - (state->complete_ms ? state->complete_ms : state->first_ms);
    return age_ms > 0 ? age_ms : 0;
}
