/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/matrix.h"

#include "storage/entities.h"

#define IMAGE_BYTES                                                                                          \
    "(SELECT size_bytes FROM image WHERE sha256 = p.from_sha256 LIMIT 1) + "                                 \
    "(SELECT size_bytes FROM image WHERE sha256 = p.to_sha256 LIMIT 1)"

enum { FIRMWARES, PAIRS, WAITING, SPEEDS, BACKLOG, FORGET, FORGET_FORMAT };
static const char *const sql[] = {
    [FIRMWARES] = "SELECT id FROM firmware WHERE format IS NOT NULL ORDER BY id",
    [PAIRS] =
        "SELECT f.version, t.version, f.size_bytes + t.size_bytes, p.state, p.wanted, p.size_bytes, p.proven, "
        "CASE WHEN " RELEASED("p.", "$1") " THEN 1 ELSE 0 END, p.effort, p.error, p.queued_ms, p.started_ms, p.finished_ms FROM image f "
        "JOIN package p ON p.from_sha256 = f.sha256 JOIN image t ON t.sha256 = p.to_sha256 "
        "AND t.firmware_id = f.firmware_id WHERE f.firmware_id = $1 AND p.format = $2 AND p.recipe = $3 AND f.id <> t.id "
        "AND " OF_FIRMWARE("p.", "$1"),
    [WAITING] =
        "SELECT from_version, to_version, count(*) FROM attempt WHERE firmware_id = $1 AND state = 'waiting' "
        "GROUP BY from_version, to_version",
    [SPEEDS] = "SELECT p.format, p.effort, p.finished_ms - p.started_ms, " IMAGE_BYTES " FROM package p "
               "WHERE p.state = 'ready' AND p.origin <> 'uploaded' AND p.finished_ms > p.started_ms "
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
    return db_list(db, &matrix_statements, FIRMWARES, NO_PARAMS, FIELDS(F_INT(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool matrix_pairs(struct db *db, int64_t firmware_id, const char *format, const char *recipe,
                  struct matrix_pair **ret, size_t *ret_count, struct error *err)
{
    struct matrix_pair row = {0};
    return db_list(db, &matrix_statements, PAIRS, PARAMS(P_INT(firmware_id), P_TEXT(format), P_TEXT(recipe)),
                   FIELDS(F_TEXT(row.from), F_TEXT(row.to), F_INT(&row.image_bytes), F_TEXT(row.state),
                          F_INT(&row.wanted), F_INT(&row.size_bytes), F_INT(&row.proven),
                          F_INT(&row.released), F_INT(&row.effort), F_TEXT(row.error), F_INT(&row.queued_ms),
                          F_INT(&row.started_ms), F_INT(&row.finished_ms)),
                   &row, sizeof row, ret, ret_count, err);
}

bool matrix_waiting(struct db *db, int64_t firmware_id, struct matrix_waiting **ret, size_t *ret_count,
                    struct error *err)
{
    struct matrix_waiting row = {0};
    return db_list(db, &matrix_statements, WAITING, PARAMS(P_INT(firmware_id)),
                   FIELDS(F_TEXT(row.from), F_TEXT(row.to), F_INT(&row.devices)), &row, sizeof row, ret,
                   ret_count, err);
}

bool matrix_speeds(struct db *db, struct matrix_speed **ret, size_t *ret_count, struct error *err)
{
    struct matrix_speed row = {0};
    return db_list(
        db, &matrix_statements, SPEEDS, NO_PARAMS,
        FIELDS(F_TEXT(row.format), F_INT(&row.effort), F_INT(&row.took_ms), F_INT(&row.image_bytes)), &row,
        sizeof row, ret, ret_count, err);
}

bool matrix_backlog(struct db *db, struct matrix_backlog **ret, size_t *ret_count, struct error *err)
{
    struct matrix_backlog row = {0};
    return db_list(db, &matrix_statements, BACKLOG, NO_PARAMS,
                   FIELDS(F_TEXT(row.format), F_INT(&row.packages), F_INT(&row.image_bytes)), &row,
                   sizeof row, ret, ret_count, err);
}

bool matrix_forget(struct db *db, struct error *err)
{
    return db_do(db, &matrix_statements, FORGET, NO_PARAMS, NULL, err);
}

bool matrix_forget_format(struct db *db, int64_t firmware_id, const char *format, struct error *err)
{
    return db_do(db, &matrix_statements, FORGET_FORMAT, PARAMS(P_TEXT(format), P_INT(firmware_id)), NULL,
                 err);
}
