/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/outcome.h"

#include "storage/entities.h"

/* The guard is closed for the origin that the device itself last fetched from, or for all origins. */
#define BLOCKED                                                                                              \
    "d.blocked AND EXISTS (SELECT 1 FROM guard_closed g WHERE g.device_id = d.id AND (g.origin = '' "        \
    "OR g.origin = coalesce((SELECT o.origin FROM attempt o WHERE o.device_id = d.id AND o.beside = 0 "      \
    "AND o.origin <> '' ORDER BY o.id DESC LIMIT 1), g.origin)))"
#define BY_US                                                                                                \
    "EXISTS (SELECT 1 FROM attempt c WHERE c.firmware_id = $1 AND c.target_version = $2 "                    \
    "AND c.device_id = d.id AND c.to_version = $2 AND c.state = 'confirmed' AND c.beside = 0)"

/* Of the device d, and of its newest attempt a for the target. */
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(d.id, INT, row->device_id)                                                                         \
    NEXT(d.id_kind, ENUM, row->id_kind, &id_kind_names)                                                      \
    NEXT(d.device, TEXT, row->device)                                                                        \
    NEXT(d.confirmed_version, TEXT, row->confirmed_version)                                                  \
    NEXT(d.confirmed_by, ENUM, row->confirmed_by, &reported_by_names)                                        \
    NEXT(d.confirmed_grade, ENUM, row->confirmed_grade, &grade_names)                                        \
    NEXT(d.asked_version, TEXT, row->asked_version)                                                          \
    NEXT(d.confirmed_ms, INT, row->confirmed_ms)                                                             \
    NEXT(d.last_seen_ms, INT, row->last_seen_ms)                                                             \
    NEXT(d.last_answer_ms, INT, row->last_answer_ms)                                                         \
    NEXT(d.last_reason, TEXT, row->last_reason)                                                              \
    NEXT(a.id, INT, row->attempt_id)                                                                         \
    NEXT(a.from_version, TEXT, row->from)                                                                    \
    NEXT(a.to_version, TEXT, row->to)                                                                        \
    NEXT(a.state, ENUM, row->state, &attempt_state_names)                                                    \
    NEXT(a.reason, TEXT, row->reason)                                                                        \
    NEXT(a.bytes_acked, INT, row->bytes_acked)                                                               \
    NEXT(a.created_ms, INT, row->created_ms)                                                                 \
    NEXT(a.sent_ms, INT, row->sent_ms)                                                                       \
    NEXT(a.delivered_ms, INT, row->delivered_ms)                                                             \
    NEXT(a.ended_ms, INT, row->ended_ms)

enum { ROWS, BYTES };
static const char *const sql[] = {
    [ROWS] = "SELECT " COLUMN_NAMES(
        COLUMNS) ", " BLOCKED ", " BY_US
                 " FROM device d "
                 "LEFT JOIN attempt a ON a.id = (SELECT max(b.id) FROM attempt b WHERE b.firmware_id = $1 "
                 "AND b.target_version = $2 AND b.device_id = d.id AND b.beside = 0) "
                 "WHERE d.firmware_id = $1 AND d.state IS NULL ORDER BY d.id",
    [BYTES] =
        "SELECT coalesce(sum(bytes_acked), 0), coalesce(sum(bytes_acked) FILTER (WHERE state IN "
        "('not_applied', 'diverged', 'silent', 'abandoned')), 0) FROM attempt WHERE firmware_id = $1 "
        "AND target_version = $2",
};
DB_TABLE(outcome, ENTITY_OUTCOME);

bool outcome_rows(struct db *db, int64_t firmware_id, const char *target, struct outcome_row *row,
                  db_each *each, void *cls, struct error *err)
{
    return db_rows(db,
                   QUERY(ROWS, PARAMS(P_INT(firmware_id), P_TEXT(target)),
                         FIELDS(COLUMN_FIELDS(COLUMNS, row), F_BOOL(&row->blocked), F_BOOL(&row->by_us))),
                   each, cls, err);
}

bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(BYTES, PARAMS(P_INT(firmware_id), P_TEXT(target)), FIELDS(F_INT(&ret->all), F_INT(&ret->vain))),
        &found, err);
}
