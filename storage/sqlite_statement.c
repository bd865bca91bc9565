/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Statements: their parameters in, their rows out. */
#include <stdlib.h>

#include "storage/sqlite.h"

static bool bind(struct db *db, sqlite3_stmt *statement, const struct db_value *params, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct db_value *value = &params[i];
        int at = (int)i + 1, done = SQLITE_OK;
        switch (value->type) {
        case DB_NULL:
            done = sqlite3_bind_null(statement, at);
            break;
        case DB_INT:
            done = sqlite3_bind_int64(statement, at, value->number);
            break;
        case DB_TEXT:
            done = sqlite3_bind_text64(statement, at, value->bytes.ptr ? value->bytes.ptr : "",
                                       value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case DB_BYTES:
            done = sqlite3_bind_blob64(statement, at, value->bytes.ptr, value->bytes.len, SQLITE_STATIC);
            break;
        }
        if (done != SQLITE_OK)
            return sqlite_fail(db, sqlite3_sql(statement), err);
    }
    return true;
}

static void read_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t len = text ? (size_t)sqlite3_column_bytes(statement, column) : 0;
    if (len >= size)
        for (len = size - 1; len && (text[len] & 0xC0) == 0x80; len--)
            ;
    if (len)
        memcpy(out, text, len);
    out[len] = '\0';
}

static void read_bytes(sqlite3_stmt *statement, int column, struct slice *ret)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t len = bytes ? (size_t)sqlite3_column_bytes(statement, column) : 0;
    char *copy = malloc(len ? len : 1);
    if (copy && len)
        memcpy(copy, bytes, len);
    *ret = (struct slice){copy, copy ? len : 0};
}

/* A newer server, or a hand, may have written a text that this server does not know. */
static bool read_enum(sqlite3_stmt *statement, int column, const struct db_field *field, struct error *err)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    unsigned value = 0;
    if (text && !enum_find(field->names, slice_of(text), &value))
        return error_set(err, ERROR_CORRUPT, "database: the column %s has the unknown value '%.40s': %.160s",
                         sqlite3_column_name(statement, column), text, sqlite3_sql(statement));
    memcpy(field->to, &value, sizeof value);
    return true;
}

static void read_hash(sqlite3_stmt *statement, int column, void *out)
{
    memset(out, 0, SHA256_SIZE);
    if (sqlite3_column_bytes(statement, column) == SHA256_SIZE)
        memcpy(out, sqlite3_column_blob(statement, column), SHA256_SIZE);
}

static bool read_field(sqlite3_stmt *statement, int column, const struct db_field *field, struct error *err)
{
    switch (field->type) {
    case DB_TO_INT:
        *(int64_t *)field->to = sqlite3_column_int64(statement, column);
        break;
    case DB_TO_BOOL:
        *(bool *)field->to = sqlite3_column_int64(statement, column) != 0;
        break;
    case DB_TO_ENUM:
        return read_enum(statement, column, field, err);
    case DB_TO_TEXT:
        read_text(statement, column, field->to, field->size);
        break;
    case DB_TO_BYTES:
        read_bytes(statement, column, field->to);
        break;
    case DB_TO_HASH:
        read_hash(statement, column, field->to);
        break;
    }
    return true;
}

static bool read_fields(sqlite3_stmt *statement, const struct db_query *query, struct error *err)
{
    for (size_t i = 0; i < query->field_count; i++)
        if (!read_field(statement, (int)i, &query->fields[i], err))
            return false;
    return true;
}

bool db_rows(struct db *db, const struct db_query *query, db_each *each, void *cls, struct error *err)
{
    sqlite3_stmt *statement = db->prepared[query->table->number][query->statement];
    if (!statement)
        return error_set(err, ERROR_INTERNAL, "the database lacks a table or a column for: %.200s",
                         query->table->sql[query->statement]);
    bool ok = bind(db, statement, query->params, query->param_count, err);
    while (ok) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_DONE)
            break;
        ok = step == SQLITE_ROW ? read_fields(statement, query, err)
                                : sqlite_fail(db, sqlite3_sql(statement), err);
        if (ok && !each(cls))
            break;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

static bool note_found(void *cls)
{
    *(bool *)cls = true;
    return true; /* runs to the end, so that INSERT … RETURNING completes */
}

bool db_row(struct db *db, const struct db_query *query, bool *ret_found, struct error *err)
{
    bool found = false;
    if (!db_rows(db, query, note_found, &found, err))
        return false;
    *ret_found = found;
    return true;
}

bool db_do(struct db *db, const struct db_query *query, int64_t *ret_changes, struct error *err)
{
    bool found;
    if (!db_row(db, query, &found, err))
        return false;
    if (ret_changes)
        *ret_changes = sqlite3_changes64(db->handle);
    return true;
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}
