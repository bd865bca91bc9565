/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/fleet_day.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storage/entities.h"

enum { NOW, LIST, OF_DAY, PUT, DROP, FORGET, FIRMWARES };
static const char *const sql[] = {
    [NOW] =
        "SELECT 0, confirmed_version, sum(devices) AS total FROM fleet_group WHERE firmware_id = $1 "
        "AND target_version = '' GROUP BY confirmed_version ORDER BY total DESC, confirmed_version",
    [LIST] =
        "SELECT day, version, devices FROM fleet_day WHERE firmware_id = $1 AND day >= $2 "
        "ORDER BY day, version",
    [OF_DAY] = "SELECT day, version, devices FROM fleet_day WHERE firmware_id = $1 AND day = $2",
    [PUT] =
        "INSERT INTO fleet_day (firmware_id, day, version, devices) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (firmware_id, day, version) DO UPDATE SET devices = excluded.devices",
    [DROP] = "DELETE FROM fleet_day WHERE firmware_id = $1 AND day = $2 AND version = $3",
    [FORGET] = "DELETE FROM fleet_day WHERE firmware_id = $1 AND day < $2",
    [FIRMWARES] = "SELECT id FROM firmware ORDER BY id",
};
DB_TABLE(fleet_day, ENTITY_FLEET_DAY);

static bool list(struct db *db, unsigned statement, const struct db_value *params, size_t param_count,
                 struct fleet_day **ret, size_t *ret_count, struct error *err)
{
    struct fleet_day row = {.day = 0};
    return db_list(db,
                   QUERY(statement, params, param_count,
                         FIELDS(F_INT(&row.day), F_TEXT(row.version), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}

bool fleet_day_now(struct db *db, int64_t firmware_id, struct fleet_day **ret, size_t *ret_count,
                   struct error *err)
{
    if (!list(db, NOW, PARAMS(P_INT(firmware_id)), ret, ret_count, err))
        return false;
    for (size_t i = FLEET_DAY_VERSIONS; i < *ret_count; i++) {
        struct fleet_day *others = &(*ret)[FLEET_DAY_VERSIONS];
        int64_t before = i == FLEET_DAY_VERSIONS ? 0 : others->devices;
        others->devices = before + (*ret)[i].devices;
        slice_copy(slice_of(FLEET_DAY_OTHERS), others->version, sizeof others->version);
    }
    if (*ret_count > FLEET_DAY_VERSIONS)
        *ret_count = FLEET_DAY_VERSIONS + 1;
    return true;
}

bool fleet_day_list(struct db *db, int64_t firmware_id, int64_t day, struct fleet_day **ret,
                    size_t *ret_count, struct error *err)
{
    return list(db, LIST, PARAMS(P_INT(firmware_id), P_INT(day)), ret, ret_count, err);
}

static int64_t devices_of(const struct fleet_day *rows, size_t count, const char *version)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].version, version) == 0)
            return rows[i].devices;
    return 0;
}

struct numbers { /* of one day */
    struct fleet_day *now, *stored;
    size_t now_count, stored_count;
};

static void free_numbers(struct numbers *numbers)
{
    free(numbers->now);
    free(numbers->stored);
}

static bool load(struct db *db, int64_t firmware_id, int64_t day, struct numbers *ret, struct error *err)
{
    *ret = (struct numbers){.now = NULL};
    return fleet_day_now(db, firmware_id, &ret->now, &ret->now_count, err) &&
           list(db, OF_DAY, PARAMS(P_INT(firmware_id), P_INT(day)), &ret->stored, &ret->stored_count, err);
}

bool fleet_day_differs(struct db *db, int64_t firmware_id, int64_t day, bool *ret, struct error *err)
{
    _cleanup_(free_numbers) struct numbers numbers;
    if (!load(db, firmware_id, day, &numbers, err))
        return false;
    *ret = numbers.now_count != numbers.stored_count;
    for (size_t i = 0; i < numbers.now_count; i++)
        *ret |= devices_of(numbers.stored, numbers.stored_count, numbers.now[i].version) !=
                numbers.now[i].devices;
    return true;
}

bool fleet_day_store(struct db *db, int64_t firmware_id, int64_t day, struct error *err)
{
    _cleanup_(free_numbers) struct numbers numbers;
    if (!load(db, firmware_id, day, &numbers, err))
        return false;
    const struct db_value key[] = {P_INT(firmware_id), P_INT(day)};
    for (size_t i = 0; i < numbers.stored_count; i++)
        if (!devices_of(numbers.now, numbers.now_count, numbers.stored[i].version) &&
            !db_do(db, COMMAND(DROP, PARAMS(key[0], key[1], P_TEXT(numbers.stored[i].version))), NULL, err))
            return false;
    for (size_t i = 0; i < numbers.now_count; i++) {
        const struct fleet_day *row = &numbers.now[i];
        if (devices_of(numbers.stored, numbers.stored_count, row->version) != row->devices &&
            !db_do(db, COMMAND(PUT, PARAMS(key[0], key[1], P_TEXT(row->version), P_INT(row->devices))), NULL,
                   err))
            return false;
    }
    return db_do(db, COMMAND(FORGET, PARAMS(P_INT(firmware_id), P_INT(day - FLEET_DAYS))), NULL, err);
}

bool fleet_day_firmwares(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
{
    int64_t id = 0;
    return db_list(db, QUERY(FIRMWARES, NO_PARAMS, FIELDS(F_INT(&id))), &id, sizeof id, ret, ret_count, err);
}
