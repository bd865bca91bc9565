#include "storage/package.h"

#include "storage/entities.h"

#define COLUMNS(p)                                                                                           \
    p "id, " p "from_sha256, " p "to_sha256, " p "format, " p "state, " p "size_bytes, " p "sha256, " p      \
      "error, " p "crashes, " p "queued_ms, " p "started_ms, " p "finished_ms"

enum {
    FIND,
    QUEUE,
    QUEUE_FAILED,
    IS_READY,
    LIST,
    COUNT,
    CLAIM,
    READY,
    FAILED,
    CRASHED,
    PUT_BACK,
    PUT_LAST,
    MAKE_AGAIN,
    LEFT
};
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMNS("") " FROM package WHERE from_sha256 = $1 AND to_sha256 = $2 AND format = $3",
    [QUEUE] = "INSERT INTO package (from_sha256, to_sha256, format, state, queued_ms) VALUES ($1, $2, $3, 'queued', $4) "
              "ON CONFLICT (from_sha256, to_sha256, format) DO NOTHING",
    [QUEUE_FAILED] = "UPDATE package SET state = 'queued', error = NULL, crashes = 0, queued_ms = $1, started_ms = NULL, "
                     "finished_ms = NULL WHERE from_sha256 = $2 AND to_sha256 = $3 AND format = $4 AND state = 'failed'",
    [IS_READY] = "SELECT 1 FROM package WHERE sha256 = $1 AND state = 'ready' LIMIT 1",
    [LIST] = "SELECT " COLUMNS("p.") ", f.version, t.version FROM image f JOIN package p ON p.from_sha256 = f.sha256 "
             "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
             "WHERE f.firmware_id = $1 AND f.id <> t.id ORDER BY p.id",
    [COUNT] = "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'generating'), "
              "count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'failed') FROM package",
    [CLAIM] = "UPDATE package SET state = 'generating', started_ms = $1 WHERE id = (SELECT id FROM package "
              "WHERE state = 'queued' ORDER BY queued_ms, id LIMIT 1) RETURNING " COLUMNS(""),
    [READY] = "UPDATE package SET state = 'ready', size_bytes = $1, sha256 = $2, error = NULL, finished_ms = $3 "
              "WHERE id = $4 AND state = 'generating'",
    [FAILED] = "UPDATE package SET state = 'failed', error = $1, finished_ms = $2 WHERE id = $3",
    [CRASHED] = "UPDATE package SET crashes = crashes + 1, error = $1, started_ms = NULL, "
                "state = CASE WHEN crashes + 1 >= $2 THEN 'failed' ELSE 'queued' END, "
                "finished_ms = CASE WHEN crashes + 1 >= $2 THEN $3 END WHERE id = $4 RETURNING state = 'failed'",
    [PUT_BACK] = "UPDATE package SET state = 'queued', started_ms = NULL WHERE id = $1 AND state = 'generating'",
    [PUT_LAST] = "UPDATE package SET state = 'queued', started_ms = NULL, queued_ms = $1 "
                 "WHERE id = $2 AND state = 'generating'",
    [MAKE_AGAIN] = "UPDATE package SET state = 'queued', size_bytes = NULL, sha256 = NULL, queued_ms = $1, "
                   "started_ms = NULL, finished_ms = NULL WHERE sha256 = $2 AND state = 'ready'",
    [LEFT] = "SELECT id FROM package WHERE state = 'generating'",
};
DB_TABLE(package, ENTITY_PACKAGE);

#define ROW(p)                                                                                               \
    F_INT(&(p)->id), F_HASH(&(p)->from), F_HASH(&(p)->to), F_TEXT((p)->format), F_TEXT((p)->state),          \
        F_INT(&(p)->size_bytes), F_HASH(&(p)->sha256), F_TEXT((p)->error), F_INT(&(p)->crashes),             \
        F_INT(&(p)->queued_ms), F_INT(&(p)->started_ms), F_INT(&(p)->finished_ms)

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
            return states[i].state;
    return PACKAGE_NONE;
}

bool package_find(struct db *db, const struct sha256 *from, const struct sha256 *to, const char *format,
                  struct package *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &package_statements, FIND, PARAMS(P_HASH(from), P_HASH(to), P_TEXT(format)),
                  FIELDS(ROW(ret)), ret_found, err);
}

bool package_queue(struct db *db, const struct sha256 *from, const struct sha256 *to, const char *format,
                   bool again, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, QUEUE,
                 PARAMS(P_HASH(from), P_HASH(to), P_TEXT(format), P_INT(now_ms)), NULL, err) &&
           (!again || db_do(db, &package_statements, QUEUE_FAILED,
                            PARAMS(P_INT(now_ms), P_HASH(from), P_HASH(to), P_TEXT(format)), NULL, err));
}

bool package_is_ready(struct db *db, const struct sha256 *sha256, bool *ret, struct error *err)
{
    return db_row(db, &package_statements, IS_READY, PARAMS(P_HASH(sha256)), NO_FIELDS, ret, err);
}

bool package_list(struct db *db, int64_t firmware_id, struct package_of_firmware **ret, size_t *ret_count,
                  struct error *err)
{
    struct package_of_firmware row = {0};
    return db_list(db, &package_statements, LIST, PARAMS(P_INT(firmware_id)),
                   FIELDS(ROW(&row.package), F_TEXT(row.from), F_TEXT(row.to)), &row, sizeof row, ret,
                   ret_count, err);
}

bool package_count(struct db *db, struct package_counts *ret, struct error *err)
{
    bool found;
    return db_row(
        db, &package_statements, COUNT, NO_PARAMS,
        FIELDS(F_INT(&ret->queued), F_INT(&ret->generating), F_INT(&ret->ready), F_INT(&ret->failed)), &found,
        err);
}

bool package_claim(struct db *db, int64_t now_ms, struct package *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &package_statements, CLAIM, PARAMS(P_INT(now_ms)), FIELDS(ROW(ret)), ret_found, err);
}

bool package_set_ready(struct db *db, int64_t id, int64_t size_bytes, const struct sha256 *sha256,
                       int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, READY,
                 PARAMS(P_INT(size_bytes), P_HASH(sha256), P_INT(now_ms), P_INT(id)), NULL, err);
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

bool package_make_again(struct db *db, const struct sha256 *sha256, int64_t now_ms, struct error *err)
{
    return db_do(db, &package_statements, MAKE_AGAIN, PARAMS(P_INT(now_ms), P_HASH(sha256)), NULL, err);
}

bool package_left(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(db, &package_statements, LEFT, NO_PARAMS, FIELDS(F_INT(&row)), &row, sizeof row, ret,
                   ret_count, err);
}
