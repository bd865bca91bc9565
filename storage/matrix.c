/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/matrix.h"

#include "storage/entities.h"

#define IMAGE_BYTES                                                                                          \
    "(SELECT size_bytes FROM image WHERE sha256 = p.from_sha256 LIMIT 1) + "                                 \
    "(SELECT size_bytes FROM image WHERE sha256 = p.to_sha256 LIMIT 1)"

/* Of the images f and t and the package p between them. */
#define PAIR(FIRST, NEXT, row)                                                                               \
    FIRST(f.version, TEXT, row->from)                                                                        \
    NEXT(t.version, TEXT, row->to)                                                                           \
    NEXT(f.variant, TEXT, row->from_variant)                                                                 \
    NEXT(t.variant, TEXT, row->to_variant)                                                                   \
    NEXT(f.size_bytes + t.size_bytes, INT, row->image_bytes)                                                 \
    NEXT(p.state, ENUM, row->state, &package_state_names)                                                    \
    NEXT(p.wanted, INT, row->wanted)                                                                         \
    NEXT(p.size_bytes, INT, row->size_bytes)                                                                 \
    NEXT(p.uncounted_bytes, INT, row->uncounted_bytes)                                                       \
    NEXT(p.proven, BOOL, row->proven)                                                                        \
    NEXT(p.effort, INT, row->effort)                                                                         \
    NEXT(p.error, TEXT, row->error)                                                                          \
    NEXT(p.queued_ms, INT, row->queued_ms)                                                                   \
    NEXT(p.started_ms, INT, row->started_ms)                                                                 \
    NEXT(p.finished_ms, INT, row->finished_ms)

enum { FIRMWARES, PAIRS, WAITING, SPEEDS, BACKLOG, FORGET, FORGET_FORMAT };
static const char *const sql[] = {
    [FIRMWARES] = "SELECT id FROM firmware WHERE format IS NOT NULL ORDER BY id",
    [PAIRS] =
        "SELECT " COLUMN_NAMES(PAIR) ", " RELEASED("p.", "$1") ", q.reason FROM image f "
        "JOIN package p ON p.from_sha256 = f.sha256 "
        "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.firmware_id "
        "LEFT JOIN quarantine q ON q.firmware_id = f.firmware_id AND q.from_sha256 = f.sha256 "
        "AND q.to_sha256 = t.sha256 "
        "WHERE f.firmware_id = $1 AND p.format = $2 AND p.recipe = $3 AND f.id <> t.id AND "
        OF_FIRMWARE("p.", "$1"),
    [WAITING] =
        "SELECT from_version, to_version, devices FROM fleet_waiting WHERE firmware_id = $1",
    [SPEEDS] = "SELECT p.format, p.effort, p.finished_ms - p.started_ms, " IMAGE_BYTES " FROM package p "
               "WHERE p.state = 'ready' AND p.origin <> 'uploaded' AND p.format <> 'full' AND p.finished_ms > p.started_ms "
               "ORDER BY p.finished_ms DESC LIMIT 100",
    [BACKLOG] = "SELECT p.format, count(*), sum(" IMAGE_BYTES ") FROM package p "
                "WHERE p.state IN ('queued', 'generating') GROUP BY p.format",
    [FORGET] = "DELETE FROM package WHERE state = 'queued' AND wanted = 0 AND crashes = 0",
    [FORGET_FORMAT] = "DELETE FROM package WHERE state = 'queued' AND wanted = 0 AND format = $1 "
                      "AND from_sha256 IN (SELECT sha256 FROM image WHERE firmware_id = $2) "
                      "AND to_sha256 IN (SELECT sha256 FROM image WHERE firmware_id = $2) "
                      "AND NOT EXISTS (SELECT 1 FROM image i JOIN firmware f ON f.id = i.firmware_id "
                      "WHERE i.sha256 = package.from_sha256 AND f.format = $1 AND f.id <> $2)",
};
DB_TABLE(matrix, ENTITY_MATRIX);

bool matrix_firmwares(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(db, QUERY(FIRMWARES, NO_PARAMS, FIELDS(F_INT(&row))), &row, sizeof row, ret, ret_count,
                   err);
}

bool matrix_pairs(struct db *db, const struct package_key *key, struct matrix_pair **ret, size_t *ret_count,
                  struct error *err)
{
    struct matrix_pair row = {0};
    return db_list(db,
                   QUERY(PAIRS, PARAMS(P_INT(key->firmware_id), P_TEXT(key->format), P_TEXT(key->recipe)),
                         FIELDS(COLUMN_FIELDS(PAIR, &row), F_BOOL(&row.released), F_TEXT(row.quarantine))),
                   &row, sizeof row, ret, ret_count, err);
}

bool matrix_waiting(struct db *db, int64_t firmware_id, struct matrix_waiting **ret, size_t *ret_count,
                    struct error *err)
{
    struct matrix_waiting row = {0};
    return db_list(db,
                   QUERY(WAITING, PARAMS(P_INT(firmware_id)),
                         FIELDS(F_TEXT(row.from), F_TEXT(row.to), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}

bool matrix_speeds(struct db *db, struct matrix_speed **ret, size_t *ret_count, struct error *err)
{
    struct matrix_speed row = {0};
    return db_list(
        db,
        QUERY(SPEEDS, NO_PARAMS,
              FIELDS(F_TEXT(row.format), F_INT(&row.effort), F_INT(&row.took_ms), F_INT(&row.image_bytes))),
        &row, sizeof row, ret, ret_count, err);
}

bool matrix_backlog(struct db *db, struct matrix_backlog **ret, size_t *ret_count, struct error *err)
{
    struct matrix_backlog row = {0};
    return db_list(
        db,
        QUERY(BACKLOG, NO_PARAMS, FIELDS(F_TEXT(row.format), F_INT(&row.packages), F_INT(&row.image_bytes))),
        &row, sizeof row, ret, ret_count, err);
}

bool matrix_forget(struct db *db, struct error *err)
{
    return db_do(db, COMMAND(FORGET, NO_PARAMS), NULL, err);
}

bool matrix_forget_format(struct db *db, int64_t firmware_id, const char *format, struct error *err)
{
    return db_do(db, COMMAND(FORGET_FORMAT, PARAMS(P_TEXT(format), P_INT(firmware_id))), NULL, err);
}
