/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/package.h"

#include <string.h>

#include <stdlib.h>

#include "storage/entities.h"

#define COLUMNS(p, released)                                                                                 \
    p "id, " p "from_sha256, " p "to_sha256, " p "format, " p "recipe, " p "firmware_id, " p "state, " p     \
      "wanted, " p "size_bytes, " p "sha256, " p "origin, " p "uploaded_by, " p "proven, " p "effort, " p    \
      "tried, " p "note, " p "error, " p "crashes, " p "queued_ms, " p "started_ms, " p                      \
      "finished_ms, " released
#define FOR_FIRMWARE    "r.released_ms, r.released_by, r.released_note"
#define FOR_NONE        "NULL, NULL, NULL"
#define KEY(a, b, c, d) "from_sha256 = $" #a " AND to_sha256 = $" #b " AND format = $" #c " AND recipe = $" #d
/* What belongs to bytes that are gone. */
#define FORGET_BYTES                                                                                         \
    "size_bytes = NULL, sha256 = NULL, proven = 0, effort = 0, tried = 0, note = NULL, log = NULL"
/* No image has the bytes $1 any more, of all or of the firmware that the package belongs to. */
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
    FORGET_SHARED,
    PUT_UPLOADED,
    FORGET,
    FORGET_RELEASES,
    RELEASE,
    TAKE_BACK
};
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMNS("p.", FOR_FIRMWARE) " FROM package p LEFT JOIN package_release r "
             "ON r.package_id = p.id AND r.firmware_id = $1 WHERE p.from_sha256 = $2 AND p.to_sha256 = $3 "
             "AND p.format = $4 AND p.recipe = $5 AND p.firmware_id IN (0, $1) ORDER BY p.firmware_id DESC LIMIT 1",
    [QUEUE] = "INSERT INTO package (from_sha256, to_sha256, format, recipe, state, wanted, queued_ms) "
              "SELECT $1, $2, $3, $4, 'queued', $5, $6 WHERE NOT EXISTS (SELECT 1 FROM package WHERE " KEY(1, 2, 3, 4)
              " AND firmware_id IN (0, $7))",
    [FORGET_FAILED] = "DELETE FROM package WHERE " KEY(1, 2, 3, 4) " AND firmware_id = $5 AND firmware_id <> 0 "
                      "AND state = 'failed'",
    [QUEUE_FAILED] = "UPDATE package SET state = 'queued', error = NULL, log = NULL, crashes = 0, origin = 'made', "
                     "queued_ms = $1, started_ms = NULL, finished_ms = NULL WHERE " KEY(2, 3, 4, 5)
                     " AND firmware_id = 0 AND state = 'failed'",
    [WANT] = "UPDATE package SET wanted = $1 WHERE " KEY(2, 3, 4, 5) " AND firmware_id = 0 AND wanted < $1",
    [IS_SERVABLE] = "SELECT 1 FROM package p WHERE p.sha256 = $1 AND p.state = 'ready' AND p.firmware_id IN (0, $2) "
                    "AND (p.proven OR " RELEASED("p.", "$2") ") LIMIT 1",
    [LOG] = "SELECT log FROM package WHERE id = $1",
    [KEEP_LOG] = "UPDATE package SET log = $1 WHERE id = $2 AND state <> 'ready'",
    [LIST] = "SELECT " COLUMNS("p.", FOR_FIRMWARE) ", f.version, t.version FROM image f "
             "JOIN package p ON p.from_sha256 = f.sha256 "
             "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
             "LEFT JOIN package_release r ON r.package_id = p.id AND r.firmware_id = f.firmware_id "
             "WHERE f.firmware_id = $1 AND f.id <> t.id AND " OF_FIRMWARE("p.", "$1") " ORDER BY p.id",
    [EDGES] = "SELECT f.id, t.id, p.state, p.size_bytes, p.proven OR " RELEASED("p.", "$1") ", p.effort, p.tried, p.error "
              "FROM image f JOIN package p ON p.from_sha256 = f.sha256 "
              "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
              "WHERE f.firmware_id = $1 AND f.id <> t.id AND p.format = $2 AND p.recipe = $3 AND " OF_FIRMWARE("p.", "$1"),
    [COUNT] = "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'generating'), "
              "count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'failed') FROM package",
    [CLAIM] = "UPDATE package SET state = 'generating', started_ms = $1 WHERE id = (SELECT p.id FROM package p "
              "WHERE p.state = 'queued' AND p.wanted > 0 ORDER BY " WAITING_DEVICES("p.")
              " DESC, p.wanted DESC, p.queued_ms, p.id LIMIT 1) RETURNING " COLUMNS("", FOR_NONE),
    [CLAIM_BACKGROUND] = "UPDATE package SET state = 'generating', started_ms = $1 WHERE id = (SELECT id FROM package "
                         "WHERE state = 'queued' AND wanted = 0 ORDER BY queued_ms, id LIMIT 1) RETURNING " COLUMNS("", FOR_NONE),
    [READY] = "UPDATE package SET state = 'ready', size_bytes = $1, sha256 = $2, origin = $3, proven = $4, effort = $5, "
              "tried = $5, note = $6, log = $7, error = NULL, finished_ms = $8 WHERE id = $9 AND state = 'generating'",
    [FAILED] = "UPDATE package SET state = 'failed', error = $1, finished_ms = $2 WHERE id = $3 AND state = 'generating'",
    [CRASHED] = "UPDATE package SET crashes = crashes + 1, error = $1, started_ms = NULL, "
                "state = CASE WHEN crashes + 1 >= $2 THEN 'failed' ELSE 'queued' END, "
                "finished_ms = CASE WHEN crashes + 1 >= $2 THEN $3 END WHERE id = $4 AND state = 'generating' "
                "RETURNING state = 'failed'",
    [PUT_BACK] = "UPDATE package SET state = 'queued', started_ms = NULL WHERE id = $1 AND state = 'generating'",
    [CLAMP_QUEUED] = "UPDATE package SET queued_ms = $1 WHERE state = 'queued' AND queued_ms > $1",
    [PUT_LAST] = "UPDATE package SET state = 'queued', started_ms = NULL, queued_ms = $1 "
                 "WHERE id = $2 AND state = 'generating'",
    [MAKE_AGAIN] = "UPDATE package SET state = CASE origin WHEN 'uploaded' THEN 'failed' ELSE 'queued' END, " FORGET_BYTES
                   ", error = CASE origin WHEN 'uploaded' THEN 'the uploaded file is damaged on the disk: upload it again' END, "
                   "queued_ms = $1, started_ms = NULL, finished_ms = NULL WHERE sha256 = $2 AND state = 'ready'",
    [UNQUEUE] = "DELETE FROM package WHERE to_sha256 = $1 AND state = 'queued' "
                "AND NOT EXISTS (SELECT 1 FROM image WHERE sha256 = $1 AND withdrawn_ms IS NULL)",
    [BLOBS_OF_IMAGE] = "SELECT sha256 FROM package WHERE (from_sha256 = $1 OR to_sha256 = $1) AND sha256 IS NOT NULL "
                       "AND " NO_IMAGE " UNION SELECT better_sha256 FROM package "
                       "WHERE (from_sha256 = $1 OR to_sha256 = $1) AND better_sha256 IS NOT NULL AND " NO_IMAGE,
    [FORGET_IMAGE] = "DELETE FROM package WHERE (from_sha256 = $1 OR to_sha256 = $1) AND " NO_IMAGE,
    [LEFT] = "SELECT id FROM package WHERE state = 'generating'",
    [OUTDATED] = "SELECT sha256 FROM package_outdated",
    [OUTDATED_CLEAR] = "DELETE FROM package_outdated",
    [BY_ID] = "SELECT " COLUMNS("", FOR_NONE) " FROM package WHERE id = $1",
    /* What is shared by nobody else makes room, so that no job goes on for it. */
    [FORGET_SHARED] = "DELETE FROM package WHERE " KEY(1, 2, 3, 4) " AND firmware_id = 0 "
                      "AND NOT EXISTS (SELECT 1 FROM image i JOIN image t ON t.firmware_id = i.firmware_id AND t.sha256 = $2 "
                      "JOIN firmware f ON f.id = i.firmware_id WHERE i.sha256 = $1 AND f.format = $3 AND f.id <> $5)",
    [PUT_UPLOADED] = "INSERT INTO package (from_sha256, to_sha256, format, recipe, firmware_id, state, size_bytes, sha256, "
                     "origin, uploaded_by, proven, note, queued_ms, finished_ms) "
                     "VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, 'uploaded', $8, $9, $10, $11, $11) "
                     "ON CONFLICT (from_sha256, to_sha256, format, recipe, firmware_id) DO UPDATE SET state = 'ready', "
                     "size_bytes = $6, sha256 = $7, uploaded_by = $8, proven = $9, effort = 0, tried = 0, note = $10, "
                     "log = NULL, error = NULL, crashes = 0, queued_ms = $11, started_ms = NULL, finished_ms = $11",
    [FORGET] = "DELETE FROM package WHERE id = $1 AND origin = 'uploaded'",
    [FORGET_RELEASES] = "DELETE FROM package_release WHERE package_id IN "
                        "(SELECT id FROM package WHERE from_sha256 = $1 OR to_sha256 = $1) AND NOT EXISTS "
                        "(SELECT 1 FROM image i WHERE i.sha256 = $1 AND i.firmware_id = package_release.firmware_id)",
    [RELEASE] = "INSERT INTO package_release (package_id, firmware_id, released_ms, released_by, released_note) "
                "SELECT id, $1, $2, $3, $4 FROM package WHERE id = $5 AND state = 'ready' AND firmware_id IN (0, $1) "
                "ON CONFLICT (package_id, firmware_id) DO UPDATE SET released_ms = $2, released_by = $3, released_note = $4",
    [TAKE_BACK] = "DELETE FROM package_release WHERE package_id = $1 AND firmware_id = $2",
};
DB_TABLE(package, ENTITY_PACKAGE);

#define ROW(p)                                                                                               \
    F_INT(&(p)->id), F_HASH(&(p)->key.from), F_HASH(&(p)->key.to), F_TEXT((p)->key.format),                  \
        F_TEXT((p)->key.recipe), F_INT(&(p)->key.firmware_id), F_TEXT((p)->state), F_INT(&(p)->wanted),      \
        F_INT(&(p)->size_bytes), F_HASH(&(p)->sha256), F_TEXT((p)->origin), F_TEXT((p)->uploaded_by),        \
        F_INT(&(p)->proven), F_INT(&(p)->effort), F_INT(&(p)->tried), F_TEXT((p)->note), F_TEXT((p)->error), \
        F_INT(&(p)->crashes), F_INT(&(p)->queued_ms), F_INT(&(p)->started_ms), F_INT(&(p)->finished_ms),     \
        F_INT(&(p)->released_ms), F_TEXT((p)->released_by), F_TEXT((p)->released_note)
#define P_KEY(k) P_HASH(&(k)->from), P_HASH(&(k)->to), P_TEXT((k)->format), P_TEXT((k)->recipe)

enum package_state package_state(const struct package *package)
{
    static const struct {
        const char *name;
        enum package_state state;
    } states[] = {{"queued", PACKAGE_QUEUED},
                  {"generating", PACKAGE_GENERATING},
                  {"ready", PACKAGE_READY},
                  {"failed", PACKAGE_FAILED}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(package->state, states[i].name) == 0)
            return states[i].state == PACKAGE_READY && !package->proven && !package->released_ms
                       ? PACKAGE_UNPROVEN
                       : states[i].state;
    return PACKAGE_NONE;
}

bool package_find(struct db *db, const struct package_key *key, struct package *ret, bool *ret_found,
                  struct error *err)
{
    return db_row(db, &package_statements, FIND, PARAMS(P_INT(key->firmware_id), P_KEY(key)),
                  FIELDS(ROW(ret)), ret_found, err);
}

bool package_queue(struct db *db, const struct package_key *key, bool again, int64_t wanted, int64_t now_ms,
                   struct error *err)
{
    return (!again || db_do(db, &package_statements, FORGET_FAILED,
                            PARAMS(P_KEY(key), P_INT(key->firmware_id)), NULL, err)) &&
           db_do(db, &package_statements, QUEUE,
                 PARAMS(P_KEY(key), P_INT(wanted), P_INT(now_ms), P_INT(key->firmware_id)), NULL, err) &&
           (!wanted || db_do(db, &package_statements, WANT, PARAMS(P_INT(wanted), P_KEY(key)), NULL, err)) &&
           (!again ||
            db_do(db, &package_statements, QUEUE_FAILED, PARAMS(P_INT(now_ms), P_KEY(key)), NULL, err));
}

bool package_is_servable(struct db *db, const struct sha256 *sha256, int64_t firmware_id, bool *ret,
                         struct error *err)
{
    return db_row(db, &package_statements, IS_SERVABLE, PARAMS(P_HASH(sha256), P_INT(firmware_id)), NO_FIELDS,
                  ret, err);
}

bool package_log(struct db *db, int64_t id, char *out, size_t out_size, struct error *err)
{
    bool found;
    const struct db_field text = {DB_TO_TEXT, out, out_size, NULL};
    out[0] = '\0';
    return db_row(db, &package_statements, LOG, PARAMS(P_INT(id)), &text, 1, &found, err);
}

bool package_keep_log(struct db *db, int64_t id, const char *log, struct error *err)
{
    return db_do(db, &package_statements, KEEP_LOG, PARAMS(P_TEXT_OR_NULL(log), P_INT(id)), NULL, err);
}

bool package_list(struct db *db, int64_t firmware_id, struct package_of_firmware **ret, size_t *ret_count,
                  struct error *err)
{
    struct package_of_firmware row = {0};
    return db_list(db, &package_statements, LIST, PARAMS(P_INT(firmware_id)),
                   FIELDS(ROW(&row.package), F_TEXT(row.from), F_TEXT(row.to)), &row, sizeof row, ret,
                   ret_count, err);
}

bool package_edges(struct db *db, int64_t firmware_id, const char *format, const char *recipe,
                   struct package_edge *row, bool (*each)(void *cls), void *cls, struct error *err)
{
    return db_rows(db, &package_statements, EDGES, PARAMS(P_INT(firmware_id), P_TEXT(format), P_TEXT(recipe)),
                   FIELDS(F_INT(&row->from_id), F_INT(&row->to_id), F_TEXT(row->state),
                          F_INT(&row->size_bytes), F_INT(&row->servable), F_INT(&row->effort),
                          F_INT(&row->tried), F_TEXT(row->error)),
                   each, cls, err);
}

bool package_count(struct db *db, struct package_counts *ret, struct error *err)
{
    bool found;
    return db_row(
        db, &package_statements, COUNT, NO_PARAMS,
        FIELDS(F_INT(&ret->queued), F_INT(&ret->generating), F_INT(&ret->ready), F_INT(&ret->failed)), &found,
        err);
}

bool package_claim(struct db *db, bool background, int64_t now_ms, struct package *ret, bool *ret_found,
                   struct error *err)
{
    return db_row(db, &package_statements, background ? CLAIM_BACKGROUND : CLAIM, PARAMS(P_INT(now_ms)),
                  FIELDS(ROW(ret)), ret_found, err);
}

bool package_set_ready(struct db *db, int64_t id, const struct package_made *made, int64_t now_ms,
                       struct error *err)
{
    return db_do(db, &package_statements, READY,
                 PARAMS(P_INT(made->size_bytes), P_HASH(&made->sha256), P_TEXT(made->origin),
                        P_INT(made->proven), P_INT(made->effort), P_TEXT_OR_NULL(made->note),
                        P_TEXT_OR_NULL(made->log), P_INT(now_ms), P_INT(id)),
                 NULL, err);
}

bool package_set_failed(struct db *db, int64_t id, const char *reason, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, FAILED, PARAMS(P_TEXT(reason), P_INT(now_ms), P_INT(id)), NULL,
                 err);
}

bool package_crashed(struct db *db, int64_t id, const char *reason, int64_t now_ms, bool *ret_failed,
                     struct error *err)
{
    int64_t failed = 0;
    bool found;
    if (!db_row(db, &package_statements, CRASHED,
                PARAMS(P_TEXT(reason), P_INT(PACKAGE_MAX_CRASHES), P_INT(now_ms), P_INT(id)),
                FIELDS(F_INT(&failed)), &found, err))
        return false;
    *ret_failed = failed;
    return true;
}

bool package_put_back(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, &package_statements, PUT_BACK, PARAMS(P_INT(id)), NULL, err);
}

bool package_put_last(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, PUT_LAST, PARAMS(P_INT(now_ms), P_INT(id)), NULL, err);
}

bool package_clamp_queued(struct db *db, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, CLAMP_QUEUED, PARAMS(P_INT(now_ms)), NULL, err);
}

bool package_make_again(struct db *db, const struct sha256 *sha256, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, MAKE_AGAIN, PARAMS(P_INT(now_ms), P_HASH(sha256)), NULL, err);
}

bool package_unqueue(struct db *db, const struct sha256 *to, struct error *err)
{
    return db_do(db, &package_statements, UNQUEUE, PARAMS(P_HASH(to)), NULL, err);
}

bool package_outdated(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err)
{
    struct sha256 row = {{0}};
    return db_list(db, &package_statements, OUTDATED, NO_PARAMS, FIELDS(F_HASH(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool package_outdated_clear(struct db *db, struct error *err)
{
    return db_do(db, &package_statements, OUTDATED_CLEAR, NO_PARAMS, NULL, err);
}

bool package_forget_image(struct db *db, const struct sha256 *image, struct sha256 **ret, size_t *ret_count,
                          struct error *err)
{
    struct sha256 row = {{0}};
    if (!db_list(db, &package_statements, BLOBS_OF_IMAGE, PARAMS(P_HASH(image)), FIELDS(F_HASH(&row)), &row,
                 sizeof row, ret, ret_count, err))
        return false;
    if (db_do(db, &package_statements, FORGET_IMAGE, PARAMS(P_HASH(image)), NULL, err) &&
        db_do(db, &package_statements, FORGET_RELEASES, PARAMS(P_HASH(image)), NULL, err))
        return true;
    free(*ret);
    *ret = NULL;
    return false;
}

bool package_left(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(db, &package_statements, LEFT, NO_PARAMS, FIELDS(F_INT(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool package_by_id(struct db *db, int64_t id, struct package *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &package_statements, BY_ID, PARAMS(P_INT(id)), FIELDS(ROW(ret)), ret_found, err);
}

bool package_key_equal(const struct package_key *a, const struct package_key *b)
{
    return sha256_equal(&a->from, &b->from) && sha256_equal(&a->to, &b->to) &&
           strcmp(a->format, b->format) == 0 && strcmp(a->recipe, b->recipe) == 0 &&
           a->firmware_id == b->firmware_id;
}

bool package_put_uploaded(struct db *db, const struct package_key *key, const struct package_made *made,
                          const char *uploaded_by, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, FORGET_SHARED, PARAMS(P_KEY(key), P_INT(key->firmware_id)), NULL,
                 err) &&
           db_do(db, &package_statements, PUT_UPLOADED,
                 PARAMS(P_KEY(key), P_INT(key->firmware_id), P_INT(made->size_bytes), P_HASH(&made->sha256),
                        P_TEXT(uploaded_by), P_INT(made->proven), P_TEXT_OR_NULL(made->note), P_INT(now_ms)),
                 NULL, err);
}

bool package_forget(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, &package_statements, FORGET, PARAMS(P_INT(id)), NULL, err);
}

bool package_release(struct db *db, int64_t id, int64_t firmware_id, const char *by, const char *note,
                     int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, RELEASE,
                 PARAMS(P_INT(firmware_id), P_INT(now_ms), P_TEXT(by), P_TEXT(note), P_INT(id)), NULL, err);
}

bool package_take_back(struct db *db, int64_t id, int64_t firmware_id, struct error *err)
{
    return db_do(db, &package_statements, TAKE_BACK, PARAMS(P_INT(id), P_INT(firmware_id)), NULL, err);
}
