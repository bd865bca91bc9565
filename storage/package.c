/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/package.h"

#include <stdlib.h>
#include <string.h>

#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(id, INT, row->id)                                                                                  \
    PACKAGE_KEY(NEXT, NEXT, row->key)                                                                        \
    NEXT(firmware_id, INT, row->key.firmware_id)                                                             \
    NEXT(state, ENUM, row->state, &package_state_names)                                                      \
    NEXT(wanted, INT, row->wanted)                                                                           \
    NEXT(size_bytes, INT, row->size_bytes)                                                                   \
    NEXT(uncounted_bytes, INT, row->uncounted_bytes)                                                         \
    NEXT(sha256, HASH, row->sha256)                                                                          \
    NEXT(origin, ENUM, row->origin, &package_origin_names)                                                   \
    NEXT(uploaded_by, TEXT, row->uploaded_by)                                                                \
    NEXT(proven, BOOL, row->proven)                                                                          \
    NEXT(effort, INT, row->effort)                                                                           \
    NEXT(tried, INT, row->tried)                                                                             \
    NEXT(note, TEXT, row->note)                                                                              \
    NEXT(error, TEXT, row->error)                                                                            \
    NEXT(crashes, INT, row->crashes)                                                                         \
    NEXT(queued_ms, INT, row->queued_ms)                                                                     \
    NEXT(started_ms, INT, row->started_ms)                                                                   \
    NEXT(finished_ms, INT, row->finished_ms)
#define OF_P_FIRST(column, ...) "p." #column
#define OF_P_NEXT(column, ...)  ", p." #column

/* As the planner sees it: f and t are the images. */
#define EDGE(FIRST, NEXT, row)                                                                               \
    FIRST(f.id, INT, row->from_id)                                                                           \
    NEXT(t.id, INT, row->to_id)                                                                              \
    NEXT(p.state, ENUM, row->state, &package_state_names)                                                    \
    NEXT(p.size_bytes, INT, row->size_bytes)                                                                 \
    NEXT(p.uncounted_bytes, INT, row->uncounted_bytes)                                                       \
    NEXT(p.effort, INT, row->effort)                                                                         \
    NEXT(p.tried, INT, row->tried)                                                                           \
    NEXT(p.error, TEXT, row->error)                                                                          \
    NEXT(q.reason, TEXT, row->quarantine)

/* A row of package p for the firmware in question. r: its release, q: its quarantine. */
#define SELECT_P                                                                                             \
    "SELECT " COLUMNS(OF_P_FIRST, OF_P_NEXT, ) ", r.released_ms, r.released_by, r.released_note, "             \
    "q.reason, q.at_ms"
#define QUARANTINE(f)                                                                                        \
    "LEFT JOIN quarantine q ON q.firmware_id = " f                                                           \
    " AND q.from_sha256 = p.from_sha256 "                                                                    \
    "AND q.to_sha256 = p.to_sha256 "
/* A row without a firmware: no release and no quarantine counts. */
#define WITHOUT_RELEASE COLUMN_NAMES(COLUMNS) ", NULL, NULL, NULL, NULL, NULL"
#define ROW(row)                                                                                             \
    COLUMN_FIELDS(COLUMNS, row), F_INT(&(row)->released_ms), F_TEXT((row)->released_by),                     \
        F_TEXT((row)->released_note), F_TEXT((row)->quarantine), F_INT(&(row)->quarantined_ms)

/* Clears what belongs to bytes that are gone. */
#define FORGET_BYTES                                                                                         \
    "size_bytes = NULL, uncounted_bytes = 0, sha256 = NULL, proven = 0, effort = 0, tried = 0, note = NULL, log = NULL"
/* No image has the bytes $1 any more. Of an uploaded package: no image of its firmware. */
#define NO_IMAGE                                                                                             \
    "NOT EXISTS (SELECT 1 FROM image WHERE sha256 = $1 "                                                     \
    "AND (package.firmware_id = 0 OR image.firmware_id = package.firmware_id))"

enum {
    FIND,
    QUEUE,
    FORGET_FAILED,
    QUEUE_FAILED,
    WANT,
    IS_SERVABLE,
    LOG,
    KEEP_LOG,
    LIST,
    EDGES,
    COUNT,
    CLAIM,
    CLAIM_BACKGROUND,
    READY,
    FAILED,
    CRASHED,
    PUT_BACK,
    PUT_LAST,
    CLAMP_QUEUED,
    MAKE_AGAIN,
    UNQUEUE,
    BLOBS_OF_IMAGE,
    FORGET_IMAGE,
    LEFT,
    OUTDATED,
    OUTDATED_CLEAR,
    BY_ID,
    FORGET_RELEASES
};
static const char *const sql[] = {
    [FIND] = SELECT_P " FROM package p LEFT JOIN package_release r "
             "ON r.package_id = p.id AND r.firmware_id = $1 " QUARANTINE("$1") "WHERE p.from_sha256 = $2 AND p.to_sha256 = $3 "
             "AND p.format = $4 AND p.recipe = $5 AND p.firmware_id IN (0, $1) ORDER BY p.firmware_id "
             "DESC LIMIT 1",
    [QUEUE] =
        "INSERT INTO package (from_sha256, to_sha256, format, recipe, state, wanted, queued_ms) "
        "SELECT $1, $2, $3, $4, 'queued', $5, $6 WHERE NOT EXISTS (SELECT 1 FROM package WHERE "
        IS_PACKAGE(1, 2, 3, 4) " AND firmware_id IN (0, $7))",
    [FORGET_FAILED] =
        "DELETE FROM package WHERE " IS_PACKAGE(1, 2, 3, 4) " AND firmware_id = $5 AND firmware_id <> 0 "
        "AND state = 'failed'",
    [QUEUE_FAILED] =
        "UPDATE package SET state = 'queued', error = NULL, log = NULL, crashes = 0, origin = 'made', "
        "queued_ms = $1, started_ms = NULL, finished_ms = NULL WHERE " IS_PACKAGE(2, 3, 4, 5) " AND firmware_id = "
        "0 AND state = 'failed'",
    [WANT] = "UPDATE package SET wanted = $1 WHERE " IS_PACKAGE(2, 3, 4, 5) " AND firmware_id = 0 AND wanted < $1",
    [IS_SERVABLE] =
        "SELECT p.uncounted_bytes FROM package p WHERE p.sha256 = $1 AND p.state = 'ready' AND p.firmware_id IN (0, $2) "
        "AND (p.proven OR " RELEASED("p.", "$2") ") AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE "
        "q.firmware_id = $2 AND q.from_sha256 = p.from_sha256 AND q.to_sha256 = p.to_sha256) LIMIT 1",
    [LOG] = "SELECT log FROM package WHERE id = $1",
    [KEEP_LOG] = "UPDATE package SET log = $1 WHERE id = $2 AND state <> 'ready'",
    [LIST] =
        SELECT_P ", f.version, t.version, f.variant, t.variant FROM image f JOIN package p ON p.from_sha256 = f.sha256 "
        "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
        "LEFT JOIN package_release r ON r.package_id = p.id AND r.firmware_id = f.firmware_id "
        QUARANTINE("f.firmware_id") "WHERE f.firmware_id = $1 AND f.id <> t.id AND " OF_FIRMWARE("p.", "$1") " ORDER BY p.id",
    [EDGES] =
        "SELECT " COLUMN_NAMES(EDGE) ", p.proven OR " RELEASED("p.", "$1") " FROM image f "
        "JOIN package p ON p.from_sha256 = f.sha256 "
        "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id " QUARANTINE("$1")
        "WHERE f.firmware_id = $1 AND f.id <> t.id AND p.format = $2 AND p.recipe = $3 AND "
        OF_FIRMWARE("p.", "$1"),
    [COUNT] =
        "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'generating'), "
        "count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'failed') FROM package",
    [CLAIM] =
        "UPDATE package SET state = 'generating', started_ms = $1 WHERE id = (SELECT p.id "
        "FROM package p WHERE p.state = 'queued' AND p.wanted > 0 ORDER BY " WAITING_DEVICES("p.") " DESC, "
        "p.wanted DESC, p.queued_ms, p.id LIMIT 1) RETURNING " WITHOUT_RELEASE,
    [CLAIM_BACKGROUND] =
        "UPDATE package SET state = 'generating', started_ms = $1 WHERE id = (SELECT id FROM package "
        "WHERE state = 'queued' AND wanted = 0 ORDER BY queued_ms, id LIMIT 1) RETURNING " WITHOUT_RELEASE,
    [READY] =
        "UPDATE package SET state = 'ready', size_bytes = $1, uncounted_bytes = $2, sha256 = $3, origin = $4, proven = $5, "
        "effort = $6, tried = $6, note = $7, log = $8, error = NULL, finished_ms = $9 WHERE id = $10 "
        "AND state = 'generating'",
    [FAILED] = "UPDATE package SET state = 'failed', error = $1, finished_ms = $2 WHERE id = $3 AND "
               "state = 'generating'",
    [CRASHED] =
        "UPDATE package SET crashes = crashes + 1, error = $1, started_ms = NULL, state = CASE WHEN "
        "crashes + 1 >= $2 THEN 'failed' ELSE 'queued' END, finished_ms = CASE WHEN crashes + 1 >= $2 THEN "
        "$3 END WHERE id = $4 AND state = 'generating' RETURNING state = 'failed'",
    [PUT_BACK] = "UPDATE package SET state = 'queued', started_ms = NULL WHERE id = $1 AND state = "
                 "'generating'",
    [CLAMP_QUEUED] = "UPDATE package SET queued_ms = $1 WHERE state = 'queued' AND queued_ms > $1",
    [PUT_LAST] = "UPDATE package SET state = 'queued', started_ms = NULL, queued_ms = $1 "
                 "WHERE id = $2 AND state = 'generating'",
    [MAKE_AGAIN] =
        "UPDATE package SET state = CASE origin WHEN 'uploaded' THEN 'failed' ELSE 'queued' END, "
        FORGET_BYTES ", error = CASE origin WHEN 'uploaded' THEN 'the uploaded file is damaged on the "
        "disk: upload it again' END, queued_ms = $1, started_ms = NULL, finished_ms = NULL "
        "WHERE sha256 = $2 AND state = 'ready'",
    [UNQUEUE] = "DELETE FROM package WHERE to_sha256 = $1 AND state = 'queued' "
                "AND NOT EXISTS (SELECT 1 FROM image WHERE sha256 = $1 AND withdrawn_ms IS NULL)",
    [BLOBS_OF_IMAGE] =
        "SELECT sha256 FROM package WHERE (from_sha256 = $1 OR to_sha256 = $1) AND sha256 IS NOT NULL AND "
        NO_IMAGE " UNION SELECT better_sha256 FROM package WHERE (from_sha256 = $1 OR to_sha256 = $1) "
        "AND better_sha256 IS NOT NULL AND " NO_IMAGE,
    [FORGET_IMAGE] = "DELETE FROM package WHERE (from_sha256 = $1 OR to_sha256 = $1) AND " NO_IMAGE,
    [LEFT] = "SELECT id FROM package WHERE state = 'generating'",
    [OUTDATED] = "SELECT sha256 FROM package_outdated",
    [OUTDATED_CLEAR] = "DELETE FROM package_outdated",
    [BY_ID] = "SELECT " WITHOUT_RELEASE " FROM package WHERE id = $1",
    [FORGET_RELEASES] = "DELETE FROM package_release WHERE package_id IN "
                        "(SELECT id FROM package WHERE from_sha256 = $1 OR to_sha256 = $1) AND NOT EXISTS "
                        "(SELECT 1 FROM image i WHERE i.sha256 = $1 AND i.firmware_id = "
                        "package_release.firmware_id)",
};
DB_TABLE(package, ENTITY_PACKAGE);

static const char *const origin_names[] = {
    [PACKAGE_MADE] = "made", [PACKAGE_EXTERNAL] = "external", [PACKAGE_UPLOADED] = "uploaded"};
const struct enum_names package_origin_names = ENUM_NAMES(origin_names);

static const char *const state_names[] = {[PACKAGE_QUEUED] = "queued",
                                          [PACKAGE_GENERATING] = "generating",
                                          [PACKAGE_READY] = "ready",
                                          [PACKAGE_FAILED] = "failed"};
const struct enum_names package_state_names = ENUM_NAMES(state_names);

enum package_state package_state(const struct package *package)
{
    if (package->state != PACKAGE_READY)
        return package->state;
    if (package->quarantine[0])
        return PACKAGE_QUARANTINED;
    return package->proven || package->released_ms ? PACKAGE_READY : PACKAGE_UNPROVEN;
}

const char *package_key_base(const struct package_key *key, char out[SHA256_HEX_SIZE])
{
    static const struct sha256 any;
    if (sha256_equal(&key->from, &any))
        strcpy(out, "any");
    else
        sha256_hex(&key->from, out);
    return out;
}

int64_t package_counted(const struct package *package)
{
    return package->size_bytes - package->uncounted_bytes;
}

const char *package_state_name(const struct package *package)
{
    enum package_state state = package_state(package);
    return state == PACKAGE_UNPROVEN      ? "unproven"
           : state == PACKAGE_QUARANTINED ? "quarantined"
                                          : enum_name(&package_state_names, state);
}

bool package_find(struct db *db, const struct package_key *key, struct package *ret, bool *ret_found,
                  struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_INT(key->firmware_id), P_PACKAGE_KEY(key)), FIELDS(ROW(ret))),
                  ret_found, err);
}

bool package_queue(struct db *db, const struct package_key *key, bool requeue_failed, int64_t wanted,
                   int64_t now_ms, struct error *err)
{
    return (!requeue_failed ||
            db_do(db, COMMAND(FORGET_FAILED, PARAMS(P_PACKAGE_KEY(key), P_INT(key->firmware_id))), NULL,
                  err)) &&
           db_do(db,
                 COMMAND(QUEUE,
                         PARAMS(P_PACKAGE_KEY(key), P_INT(wanted), P_INT(now_ms), P_INT(key->firmware_id))),
                 NULL, err) &&
           (!wanted || db_do(db, COMMAND(WANT, PARAMS(P_INT(wanted), P_PACKAGE_KEY(key))), NULL, err)) &&
           (!requeue_failed ||
            db_do(db, COMMAND(QUEUE_FAILED, PARAMS(P_INT(now_ms), P_PACKAGE_KEY(key))), NULL, err));
}

bool package_is_servable(struct db *db, const struct sha256 *sha256, int64_t firmware_id, bool *ret,
                         int64_t *ret_uncounted, struct error *err)
{
    return db_row(
        db, QUERY(IS_SERVABLE, PARAMS(P_HASH(sha256), P_INT(firmware_id)), FIELDS(F_INT(ret_uncounted))), ret,
        err);
}

bool package_log(struct db *db, int64_t id, char *out, size_t out_size, struct error *err)
{
    bool found;
    const struct db_field text = {DB_TO_TEXT, out, out_size, NULL};
    out[0] = '\0';
    return db_row(db, QUERY(LOG, PARAMS(P_INT(id)), &text, 1), &found, err);
}

bool package_keep_log(struct db *db, int64_t id, const char *log, struct error *err)
{
    return db_do(db, COMMAND(KEEP_LOG, PARAMS(P_TEXT_OR_NULL(log), P_INT(id))), NULL, err);
}

bool package_list(struct db *db, int64_t firmware_id, struct package_of_firmware **ret, size_t *ret_count,
                  struct error *err)
{
    struct package_of_firmware row = {0};
    return db_list(db,
                   QUERY(LIST, PARAMS(P_INT(firmware_id)),
                         FIELDS(ROW(&row.package), F_TEXT(row.from), F_TEXT(row.to), F_TEXT(row.from_variant),
                                F_TEXT(row.to_variant))),
                   &row, sizeof row, ret, ret_count, err);
}

bool package_edges(struct db *db, const struct package_key *key, struct package_edge *row, db_each *each,
                   void *cls, struct error *err)
{
    return db_rows(db,
                   QUERY(EDGES, PARAMS(P_INT(key->firmware_id), P_TEXT(key->format), P_TEXT(key->recipe)),
                         FIELDS(COLUMN_FIELDS(EDGE, row), F_BOOL(&row->servable))),
                   each, cls, err);
}

bool package_count(struct db *db, struct package_counts *ret, struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(COUNT, NO_PARAMS,
              FIELDS(F_INT(&ret->queued), F_INT(&ret->generating), F_INT(&ret->ready), F_INT(&ret->failed))),
        &found, err);
}

bool package_claim(struct db *db, bool background, int64_t now_ms, struct package *ret, bool *ret_found,
                   struct error *err)
{
    return db_row(db, QUERY(background ? CLAIM_BACKGROUND : CLAIM, PARAMS(P_INT(now_ms)), FIELDS(ROW(ret))),
                  ret_found, err);
}

bool package_set_ready(struct db *db, int64_t id, const struct package_made *made, int64_t now_ms,
                       struct error *err)
{
    return db_do(db,
                 COMMAND(READY, PARAMS(P_INT(made->size_bytes), P_INT(made->uncounted_bytes),
                                       P_HASH(&made->sha256), P_ENUM(made->origin, &package_origin_names),
                                       P_INT(made->proven), P_INT(made->effort), P_TEXT_OR_NULL(made->note),
                                       P_TEXT_OR_NULL(made->log), P_INT(now_ms), P_INT(id))),
                 NULL, err);
}

bool package_set_failed(struct db *db, int64_t id, const char *reason, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(FAILED, PARAMS(P_TEXT(reason), P_INT(now_ms), P_INT(id))), NULL, err);
}

bool package_crashed(struct db *db, int64_t id, const char *reason, int64_t now_ms, bool *ret_failed,
                     struct error *err)
{
    bool failed = false;
    bool found;
    if (!db_row(db,
                QUERY(CRASHED, PARAMS(P_TEXT(reason), P_INT(PACKAGE_MAX_CRASHES), P_INT(now_ms), P_INT(id)),
                      FIELDS(F_BOOL(&failed))),
                &found, err))
        return false;
    *ret_failed = failed;
    return true;
}

bool package_put_back(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(PUT_BACK, PARAMS(P_INT(id))), NULL, err);
}

bool package_put_last(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(PUT_LAST, PARAMS(P_INT(now_ms), P_INT(id))), NULL, err);
}

bool package_clamp_queued(struct db *db, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(CLAMP_QUEUED, PARAMS(P_INT(now_ms))), NULL, err);
}

bool package_make_again(struct db *db, const struct sha256 *sha256, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(MAKE_AGAIN, PARAMS(P_INT(now_ms), P_HASH(sha256))), NULL, err);
}

bool package_unqueue(struct db *db, const struct sha256 *to, struct error *err)
{
    return db_do(db, COMMAND(UNQUEUE, PARAMS(P_HASH(to))), NULL, err);
}

bool package_outdated(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err)
{
    struct sha256 row = {{0}};
    return db_list(db, QUERY(OUTDATED, NO_PARAMS, FIELDS(F_HASH(&row))), &row, sizeof row, ret, ret_count,
                   err);
}

bool package_outdated_clear(struct db *db, struct error *err)
{
    return db_do(db, COMMAND(OUTDATED_CLEAR, NO_PARAMS), NULL, err);
}

bool package_forget_image(struct db *db, const struct sha256 *image, struct sha256 **ret, size_t *ret_count,
                          struct error *err)
{
    struct sha256 row = {{0}};
    if (!db_list(db, QUERY(BLOBS_OF_IMAGE, PARAMS(P_HASH(image)), FIELDS(F_HASH(&row))), &row, sizeof row,
                 ret, ret_count, err))
        return false;
    if (db_do(db, COMMAND(FORGET_IMAGE, PARAMS(P_HASH(image))), NULL, err) &&
        db_do(db, COMMAND(FORGET_RELEASES, PARAMS(P_HASH(image))), NULL, err))
        return true;
    free(*ret);
    *ret = NULL;
    return false;
}

bool package_left(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(db, QUERY(LEFT, NO_PARAMS, FIELDS(F_INT(&row))), &row, sizeof row, ret, ret_count, err);
}

bool package_by_id(struct db *db, int64_t id, struct package *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), FIELDS(ROW(ret))), ret_found, err);
}

bool package_key_equal(const struct package_key *a, const struct package_key *b)
{
    const struct db_value left[] = {P_PACKAGE_KEY(a), P_INT(a->firmware_id)},
                          right[] = {P_PACKAGE_KEY(b), P_INT(b->firmware_id)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}
