/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/outcome.h"

#include <stdlib.h>

#include "storage/entities.h"

/* Of the device d, and of its newest attempt a for the target. */
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(d.id, INT, row->device_id)                                                                         \
    NEXT(d.id_kind, ENUM, row->id_kind, &id_kind_names)                                                      \
    NEXT(d.device, TEXT, row->device)                                                                        \
    NEXT(d.confirmed_version, TEXT, row->confirmed_version)                                                  \
    NEXT(d.build_sha256, HASH, row->build)                                                                   \
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

#define GROUP(FIRST, NEXT, row)                                                                              \
    FIRST(g.id, INT, row->group.id)                                                                          \
    NEXT(g.firmware_id, INT, row->group.firmware_id)                                                         \
    NEXT(g.target_version, TEXT, row->group.target)                                                          \
    NEXT(g.confirmed_version, TEXT, row->group.confirmed)                                                    \
    NEXT(g.asked_version, TEXT, row->group.asked)                                                            \
    NEXT(g.blocked, BOOL, row->group.blocked)                                                                \
    NEXT(g.by_us, BOOL, row->group.by_us)                                                                    \
    NEXT(g.state, TEXT, row->group.state)                                                                    \
    NEXT(g.to_target, BOOL, row->group.to_target)

enum { GROUPS, BUILDS, MEMBERS, OF_FIRMWARE, ROW_OF, BYTES };
static const char *const sql[] = {
    /* A group without a target also has the devices with an attempt for it: these are subtracted. */
    [GROUPS] = "SELECT " COLUMN_NAMES(GROUP) ", g.devices - CASE g.target_version WHEN '' THEN "
               "coalesce((SELECT sum(t.devices) FROM fleet_group t WHERE t.firmware_id = $1 AND "
               "t.target_version = $2 AND t.confirmed_version = g.confirmed_version AND "
               "t.asked_version = g.asked_version AND t.blocked = g.blocked), 0) "
               "ELSE 0 END FROM fleet_group g WHERE g.firmware_id = $1 AND g.target_version IN ('', $2)",
    [BUILDS] = "SELECT d.build_sha256, count(*) FROM fleet_member m JOIN device d ON d.id = m.device_id "
               "WHERE m.group_id = $1 AND d.build_sha256 IS NOT NULL AND d.confirmed_version = $2 AND NOT "
               "(m.target_version = '' AND EXISTS (SELECT 1 FROM fleet_member t WHERE t.device_id = m.device_id "
               "AND t.firmware_id = m.firmware_id AND t.target_version = $3 AND t.group_id <> 0)) GROUP BY d.build_sha256",
    [MEMBERS] = "SELECT m.device_id, m.target_version = '' AND EXISTS (SELECT 1 FROM fleet_member t "
                "WHERE t.device_id = m.device_id AND t.firmware_id = $1 AND t.target_version = $2 AND "
                "t.group_id <> 0) FROM fleet_member m WHERE m.group_id = $3 AND m.device_id > $4 "
                "ORDER BY m.device_id LIMIT $5",
    [OF_FIRMWARE] = "SELECT id, 0 FROM device WHERE firmware_id = $1 AND state IS NULL AND id > $2 ORDER BY id LIMIT $3",
    [ROW_OF] = "SELECT " COLUMN_NAMES(COLUMNS) ", " BLOCKED_FOR_ORIGIN("d") ", "
               CONFIRMED_BY_US("$1", "$2", "d.id") " FROM device d LEFT JOIN attempt a ON a.id = "
               NEWEST_FOR_TARGET("$1", "$2", "d.id") " WHERE d.id = $3 AND d.firmware_id = $1 AND d.state IS NULL",
    [BYTES] = "SELECT bytes, vain FROM fleet_bytes WHERE firmware_id = $1 AND target_version = $2",
};
DB_TABLE(outcome, ENTITY_OUTCOME);

bool outcome_groups(struct db *db, int64_t firmware_id, const char *target, struct outcome_group **ret,
                    size_t *ret_count, struct error *err)
{
    struct outcome_group row = {.devices = 0};
    return db_list(db,
                   QUERY(GROUPS, PARAMS(P_INT(firmware_id), P_TEXT(target)),
                         FIELDS(COLUMN_FIELDS(GROUP, (&row)), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}

bool outcome_builds(struct db *db, const struct outcome_group *group, const char *version, const char *target,
                    struct outcome_build **ret, size_t *ret_count, struct error *err)
{
    struct outcome_build row = {.devices = 0};
    return db_list(db,
                   QUERY(BUILDS, PARAMS(P_INT(group->group.id), P_TEXT(version), P_TEXT(target)),
                         FIELDS(F_HASH(&row.hash), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}

struct walk {
    struct outcome_page *page;
    int64_t device_id;
    bool elsewhere; /* counted in a group of the target */
    int64_t walked; /* rows */
    size_t first;   /* of page->ids that is of this walk */
    bool no_memory;
};

static bool take_id(void *cls)
{
    struct walk *walk = cls;
    struct outcome_page *page = walk->page;
    walk->walked++;
    page->last_walked = walk->device_id;
    if (walk->elsewhere)
        return true;
    if (page->count == page->room) {
        size_t room = page->room ? page->room * 2 : 128;
        int64_t *ids = reallocarray(page->ids, room, sizeof *ids);
        walk->no_memory = !ids;
        if (!ids)
            return false;
        page->ids = ids;
        page->room = room;
    }
    page->ids[page->count++] = walk->device_id;
    return page->count - walk->first < (size_t)page->limit;
}

/* A walk that ends before its last row also ends the page: what comes after is not known. */
static bool walk_ids(struct db *db, const struct db_query *query, struct walk *walk, struct error *err)
{
    struct outcome_page *page = walk->page;
    if (!db_rows(db, query, take_id, walk, err))
        return false;
    if (walk->no_memory)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool ended = walk->walked < OUTCOME_WALK && page->count - walk->first < (size_t)page->limit;
    if (!ended && page->last_walked < page->until)
        page->until = page->last_walked;
    return true;
}

bool outcome_members(struct db *db, const struct fleet_group *group, const char *target,
                     struct outcome_page *page, struct error *err)
{
    struct walk walk = {.page = page, .first = page->count};
    return walk_ids(db,
                    QUERY(MEMBERS,
                          PARAMS(P_INT(group->firmware_id), P_TEXT(target), P_INT(group->id),
                                 P_INT(page->after), P_INT(OUTCOME_WALK)),
                          FIELDS(F_INT(&walk.device_id), F_BOOL(&walk.elsewhere))),
                    &walk, err);
}

bool outcome_of_firmware(struct db *db, int64_t firmware_id, struct outcome_page *page, struct error *err)
{
    struct walk walk = {.page = page, .first = page->count};
    return walk_ids(db,
                    QUERY(OF_FIRMWARE, PARAMS(P_INT(firmware_id), P_INT(page->after), P_INT(OUTCOME_WALK)),
                          FIELDS(F_INT(&walk.device_id), F_BOOL(&walk.elsewhere))),
                    &walk, err);
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

void outcome_page_cut(struct outcome_page *page)
{
    size_t count = 0;
    if (page->count)
        qsort(page->ids, page->count, sizeof *page->ids, compare_ids);
    while (count < page->count && count < (size_t)page->limit && page->ids[count] <= page->until)
        count++;
    if (count < page->count && count == (size_t)page->limit)
        page->until = page->ids[count - 1];
    page->count = count;
}

bool outcome_row_of(struct db *db, int64_t firmware_id, const char *target, int64_t device_id,
                    struct outcome_row *ret, bool *ret_found, struct error *err)
{
    return db_row(db,
                  QUERY(ROW_OF, PARAMS(P_INT(firmware_id), P_TEXT(target), P_INT(device_id)),
                        FIELDS(COLUMN_FIELDS(COLUMNS, ret), F_BOOL(&ret->blocked), F_BOOL(&ret->by_us))),
                  ret_found, err);
}

bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err)
{
    bool found;
    *ret = (struct outcome_bytes){.all = 0};
    return db_row(
        db,
        QUERY(BYTES, PARAMS(P_INT(firmware_id), P_TEXT(target)), FIELDS(F_INT(&ret->all), F_INT(&ret->vain))),
        &found, err);
}
