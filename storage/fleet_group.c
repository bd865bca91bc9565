/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/fleet_group.h"

#include <stdlib.h>

#include "storage/entities.h"

enum { FIND, ADD, CHANGE, DROP };
static const char *const sql[] = {
    [FIND] =
        "SELECT id FROM fleet_group WHERE firmware_id = $1 AND target_version = $2 AND "
        "confirmed_version = $3 AND asked_version = $4 AND blocked = $5 AND "
        "by_us = $6 AND state = $7 AND to_target = $8",
    [ADD] = "INSERT INTO fleet_group (" COLUMN_NAMES(FLEET_GROUP_KEY) ", devices) VALUES (" COLUMN_VALUES(
        FLEET_GROUP_KEY) ", 1)",
    [CHANGE] = "UPDATE fleet_group SET devices = devices + $1 WHERE id = $2 AND devices > -$1",
    [DROP] = "DELETE FROM fleet_group WHERE id = $1",
};
DB_TABLE(fleet_group, ENTITY_FLEET_GROUP);

static bool is_alike(const struct fleet_group *a, const struct fleet_group *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(FLEET_GROUP_KEY, a)},
                          right[] = {COLUMN_PARAMS(FLEET_GROUP_KEY, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

bool fleet_group_find(struct db *db, struct fleet_moves *moves, struct fleet_group *group, struct error *err)
{
    bool found;
    if (!moves->found.id || !is_alike(&moves->found, group)) {
        moves->found = *group;
        moves->found.id = 0;
        if (!db_row(
                db,
                QUERY(FIND, PARAMS(COLUMN_PARAMS(FLEET_GROUP_KEY, group)), FIELDS(F_INT(&moves->found.id))),
                &found, err))
            return false;
    }
    group->id = moves->found.id;
    return true;
}

static bool move(struct fleet_moves *moves, int64_t group_id, int64_t devices, struct error *err)
{
    for (size_t i = 0; i < moves->count; i++)
        if (moves->list[i].group_id == group_id) {
            moves->list[i].devices += devices;
            return true;
        }
    if (moves->count == moves->capacity) {
        size_t capacity = moves->capacity ? 2 * moves->capacity : 16;
        struct fleet_move *list = reallocarray(moves->list, capacity, sizeof *list);
        if (!list)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        moves->list = list;
        moves->capacity = capacity;
    }
    moves->list[moves->count++] = (struct fleet_move){group_id, devices};
    return true;
}

bool fleet_group_enter(struct db *db, struct fleet_moves *moves, struct fleet_group *group, struct error *err)
{
    if (group->id)
        return move(moves, group->id, 1, err);
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(FLEET_GROUP_KEY, group))), NULL, err))
        return false;
    group->id = db_last_id(db);
    moves->found = *group;
    return true;
}

bool fleet_group_leave(struct fleet_moves *moves, int64_t group_id, struct error *err)
{
    return !group_id || move(moves, group_id, -1, err);
}

/* A group without devices has no row. */
bool fleet_moves_store(struct db *db, const struct fleet_moves *moves, struct error *err)
{
    for (size_t i = 0; i < moves->count; i++) {
        const struct fleet_move *one = &moves->list[i];
        int64_t changes = 0;
        if (one->devices &&
            (!db_do(db, COMMAND(CHANGE, PARAMS(P_INT(one->devices), P_INT(one->group_id))), &changes, err) ||
             (!changes && !db_do(db, COMMAND(DROP, PARAMS(P_INT(one->group_id))), NULL, err))))
            return false;
    }
    return true;
}
