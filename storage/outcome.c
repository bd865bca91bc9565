/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/outcome.h"

#include "storage/entities.h"

enum { ROWS, BYTES };
static const char *const sql[] = {
    [ROWS] =
        "SELECT d.id, d.id_kind, d.device, d.confirmed_version, d.confirmed_by, d.confirmed_grade, d.asked_version, "
        "d.confirmed_ms, "
        "d.last_seen_ms, d.last_answer_ms, "
        /* For whom the guard closes is told apart by origin: is it closed for where the device itself fetched last? */
        "d.blocked AND EXISTS (SELECT 1 FROM guard_closed g WHERE g.device_id = d.id AND (g.origin = '' OR g.origin = coalesce("
        "(SELECT o.origin FROM attempt o WHERE o.device_id = d.id AND o.beside = 0 AND o.origin <> '' ORDER BY o.id DESC LIMIT 1), "
        "g.origin))), d.last_reason, a.id, a.from_version, a.to_version, a.state, a.reason, a.bytes_acked, a.created_ms, "
        "a.sent_ms, "
        "a.delivered_ms, a.ended_ms, EXISTS (SELECT 1 FROM attempt c WHERE c.firmware_id = $1 AND c.target_version = $2 "
        "AND c.device_id = d.id AND c.to_version = $2 AND c.state = 'confirmed' AND c.beside = 0) FROM device d LEFT JOIN attempt a ON a.id = (SELECT max(b.id) FROM "
        "attempt b "
        "WHERE b.firmware_id = $1 AND b.target_version = $2 AND b.device_id = d.id AND b.beside = 0) WHERE d.firmware_id = $1 "
        "ORDER BY d.id",
    [BYTES] =
        "SELECT coalesce(sum(bytes_acked), 0), "
        "coalesce(sum(bytes_acked) FILTER (WHERE state IN ('not_applied', 'diverged', 'silent', "
        "'abandoned')), 0) "
        "FROM attempt WHERE firmware_id = $1 AND target_version = $2",
};
DB_TABLE(outcome, ENTITY_OUTCOME);

bool outcome_rows(struct db *db, int64_t firmware_id, const char *target, struct outcome_row *row,
                  bool (*each)(void *cls), void *cls, struct error *err)
{
    return db_rows(db, &outcome_statements, ROWS, PARAMS(P_INT(firmware_id), P_TEXT(target)),
                   FIELDS(F_INT(&row->device_id), F_TEXT(row->id_kind), F_TEXT(row->device),
                          F_TEXT(row->confirmed_version), F_TEXT(row->confirmed_by),
                          F_TEXT(row->confirmed_grade), F_TEXT(row->asked_version), F_INT(&row->confirmed_ms),
                          F_INT(&row->last_seen_ms), F_INT(&row->last_answer_ms), F_INT(&row->blocked),
                          F_TEXT(row->last_reason), F_INT(&row->attempt_id), F_TEXT(row->from),
                          F_TEXT(row->to), F_TEXT(row->state), F_TEXT(row->reason), F_INT(&row->bytes_acked),
                          F_INT(&row->created_ms), F_INT(&row->sent_ms), F_INT(&row->delivered_ms),
                          F_INT(&row->ended_ms), F_INT(&row->by_us)),
                   each, cls, err);
}

bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err)
{
    bool found;
    return db_row(db, &outcome_statements, BYTES, PARAMS(P_INT(firmware_id), P_TEXT(target)),
                  FIELDS(F_INT(&ret->all), F_INT(&ret->vain)), &found, err);
}
