/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/proof.h"

#include "storage/entities.h"

#define DEVICE_COLUMNS(FIRST, NEXT, row)                                                                     \
    FIRST(c.campaign_id, INT, row->place.campaign_id)                                                        \
    NEXT(c.device_id, INT, row->place.device_id)                                                             \
    NEXT(c.rank, INT, row->place.rank)                                                                       \
    NEXT(c.stage, INT, row->place.stage)                                                                     \
    NEXT(c.outcome, ENUM, row->place.outcome, &campaign_outcome_names)                                       \
    NEXT(c.at_ms, INT, row->place.at_ms)                                                                     \
    NEXT(d.id_kind, ENUM, row->id_kind, &id_kind_names)                                                      \
    NEXT(d.device, TEXT, row->device)                                                                        \
    NEXT(d.confirmed_version, TEXT, row->confirmed_version)                                                  \
    NEXT(d.confirmed_by, ENUM, row->confirmed_by, &reported_by_names)                                        \
    NEXT(d.confirmed_grade, ENUM, row->confirmed_grade, &grade_names)                                        \
    NEXT(d.confirmed_ms, INT, row->confirmed_ms)

#define ATTEMPT_COLUMNS(FIRST, NEXT, row)                                                                    \
    FIRST(id, INT, row->id)                                                                                  \
    NEXT(from_version, TEXT, row->from)                                                                      \
    NEXT(to_version, TEXT, row->to)                                                                          \
    NEXT(format, TEXT, row->format)                                                                          \
    NEXT(state, ENUM, row->state, &attempt_state_names)                                                      \
    NEXT(package_sha256, HASH, row->package_sha256)                                                          \
    NEXT(size_bytes, INT, row->size_bytes)                                                                   \
    NEXT(bytes_acked, INT, row->bytes_acked)                                                                 \
    NEXT(proven, BOOL, row->proven)                                                                          \
    NEXT(by_proxy, BOOL, row->by_proxy)                                                                      \
    NEXT(released_by, TEXT, row->released_by)                                                                \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(sent_ms, INT, row->sent_ms)                                                                         \
    NEXT(delivered_ms, INT, row->delivered_ms)                                                               \
    NEXT(ended_ms, INT, row->ended_ms)

enum { APPROVALS, DEVICES, ATTEMPTS, BOUNDS, NUMBERS, OF_KIND, OF_KIND_IN };
static const char *const sql[] = {
    [APPROVALS] =
        "SELECT position, name, at_ms FROM campaign_approval WHERE campaign_id = $1 ORDER BY position, at_ms, name",
    [DEVICES] = ("SELECT " COLUMN_NAMES(
        DEVICE_COLUMNS) ", c.stage IS NOT NULL FROM campaign_device c "
                        "JOIN device d ON d.id = c.device_id WHERE c.campaign_id = $1 AND c.rank > $2 "
                        "ORDER BY c.rank LIMIT $3"),
    [ATTEMPTS] = ("SELECT " COLUMN_NAMES(ATTEMPT_COLUMNS) " FROM attempt WHERE device_id = $1 "
                                                          "AND campaign_id = $2 ORDER BY id DESC LIMIT $3"),
    [BOUNDS] =
        "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM ledger WHERE product = $1 AND product <> '' "
        "AND firmware = $2 AND at_ms >= $3 AND at_ms <= $4",
    [NUMBERS] =
        "SELECT seq FROM ledger WHERE product = $1 AND product <> '' AND firmware = $2 AND seq >= $3 AND seq <= $4 "
        "ORDER BY seq LIMIT $5",
    [OF_KIND] = "SELECT seq, package, detail FROM ledger WHERE kind = $1 ORDER BY seq DESC",
    [OF_KIND_IN] =
        "SELECT seq, package, detail FROM ledger WHERE kind = $1 AND product = $2 AND firmware = $3 "
        "ORDER BY seq DESC",
};
DB_TABLE(proof, ENTITY_PROOF);

bool proof_approvals(struct db *db, int64_t campaign_id, struct proof_approval **ret, size_t *ret_count,
                     struct error *err)
{
    struct proof_approval row = {.stage = 0};
    return db_list(db,
                   QUERY(APPROVALS, PARAMS(P_INT(campaign_id)),
                         FIELDS(F_INT(&row.stage), F_TEXT(row.by), F_INT(&row.at_ms))),
                   &row, sizeof row, ret, ret_count, err);
}

bool proof_devices(struct db *db, int64_t campaign_id, int64_t after, int64_t limit,
                   struct proof_device **ret, size_t *ret_count, struct error *err)
{
    struct proof_device found = {.confirmed_ms = 0}, *row = &found;
    return db_list(db,
                   QUERY(DEVICES, PARAMS(P_INT(campaign_id), P_INT(after), P_INT(limit)),
                         FIELDS(COLUMN_FIELDS(DEVICE_COLUMNS, row), F_BOOL(&row->place.admitted))),
                   row, sizeof *row, ret, ret_count, err);
}

bool proof_attempts(struct db *db, int64_t device_id, int64_t campaign_id, int64_t limit,
                    struct proof_attempt **ret, size_t *ret_count, struct error *err)
{
    struct proof_attempt found = {.id = 0}, *row = &found;
    return db_list(db,
                   QUERY(ATTEMPTS, PARAMS(P_INT(device_id), P_INT(campaign_id), P_INT(limit)),
                         FIELDS(COLUMN_FIELDS(ATTEMPT_COLUMNS, row))),
                   row, sizeof *row, ret, ret_count, err);
}

bool proof_row_bounds(struct db *db, struct proof_rows *rows, int64_t since_ms, int64_t until_ms,
                      struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(BOUNDS, PARAMS(P_TEXT(rows->product), P_TEXT(rows->firmware), P_INT(since_ms), P_INT(until_ms)),
              FIELDS(F_INT(&rows->first), F_INT(&rows->last))),
        &found, err);
}

bool proof_row_numbers(struct db *db, const struct proof_rows *rows, int64_t limit, int64_t **ret,
                       size_t *ret_count, struct error *err)
{
    int64_t seq = 0;
    return db_list(db,
                   QUERY(NUMBERS,
                         PARAMS(P_TEXT(rows->product), P_TEXT(rows->firmware), P_INT(rows->first),
                                P_INT(rows->last), P_INT(limit)),
                         FIELDS(F_INT(&seq))),
                   &seq, sizeof seq, ret, ret_count, err);
}

bool proof_rows_of_kind(struct db *db, enum ledger_kind kind, const struct proof_rows *rows,
                        struct proof_row *row, db_each *each, void *cls, struct error *err)
{
    const char *name = ledger_kind_name(kind);
    if (!rows->product[0])
        return db_rows(db,
                       QUERY(OF_KIND, PARAMS(P_TEXT(name)),
                             FIELDS(F_INT(&row->seq), F_TEXT(row->package), F_TEXT(row->detail))),
                       each, cls, err);
    return db_rows(db,
                   QUERY(OF_KIND_IN, PARAMS(P_TEXT(name), P_TEXT(rows->product), P_TEXT(rows->firmware)),
                         FIELDS(F_INT(&row->seq), F_TEXT(row->package), F_TEXT(row->detail))),
                   each, cls, err);
}
