/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Statements: their parameters in, their rows out. */
#include <stdlib.h>

#include "storage/sqlite.h"

static bool no_key(struct error *err)
{
    return error_set(err, ERROR_UNAVAILABLE, "the file " SEAL_FILE " beside the database is missing");
}

/* SQLite frees the bytes. */
static bool bind_sealed(struct db *db, sqlite3_stmt *statement, int at, struct slice text, int *ret_done,
                        struct error *err)
{
    if (!db->seal)
        return no_key(err);
    uint8_t *sealed = malloc(text.len + SEAL_EXTRA);
    if (!sealed)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!seal_close(db->seal, text, sealed, err)) {
        free(sealed);
        return false;
    }
    *ret_done = sqlite3_bind_blob64(statement, at, sealed, text.len + SEAL_EXTRA, free);
    return true;
}

static bool bind_mac(struct db *db, sqlite3_stmt *statement, int at, struct slice text, int *ret_done,
                     struct error *err)
{
    char mac[SEAL_MAC_SIZE];
    if (!db->seal)
        return no_key(err);
    seal_mac(db->seal, text, mac);
    *ret_done = sqlite3_bind_text(statement, at, mac, -1, SQLITE_TRANSIENT);
    return true;
}

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
        case DB_SEALED:
            if (!bind_sealed(db, statement, at, value->bytes, &done, err))
                return false;
            break;
        case DB_MAC:
            if (!bind_mac(db, statement, at, value->bytes, &done, err))
                return false;
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

static bool read_sealed(struct db *db, sqlite3_stmt *statement, int column, const struct db_field *field,
                        struct error *err)
{
    const char *bytes = sqlite3_column_blob(statement, column);
    *(char *)field->to = '\0';
    if (!bytes)
        return true;
    return db->seal
               ? seal_break(db->seal, (struct slice){bytes, (size_t)sqlite3_column_bytes(statement, column)},
                            field->to, field->size, err)
               : no_key(err);
}

static bool read_sealed_bytes(struct db *db, sqlite3_stmt *statement, int column, struct slice *ret,
                              struct error *err)
{
    const struct slice sealed = {sqlite3_column_blob(statement, column),
                                 (size_t)sqlite3_column_bytes(statement, column)};
    *ret = (struct slice){NULL, 0};
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return true;
    if (!db->seal)
        return no_key(err);
    char *text = malloc(sealed.len + 1);
    if (!text)
        return true;
    if (!seal_break(db->seal, sealed, text, sealed.len + 1, err)) {
        free(text);
        return false;
    }
    *ret = (struct slice){text, sealed.len - SEAL_EXTRA};
    return true;
}

static bool read_field(struct db *db, sqlite3_stmt *statement, int column, const struct db_field *field,
                       struct error *err)
{
    switch (field->type) {
    case DB_TO_INT:
        *(int64_t *)field->to = sqlite3_column_int64(statement, column);
        break;
    case DB_TO_INT_OR_UNKNOWN:
        *(int64_t *)field->to = sqlite3_column_type(statement, column) == SQLITE_NULL
                                    ? DB_UNKNOWN
                                    : sqlite3_column_int64(statement, column);
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
    case DB_TO_SEALED:
        return read_sealed(db, statement, column, field, err);
    case DB_TO_SEALED_BYTES:
        return read_sealed_bytes(db, statement, column, field->to, err);
    }
    return true;
}

static bool read_fields(struct db *db, sqlite3_stmt *statement, const struct db_query *query,
                        struct error *err)
{
    for (size_t i = 0; i < query->field_count; i++)
        if (!read_field(db, statement, (int)i, &query->fields[i], err))
            return false;
    return true;
}

bool sqlite_rows(struct db *db, const struct sqlite_statement *prepared, const struct db_query *query,
                 db_each *each, void *cls, struct error *err)
{
    sqlite3_stmt *statement = prepared->handle;
    bool ok = sqlite_before(db, prepared, err) && bind(db, statement, query->params, query->param_count, err);
    while (ok) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_DONE)
            break;
        ok = step == SQLITE_ROW ? read_fields(db, statement, query, err)
                                : sqlite_fail(db, sqlite3_sql(statement), err);
        if (ok && !each(cls))
            break;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

bool db_rows(struct db *db, const struct db_query *query, db_each *each, void *cls, struct error *err)
{
    const struct sqlite_statement *statement = &db->prepared[query->table->number][query->statement];
    if (!statement->handle)
        return error_set(err, ERROR_INTERNAL, "the database lacks a table or a column for: %.200s",
                         query->table->sql[query->statement]);
    return statement->traits & TRAIT_KEPT ? kept_rows(db, statement, query, each, cls, err)
                                          : sqlite_rows(db, statement, query, each, cls, err);
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
