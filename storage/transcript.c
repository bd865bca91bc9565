/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/transcript.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "storage/entities.h"

#define COLUMNS                                                                                              \
    "id, device_id, sha256, source, received_ms, captured_ms, seen_ms, firmware, version, counted, why, "    \
    "attempt_id, size_bytes"

enum { ADD, DROP, FIND, GET, GET_TEXT, LIST, OF_DAY, EVIDENCE_ADD, EVIDENCE_LIST };
static const char *const sql[] = {
    [ADD] =
        "INSERT INTO transcript (device_id, sha256, source, received_ms, captured_ms, seen_ms, firmware, "
        "version, "
        "counted, why, attempt_id, size_bytes, text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12, $13)",
    [DROP] = "DELETE FROM transcript WHERE id = $1",
    [FIND] = "SELECT " COLUMNS " FROM transcript WHERE device_id = $1 AND sha256 = $2",
    [GET] = "SELECT " COLUMNS " FROM transcript WHERE device_id = $1 AND id = $2",
    [GET_TEXT] = "SELECT text FROM transcript WHERE id = $1",
    [LIST] = "SELECT " COLUMNS " FROM transcript WHERE device_id = $1 ORDER BY id DESC",
    [OF_DAY] =
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM transcript WHERE device_id = $1 AND source = 'host' "
        "AND received_ms >= $2 AND received_ms < $3",
    [EVIDENCE_ADD] =
        "INSERT INTO evidence (attempt_id, transcript_id, try, outcome, cause, words) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
    [EVIDENCE_LIST] =
        "SELECT evidence.attempt_id, transcript_id, try, outcome, cause, words FROM transcript "
        "JOIN evidence ON transcript_id = transcript.id WHERE device_id = $1 "
        "ORDER BY evidence.attempt_id, transcript_id, try",
};
DB_TABLE(transcript, ENTITY_TRANSCRIPT);

#define ROW(t)                                                                                               \
    FIELDS(F_INT(&(t)->id), F_INT(&(t)->device_id), F_HASH(&(t)->sha256), F_TEXT((t)->source),               \
           F_INT(&(t)->received_ms), F_INT(&(t)->captured_ms), F_INT(&(t)->seen_ms), F_TEXT((t)->firmware),  \
           F_TEXT((t)->version), F_INT(&(t)->counted), F_TEXT((t)->why), F_INT(&(t)->attempt_id),            \
           F_INT(&(t)->size_bytes))

bool transcript_find(struct db *db, int64_t device_id, const struct sha256 *sha256,
                     struct transcript_row *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &transcript_statements, FIND, PARAMS(P_INT(device_id), P_HASH(sha256)), ROW(ret),
                  ret_found, err);
}

bool transcript_get(struct db *db, int64_t device_id, int64_t id, struct transcript_row *ret,
                    struct error *err)
{
    bool found;
    if (!db_row(db, &transcript_statements, GET, PARAMS(P_INT(device_id), P_INT(id)), ROW(ret), &found, err))
        return false;
    return found || error_set(err, ERROR_NOT_FOUND, "the device has no transcript %lld", (long long)id);
}

bool transcript_text(struct db *db, int64_t id, struct slice *ret, struct error *err)
{
    struct slice text = {NULL, 0};
    bool found;
    if (!db_row(db, &transcript_statements, GET_TEXT, PARAMS(P_INT(id)), FIELDS(F_BYTES(&text)), &found, err))
        return false;
    if (!found || !text.ptr)
        return error_set(err, found ? ERROR_INTERNAL : ERROR_NOT_FOUND,
                         found ? "out of memory" : "the transcript is gone");
    *ret = text;
    return true;
}

bool transcript_list(struct db *db, int64_t device_id, struct transcript_row **ret, size_t *ret_count,
                     struct error *err)
{
    struct transcript_row row = {0};
    return db_list(db, &transcript_statements, LIST, PARAMS(P_INT(device_id)), ROW(&row), &row, sizeof row,
                   ret, ret_count, err);
}

bool transcript_day_is_full(struct db *db, int64_t device_id, int64_t day, bool *ret, struct error *err)
{
    int64_t count, bytes;
    bool found;
    if (!db_row(db, &transcript_statements, OF_DAY,
                PARAMS(P_INT(device_id), P_INT(day * DAY_MS), P_INT((day + 1) * DAY_MS)),
                FIELDS(F_INT(&count), F_INT(&bytes)), &found, err))
        return false;
    *ret = count >= TRANSCRIPTS_DAY || bytes >= TRANSCRIPTS_DAY_BYTES;
    return true;
}

bool transcript_drop(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, &transcript_statements, DROP, PARAMS(P_INT(id)), NULL, err);
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
    if (!db_do(db, &transcript_statements, ADD,
               PARAMS(P_INT(row->device_id), P_HASH(&row->sha256), P_TEXT(row->source),
                      P_INT(row->received_ms), P_INT_OR_NULL(row->captured_ms), P_INT_OR_NULL(row->seen_ms),
                      P_TEXT_OR_NULL(row->firmware), P_TEXT_OR_NULL(row->version), P_INT(row->counted),
                      P_TEXT_OR_NULL(row->why), P_INT_OR_NULL(row->attempt_id), P_INT(row->size_bytes),
                      P_BYTES(text)),
               NULL, err))
        return false;
    row->id = db_last_id(db);
    return drop_old(db, row->device_id, err);
}

bool evidence_add(struct db *db, const struct evidence *evidence, struct error *err)
{
    return db_do(db, &transcript_statements, EVIDENCE_ADD,
                 PARAMS(P_INT(evidence->attempt_id), P_INT(evidence->transcript_id), P_INT(evidence->try),
                        P_TEXT(evidence->outcome), P_TEXT(evidence->cause), P_TEXT(evidence->words)),
                 NULL, err);
}

bool evidence_list(struct db *db, int64_t device_id, struct evidence **ret, size_t *ret_count,
                   struct error *err)
{
    struct evidence row = {0};
    return db_list(db, &transcript_statements, EVIDENCE_LIST, PARAMS(P_INT(device_id)),
                   FIELDS(F_INT(&row.attempt_id), F_INT(&row.transcript_id), F_INT(&row.try),
                          F_TEXT(row.outcome), F_TEXT(row.cause), F_TEXT(row.words)),
                   &row, sizeof row, ret, ret_count, err);
}
