/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/transcript.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "storage/entities.h"

#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(device_id, INT, row->device_id)                                                                    \
    NEXT(sha256, HASH, row->sha256)                                                                          \
    NEXT(source, ENUM, row->source, &transcript_source_names)                                                \
    NEXT(received_ms, INT, row->received_ms)                                                                 \
    NEXT(captured_ms, INT_OR_NULL, row->captured_ms)                                                         \
    NEXT(seen_ms, INT_OR_NULL, row->seen_ms)                                                                 \
    NEXT(firmware, TEXT_OR_NULL, row->firmware)                                                              \
    NEXT(version, TEXT_OR_NULL, row->version)                                                                \
    NEXT(counted, BOOL, row->counted)                                                                        \
    NEXT(why, TEXT_OR_NULL, row->why)                                                                        \
    NEXT(attempt_id, INT_OR_NULL, row->attempt_id)                                                           \
    NEXT(size_bytes, INT, row->size_bytes)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

#define EVIDENCE(FIRST, NEXT, row)                                                                           \
    FIRST(attempt_id, INT, row->attempt_id)                                                                  \
    NEXT(transcript_id, INT, row->transcript_id)                                                             \
    NEXT(try, INT, row->try)                                                                                 \
    NEXT(outcome, ENUM, row->outcome, &transcript_outcome_names)                                             \
    NEXT(cause, ENUM, row->cause, &transcript_cause_names)                                                   \
    NEXT(words, TEXT, row->words)
#define OF_E_FIRST(column, ...) "e." #column
#define OF_E_NEXT(column, ...)  ", e." #column

enum { ADD, DROP, FIND, GET, GET_TEXT, LIST, OF_DAY, EVIDENCE_ADD, EVIDENCE_LIST };
static const char *const sql[] = {
    [ADD] = "INSERT INTO transcript (" COLUMN_NAMES(ADDED) ", text_sealed) VALUES (" COLUMN_VALUES(ADDED) ", $text_sealed)",
    [DROP] = "DELETE FROM transcript WHERE id = $1",
    [FIND] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM transcript WHERE device_id = $1 AND sha256 = $2",
    [GET] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM transcript WHERE device_id = $1 AND id = $2",
    [GET_TEXT] = "SELECT text_sealed FROM transcript WHERE id = $1",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM transcript WHERE device_id = $1 ORDER BY id DESC",
    [OF_DAY] =
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM transcript WHERE device_id = $1 "
        "AND source = 'host' AND received_ms >= $2 AND received_ms < $3",
    [EVIDENCE_ADD] = "INSERT INTO evidence (" COLUMN_NAMES(EVIDENCE) ") VALUES (" COLUMN_VALUES(EVIDENCE) ")",
    [EVIDENCE_LIST] =
        "SELECT " EVIDENCE(OF_E_FIRST, OF_E_NEXT, ) " FROM transcript t JOIN evidence e ON e.transcript_id "
        "= t.id WHERE t.device_id = $1 ORDER BY e.attempt_id, e.transcript_id, e.try",
};
DB_TABLE(transcript, ENTITY_TRANSCRIPT);

static const char *const source_names[] = {[TRANSCRIPT_OF_HOST] = "host", [TRANSCRIPT_OF_ADMIN] = "admin"};
const struct enum_names transcript_source_names = ENUM_NAMES(source_names);

bool transcript_find(struct db *db, int64_t device_id, const struct sha256 *sha256,
                     struct transcript_row *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_INT(device_id), P_HASH(sha256)), ROW(ret)), ret_found, err);
}

bool transcript_get(struct db *db, int64_t device_id, int64_t id, struct transcript_row *ret,
                    struct error *err)
{
    bool found;
    if (!db_row(db, QUERY(GET, PARAMS(P_INT(device_id), P_INT(id)), ROW(ret)), &found, err))
        return false;
    return found || error_set(err, ERROR_NOT_FOUND, "the device has no transcript %lld", (long long)id);
}

bool transcript_text(struct db *db, int64_t id, struct slice *ret, struct error *err)
{
    struct slice text = {NULL, 0};
    bool found;
    if (!db_row(db, QUERY(GET_TEXT, PARAMS(P_INT(id)), FIELDS(F_SEALED_BYTES(&text))), &found, err))
        return false;
    if (!found || !text.ptr)
        return error_set(err, found ? ERROR_INTERNAL : ERROR_NOT_FOUND,
                         found ? "out of memory" : "the transcript was deleted");
    *ret = text;
    return true;
}

bool transcript_list(struct db *db, int64_t device_id, struct transcript_row **ret, size_t *ret_count,
                     struct error *err)
{
    struct transcript_row row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(device_id)), ROW(&row)), &row, sizeof row, ret, ret_count,
                   err);
}

bool transcript_day_is_full(struct db *db, int64_t device_id, int64_t day, bool *ret, struct error *err)
{
    int64_t count, bytes;
    bool found;
    if (!db_row(db,
                QUERY(OF_DAY, PARAMS(P_INT(device_id), P_INT(day * DAY_MS), P_INT((day + 1) * DAY_MS)),
                      FIELDS(F_INT(&count), F_INT(&bytes))),
                &found, err))
        return false;
    *ret = count >= TRANSCRIPTS_DAY || bytes >= TRANSCRIPTS_DAY_BYTES;
    return true;
}

bool transcript_drop(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(DROP, PARAMS(P_INT(id))), NULL, err);
}

static bool drop_old(struct db *db, int64_t device_id, struct error *err)
{
    _cleanup_(cleanup_free) struct transcript_row *list = NULL;
    size_t count;
    int64_t total = 0;
    if (!transcript_list(db, device_id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        total += list[i].size_bytes;
        if ((total > TRANSCRIPTS_MAX_BYTES || i >= TRANSCRIPTS_MAX) && !transcript_drop(db, list[i].id, err))
            return false;
    }
    return true;
}

bool transcript_add(struct db *db, struct transcript_row *row, struct slice text, struct error *err)
{
    row->size_bytes = (int64_t)text.len;
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, row), P_SEALED_BYTES(text))), NULL, err))
        return false;
    row->id = db_last_id(db);
    return drop_old(db, row->device_id, err);
}

bool evidence_add(struct db *db, const struct evidence *evidence, struct error *err)
{
    return db_do(db, COMMAND(EVIDENCE_ADD, PARAMS(COLUMN_PARAMS(EVIDENCE, evidence))), NULL, err);
}

bool evidence_list(struct db *db, int64_t device_id, struct evidence **ret, size_t *ret_count,
                   struct error *err)
{
    struct evidence row = {0};
    return db_list(db, QUERY(EVIDENCE_LIST, PARAMS(P_INT(device_id)), FIELDS(COLUMN_FIELDS(EVIDENCE, &row))),
                   &row, sizeof row, ret, ret_count, err);
}
