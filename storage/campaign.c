/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/campaign.h"

#include <string.h>

#include "storage/entities.h"

static const char *const audience_texts[] = {"all", "list"};
const struct enum_names audience_names = ENUM_NAMES(audience_texts);

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(name, TEXT, row->name)                                                                             \
    NEXT(target, TEXT, row->target)                                                                          \
    NEXT(state, ENUM, row->state, &campaign_state_names)                                                     \
    NEXT(audience, ENUM, row->audience, &audience_names)                                                     \
    NEXT(devices, INT, row->devices)                                                                         \
    NEXT(out, INT, row->out)                                                                                 \
    NEXT(ahead, INT, row->ahead)                                                                             \
    NEXT(filter, TEXT_OR_NULL, row->filter)                                                                  \
    NEXT(ordering, ENUM_OR_NULL, row->order, &campaign_order_names)                                          \
    NEXT(firsts, INT, row->firsts)                                                                           \
    NEXT(reach, INT, row->reach)                                                                             \
    NEXT(reached, INT, row->reached)                                                                         \
    NEXT(stage, INT, row->stage)                                                                             \
    NEXT(stage_started_ms, INT_OR_NULL, row->stage_started_ms)                                               \
    NEXT(paused_why, TEXT_OR_NULL, row->paused_why)                                                          \
    NEXT(breach, ENUM_OR_NULL, row->breach, &gate_breach_names)                                              \
    NEXT(breach_stage, INT_OR_NULL, row->breach_stage)                                                       \
    NEXT(last_done, BOOL, row->last_done)                                                                    \
    NEXT(asked_stage, INT, row->asked_stage)                                                                 \
    NEXT(pause_when_done, BOOL, row->pause_when_done)                                                        \
    NEXT(finish_transfers, BOOL, row->finish_transfers)                                                      \
    NEXT(started_ms, INT_OR_NULL, row->started_ms)                                                           \
    NEXT(ended_ms, INT_OR_NULL, row->ended_ms)                                                               \
    NEXT(forecast, TEXT_OR_NULL, row->forecast)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(firmware_id, INT, row->firmware_id)                                                                \
    NEXT(plain, BOOL, row->plain)                                                                            \
    NEXT(created_by, TEXT_OR_NULL, row->created_by)                                                          \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row) NEXT(bytes, INT, row->bytes) NEXT(vain, INT, row->vain)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

struct stage_row {
    int64_t position;
    enum stage_kind kind;
    int64_t size, least_confirmed, confirmed_percent, most_failed, most_silent, settle_ms, approvals;
    int64_t last_confirmed_ms, count[CAMPAIGN_OUTCOME_COUNT], approved, accepted_failed, accepted_silent;
};

#define STAGE_SET(FIRST, NEXT, row)                                                                          \
    FIRST(position, INT, row->position)                                                                      \
    NEXT(kind, ENUM, row->kind, &stage_kind_names)                                                           \
    NEXT(size, INT, row->size)                                                                               \
    NEXT(least_confirmed, INT, row->least_confirmed)                                                         \
    NEXT(confirmed_percent, INT, row->confirmed_percent)                                                     \
    NEXT(most_failed, INT, row->most_failed)                                                                 \
    NEXT(most_silent, INT, row->most_silent)                                                                 \
    NEXT(settle_ms, INT, row->settle_ms)                                                                     \
    NEXT(approvals, INT, row->approvals)
#define STAGE_COLUMNS(FIRST, NEXT, row)                                                                      \
    STAGE_SET(FIRST, NEXT, row)                                                                              \
    NEXT(accepted_failed, INT, row->accepted_failed)                                                         \
    NEXT(accepted_silent, INT, row->accepted_silent)                                                         \
    NEXT(last_confirmed_ms, INT_OR_NULL, row->last_confirmed_ms)                                             \
    NEXT(admitted, INT, row->count[OUTCOME_ADMITTED])                                                        \
    NEXT(confirmed, INT, row->count[OUTCOME_CONFIRMED])                                                      \
    NEXT(not_applied, INT, row->count[OUTCOME_NOT_APPLIED])                                                  \
    NEXT(diverged, INT, row->count[OUTCOME_DIVERGED])                                                        \
    NEXT(silent, INT, row->count[OUTCOME_SILENT])

#define SELECT  "SELECT " COLUMN_NAMES(COLUMNS) " FROM campaign "
#define IS_LIVE "state IN ('running', 'paused')"

enum {
    ADD,
    UPDATE,
    REMOVE,
    BY_ID,
    BY_NAME,
    LIST,
    LIST_ALL,
    PLAIN,
    OPEN,
    LIVE,
    TARGETS,
    RUNNING,
    LEADING,
    CONFLICT,
    STAGES,
    STAGES_DROP,
    APPROVALS_DROP,
    STAGE_ADD,
    STAGE_ACCEPT,
    STAGE_CLOCK,
    STAGE_MOVE,
    APPROVE
};
static const char *const sql[] = {
    [ADD] = "INSERT INTO campaign (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [UPDATE] = "UPDATE campaign SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [REMOVE] = "DELETE FROM campaign WHERE id = $1",
    [BY_ID] = KEPT SELECT "WHERE id = $1",
    [BY_NAME] = SELECT "WHERE firmware_id = $1 AND name = $2 AND plain = 0",
    [LIST] = SELECT "WHERE firmware_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    [LIST_ALL] = SELECT "WHERE id < $1 ORDER BY id DESC LIMIT $2",
    [PLAIN] = SELECT "WHERE firmware_id = $1 AND plain = 1 AND " IS_LIVE,
    [OPEN] = KEPT SELECT "WHERE firmware_id = $1 AND audience = 'all' AND " IS_LIVE " ORDER BY filter IS NULL, id DESC",
    [LIVE] = SELECT "WHERE firmware_id = $1 AND " IS_LIVE " LIMIT 1",
    [TARGETS] = "SELECT DISTINCT target FROM campaign WHERE firmware_id = $1 AND " IS_LIVE " ORDER BY target",
    [RUNNING] = "SELECT id FROM campaign WHERE " IS_LIVE " AND state = 'running' AND plain = 0",
    [LEADING] = SELECT "WHERE firmware_id = $1 AND target = $2 AND plain = 0 AND " IS_LIVE,
    [CONFLICT] = SELECT
        "AS c WHERE firmware_id = $1 AND " IS_LIVE " AND target <> $2 AND id <> $3 AND id <> $4 AND (audience = 'all' OR "
        "$5 = 'all' OR EXISTS (SELECT 1 FROM campaign_device m JOIN campaign_device o ON o.campaign_id = c.id "
        "AND o.device_id = m.device_id WHERE m.campaign_id = $3)) LIMIT 1",
    [STAGES] = "SELECT " COLUMN_NAMES(STAGE_COLUMNS) ", (SELECT count(*) FROM campaign_approval a WHERE "
               "a.campaign_id = s.campaign_id AND a.position = s.position) FROM campaign_stage s "
               "WHERE campaign_id = $1 ORDER BY position",
    [STAGES_DROP] = "DELETE FROM campaign_stage WHERE campaign_id = $1",
    [APPROVALS_DROP] = "DELETE FROM campaign_approval WHERE campaign_id = $1",
    [STAGE_ADD] = "INSERT INTO campaign_stage (campaign_id, " COLUMN_NAMES(STAGE_SET) ") VALUES ($1, "
                  COLUMN_VALUES(STAGE_SET) ")",
    [STAGE_ACCEPT] = "UPDATE campaign_stage SET accepted_failed = $1, accepted_silent = $2 WHERE campaign_id = $3 "
                     "AND position = $4",
    [STAGE_CLOCK] = "UPDATE campaign_stage SET last_confirmed_ms = min(last_confirmed_ms, $1) WHERE campaign_id = $2",
    [STAGE_MOVE] = "UPDATE campaign_stage SET admitted = admitted + $1, confirmed = confirmed + $2, "
                   "not_applied = not_applied + $3, diverged = diverged + $4, silent = silent + $5, "
                   "last_confirmed_ms = coalesce($6, last_confirmed_ms) WHERE campaign_id = $7 AND position = $8",
    [APPROVE] = ("INSERT INTO campaign_approval (campaign_id, position, name, at_ms) VALUES ($1, $2, $3, $4) "
                 "ON CONFLICT DO NOTHING"),
};
DB_TABLE(campaign, ENTITY_CAMPAIGN);

struct stage_place campaign_place(const struct campaign *campaign, int64_t rank)
{
    bool ranked = campaign->audience == AUDIENCE_LIST;
    return (struct stage_place){.ranked = ranked,
                                .rank = (unsigned)rank,
                                .audience = (unsigned)(campaign->devices - (ranked ? campaign->out : 0)),
                                .reach = (unsigned)campaign->reach,
                                .stage_started_ms = campaign->stage_started_ms};
}

const char *campaign_audience_name(const struct campaign *campaign)
{
    return campaign->filter[0] ? "filter" : enum_name(&audience_names, campaign->audience);
}

/* A plain campaign has no name of its own. */
static bool check_name(struct db *db, const struct campaign *campaign, struct error *err)
{
    struct campaign other = {.id = 0};
    bool found;
    if (campaign->plain)
        return true;
    if (!db_row(db, QUERY(BY_NAME, PARAMS(P_INT(campaign->firmware_id), P_TEXT(campaign->name)), ROW(&other)),
                &found, err))
        return false;
    return !found || other.id == campaign->id ||
           error_set(err, ERROR_CAMPAIGN_EXISTS, "the firmware has a campaign %s already", campaign->name);
}

bool campaign_add(struct db *db, struct campaign *campaign, struct error *err)
{
    campaign->id = 0;
    if (!check_name(db, campaign, err) ||
        !db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, campaign))), NULL, err))
        return false;
    campaign->id = db_last_id(db);
    return true;
}

bool campaign_update(struct db *db, const struct campaign *campaign, struct error *err)
{
    return check_name(db, campaign, err) &&
           db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, campaign), P_INT(campaign->id))), NULL,
                 err);
}

bool campaign_remove(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(REMOVE, PARAMS(P_INT(id))), NULL, err);
}

bool campaign_by_id(struct db *db, int64_t id, struct campaign *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

bool campaign_get(struct db *db, int64_t firmware_id, const char *text, struct campaign *ret,
                  struct error *err)
{
    uint64_t id;
    bool found;
    if (slice_u64(slice_of(text), &id) && id <= INT64_MAX) {
        if (!campaign_by_id(db, (int64_t)id, ret, &found, err))
            return false;
        found = found && ret->firmware_id == firmware_id;
    } else if (!db_row(db, QUERY(BY_NAME, PARAMS(P_INT(firmware_id), P_TEXT(text)), ROW(ret)), &found, err)) {
        return false;
    }
    return found || error_set(err, ERROR_CAMPAIGN_NOT_FOUND, "the firmware has no campaign %s", text);
}

bool campaign_list(struct db *db, int64_t firmware_id, int64_t before, int64_t limit, struct campaign **ret,
                   size_t *ret_count, struct error *err)
{
    struct campaign row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(firmware_id), P_INT(before), P_INT(limit)), ROW(&row)), &row,
                   sizeof row, ret, ret_count, err);
}

bool campaign_list_all(struct db *db, int64_t before, int64_t limit, struct campaign **ret, size_t *ret_count,
                       struct error *err)
{
    struct campaign row = {0};
    return db_list(db, QUERY(LIST_ALL, PARAMS(P_INT(before), P_INT(limit)), ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool campaign_plain_of(struct db *db, int64_t firmware_id, struct campaign *ret, bool *ret_found,
                       struct error *err)
{
    return db_row(db, QUERY(PLAIN, PARAMS(P_INT(firmware_id)), ROW(ret)), ret_found, err);
}

bool campaign_list_open(struct db *db, int64_t firmware_id, struct campaign **ret, size_t *ret_count,
                        struct error *err)
{
    struct campaign row = {0};
    return db_list(db, QUERY(OPEN, PARAMS(P_INT(firmware_id)), ROW(&row)), &row, sizeof row, ret, ret_count,
                   err);
}

bool campaign_live_of(struct db *db, int64_t firmware_id, struct campaign *ret, bool *ret_found,
                      struct error *err)
{
    return db_row(db, QUERY(LIVE, PARAMS(P_INT(firmware_id)), ROW(ret)), ret_found, err);
}

bool campaign_targets(struct db *db, int64_t firmware_id, char (**ret)[VERSION_TEXT_SIZE], size_t *ret_count,
                      struct error *err)
{
    char row[VERSION_TEXT_SIZE] = "";
    return db_list(db, QUERY(TARGETS, PARAMS(P_INT(firmware_id)), FIELDS(F_TEXT(row))), row, sizeof row, ret,
                   ret_count, err);
}

bool campaign_running(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(db, QUERY(RUNNING, NO_PARAMS, FIELDS(F_INT(&row))), &row, sizeof row, ret, ret_count, err);
}

bool campaign_list_leading(struct db *db, int64_t firmware_id, const char *target, struct campaign **ret,
                           size_t *ret_count, struct error *err)
{
    struct campaign row = {0};
    return db_list(db, QUERY(LEADING, PARAMS(P_INT(firmware_id), P_TEXT(target)), ROW(&row)), &row,
                   sizeof row, ret, ret_count, err);
}

bool campaign_conflict(struct db *db, const struct campaign *campaign, int64_t besides, struct campaign *ret,
                       bool *ret_found, struct error *err)
{
    return db_row(db,
                  QUERY(CONFLICT,
                        PARAMS(P_INT(campaign->firmware_id), P_TEXT(campaign->target), P_INT(campaign->id),
                               P_INT(besides), P_ENUM(campaign->audience, &audience_names)),
                        ROW(ret)),
                  ret_found, err);
}

/* ---- stages ---- */

static struct stage stage_of(const struct stage_row *row)
{
    struct stage stage = {.kind = row->kind,
                          .size = (unsigned)row->size,
                          .least_confirmed = (unsigned)row->least_confirmed,
                          .confirmed_percent = (unsigned)row->confirmed_percent,
                          .most_failed = (unsigned)row->most_failed,
                          .most_silent = (unsigned)row->most_silent,
                          .settle_ms = row->settle_ms,
                          .approvals = (unsigned)row->approvals,
                          .last_confirmed_ms = row->last_confirmed_ms,
                          .accepted_failed = (unsigned)row->accepted_failed,
                          .accepted_silent = (unsigned)row->accepted_silent,
                          .approved = (unsigned)row->approved};
    for (int i = OUTCOME_ADMITTED; i < OUTCOME_OUT; i++)
        stage.count[i] = (unsigned)row->count[i];
    return stage;
}

struct stage_list {
    struct stage_row row;
    struct stages *stages;
};

static bool take_stage(void *cls)
{
    struct stage_list *list = cls;
    if (list->stages->count < CAMPAIGN_STAGES_MAX)
        list->stages->stage[list->stages->count++] = stage_of(&list->row);
    return true;
}

bool campaign_stages_load(struct db *db, int64_t id, struct stages *ret, struct error *err)
{
    struct stage_list list = {.stages = ret};
    struct stage_row *row = &list.row;
    *ret = (struct stages){.count = 0};
    if (!db_rows(db,
                 QUERY(STAGES, PARAMS(P_INT(id)),
                       FIELDS(COLUMN_FIELDS(STAGE_COLUMNS, row), F_INT(&row->approved))),
                 take_stage, &list, err))
        return false;
    return ret->count || error_set(err, ERROR_CORRUPT, "campaign %lld has no stage", (long long)id);
}

bool campaign_stages_set(struct db *db, int64_t id, const struct stages *stages, struct error *err)
{
    if (!db_do(db, COMMAND(STAGES_DROP, PARAMS(P_INT(id))), NULL, err) ||
        !db_do(db, COMMAND(APPROVALS_DROP, PARAMS(P_INT(id))), NULL, err))
        return false;
    for (unsigned i = 0; i < stages->count; i++) {
        const struct stage *stage = &stages->stage[i];
        const struct stage_row made = {.position = i,
                                       .kind = stage->kind,
                                       .size = stage->size,
                                       .least_confirmed = stage->least_confirmed,
                                       .confirmed_percent = stage->confirmed_percent,
                                       .most_failed = stage->most_failed,
                                       .most_silent = stage->most_silent,
                                       .settle_ms = stage->settle_ms,
                                       .approvals = stage->approvals};
        const struct stage_row *row = &made;
        if (!db_do(db, COMMAND(STAGE_ADD, PARAMS(P_INT(id), COLUMN_PARAMS(STAGE_SET, row))), NULL, err))
            return false;
    }
    return true;
}

bool campaign_stage_accept(struct db *db, int64_t id, unsigned position, const struct stage *stage,
                           struct error *err)
{
    return db_do(db,
                 COMMAND(STAGE_ACCEPT, PARAMS(P_INT(stage->accepted_failed), P_INT(stage->accepted_silent),
                                              P_INT(id), P_INT(position))),
                 NULL, err);
}

bool campaign_stages_clamp(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(STAGE_CLOCK, PARAMS(P_INT(now_ms), P_INT(id))), NULL, err);
}

bool campaign_stage_move(struct db *db, int64_t id, unsigned position, enum campaign_outcome from,
                         enum campaign_outcome to, int64_t devices, int64_t now_ms, struct error *err)
{
    int64_t delta[CAMPAIGN_OUTCOME_COUNT] = {0};
    delta[from] -= devices;
    delta[to] += devices;
    return db_do(db,
                 COMMAND(STAGE_MOVE, PARAMS(P_INT(delta[OUTCOME_ADMITTED]), P_INT(delta[OUTCOME_CONFIRMED]),
                                            P_INT(delta[OUTCOME_NOT_APPLIED]), P_INT(delta[OUTCOME_DIVERGED]),
                                            P_INT(delta[OUTCOME_SILENT]),
                                            to == OUTCOME_CONFIRMED && devices ? P_INT(now_ms) : P_NULL,
                                            P_INT(id), P_INT(position))),
                 NULL, err);
}

bool campaign_approve(struct db *db, int64_t id, unsigned position, const char *name, int64_t now_ms,
                      bool *ret_new, struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(APPROVE, PARAMS(P_INT(id), P_INT(position), P_TEXT(name), P_INT(now_ms))),
               &changes, err))
        return false;
    *ret_new = changes > 0;
    return true;
}
