/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/fleet.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storage/entities.h"
#include "storage/fleet_group.h"

#define ATTEMPT(FIRST, NEXT, row)                                                                            \
    FIRST(device_id, INT, row->device_id)                                                                    \
    NEXT(firmware_id, INT, row->firmware_id)                                                                 \
    NEXT(from_version, TEXT, row->from)                                                                      \
    NEXT(to_version, TEXT, row->to)                                                                          \
    NEXT(target_version, TEXT, row->target)                                                                  \
    NEXT(state, TEXT, row->state)                                                                            \
    NEXT(origin, TEXT, row->origin)                                                                          \
    NEXT(beside, INT, row->beside)                                                                           \
    NEXT(bytes_acked, INT, row->bytes_acked)                                                                 \
    NEXT(campaign_id, INT_OR_NULL, row->campaign_id)

#define DEVICE_FACTS                                                                                         \
    "coalesce(d.confirmed_version, ''), coalesce(d.asked_version, ''), " BLOCKED_FOR_ORIGIN("d")

enum {
    OF_DEVICE,
    OF_TARGET,
    MEMBERSHIPS,
    JOIN,
    CHANGE,
    LEAVE,
    LEAVE_ALL,
    NO_BYTES,
    BYTES_ADD,
    CAMPAIGN_BYTES_ADD,
    WAITING_ADD,
    WAITING_DROP,
    WAITING_LESS
};
static const char *const sql[] = {
    [OF_DEVICE] = "SELECT d.firmware_id, '', " DEVICE_FACTS
                  ", 0, '', 0 FROM device d WHERE d.id = $1 AND d.state IS NULL",
    [OF_TARGET] =
        "SELECT d.firmware_id, a.target_version, " DEVICE_FACTS
        ", " CONFIRMED_BY_US("$1", "$2", "d.id") ", a.state, a.to_version = a.target_version FROM device d JOIN attempt a ON a.id = " NEWEST_FOR_TARGET(
            "$1", "$2", "d.id") " WHERE d.id = $3 AND d.firmware_id = $1 AND d.state IS NULL",
    [MEMBERSHIPS] = "SELECT firmware_id, target_version, group_id FROM fleet_member WHERE device_id = $1",
    /* No row for a device or a firmware that was removed since. */
    [JOIN] =
        "INSERT INTO fleet_member (device_id, firmware_id, target_version, group_id) SELECT $1, $2, $3, $4 "
        "FROM device d JOIN firmware f ON f.id = $2 WHERE d.id = $1",
    [CHANGE] =
        "UPDATE fleet_member SET group_id = $1 WHERE device_id = $2 AND firmware_id = $3 AND target_version = $4",
    [LEAVE] = "DELETE FROM fleet_member WHERE device_id = $1 AND firmware_id = $2 AND target_version = $3",
    [LEAVE_ALL] = "DELETE FROM fleet_member WHERE device_id = $1",
    [NO_BYTES] = "DELETE FROM fleet_bytes WHERE firmware_id = $1",
    [BYTES_ADD] =
        "INSERT INTO fleet_bytes (firmware_id, target_version, bytes, vain) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (firmware_id, target_version) DO UPDATE SET bytes = fleet_bytes.bytes + $3, "
        "vain = fleet_bytes.vain + $4",
    [CAMPAIGN_BYTES_ADD] = "UPDATE campaign SET bytes = bytes + $1, vain = vain + $2 WHERE id = $3",
    [WAITING_ADD] =
        "INSERT INTO fleet_waiting (firmware_id, from_version, to_version, devices) VALUES ($1, $2, $3, 1) "
        "ON CONFLICT (firmware_id, from_version, to_version) DO UPDATE SET devices = devices + 1",
    [WAITING_DROP] =
        "DELETE FROM fleet_waiting WHERE firmware_id = $1 AND from_version = $2 AND to_version = $3 "
        "AND devices = 1",
    [WAITING_LESS] =
        "UPDATE fleet_waiting SET devices = devices - 1 WHERE firmware_id = $1 AND from_version = $2 "
        "AND to_version = $3",
};
DB_TABLE(fleet, ENTITY_FLEET);

struct membership {
    int64_t firmware_id;
    char target[VERSION_TEXT_SIZE];
    int64_t group_id; /* 0: counted in no group */
    bool is_stored;
};

/* A device, while it is counted. */
struct counted {
    struct fleet_moves *moves;
    int64_t device_id;
    bool is_active;         /* else it is not there, or held or retired */
    struct fleet_group now; /* its group among all devices of its firmware, without the id */
};

/* ---- Groups ---- */

/* The group that the device belongs to now. Its id is 0 when the group has no row yet. */
static bool find_group(struct db *db, const struct counted *counted, const struct membership *of,
                       struct fleet_group *ret, bool *ret_found, struct error *err)
{
    *ret = counted->now;
    *ret_found = counted->is_active && ret->firmware_id == of->firmware_id;
    if (*ret_found && of->target[0] &&
        !db_row(db,
                QUERY(OF_TARGET,
                      PARAMS(P_INT(of->firmware_id), P_TEXT(of->target), P_INT(counted->device_id)),
                      FIELDS(COLUMN_FIELDS(FLEET_GROUP_KEY, ret))),
                ret_found, err))
        return false;
    return !*ret_found || fleet_group_find(db, counted->moves, ret, err);
}

/* A row for another firmware stays, with group 0: it tells for which targets there are attempts. */
static bool count_membership(struct db *db, const struct counted *counted, const struct membership *before,
                             bool *ret_moved, struct error *err)
{
    struct fleet_group group;
    bool found;
    *ret_moved = false;
    if (!find_group(db, counted, before, &group, &found, err))
        return false;
    if (found && before->group_id && group.id == before->group_id)
        return true;
    *ret_moved = true;
    if (found && !fleet_group_enter(db, counted->moves, &group, err))
        return false;
    if (!fleet_group_leave(counted->moves, before->group_id, err))
        return false;
    const struct db_value row[] = {P_INT(counted->device_id), P_INT(before->firmware_id),
                                   P_TEXT(before->target), P_INT(group.id)};
    if (!found && !before->target[0])
        return db_do(db, COMMAND(LEAVE, row, 3), NULL, err);
    const struct db_value moved[] = {row[3], row[0], row[1], row[2]};
    return before->is_stored ? db_do(db, COMMAND(CHANGE, moved, 4), NULL, err)
                             : db_do(db, COMMAND(JOIN, row, 4), NULL, err);
}

static bool add_membership(struct membership **list, size_t *count, int64_t firmware_id, const char *target,
                           struct error *err)
{
    for (size_t i = 0; i < *count; i++)
        if ((*list)[i].firmware_id == firmware_id && strcmp((*list)[i].target, target) == 0)
            return true;
    struct membership *more = reallocarray(*list, *count + 1, sizeof **list);
    if (!more)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    *list = more;
    more[*count] = (struct membership){.firmware_id = firmware_id};
    slice_copy(slice_of(target), more[*count].target, sizeof more->target);
    ++*count;
    return true;
}

/* A device that has changed, and the target of its attempt that has changed. */
struct change {
    int64_t device_id, firmware_id; /* firmware_id 0: no attempt has changed */
    char target[VERSION_TEXT_SIZE];
    bool joins; /* the attempt is a main attempt: the device belongs to those with attempts for the target */
};

struct changes { /* of one device */
    const struct change *list;
    size_t count;
};

static bool is_for(const struct membership *one, const struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        if (one->firmware_id == changes->list[i].firmware_id &&
            strcmp(one->target, changes->list[i].target) == 0)
            return true;
    return false;
}

/* The groups that may have changed: those of all devices first. While the device stays in them, only the targets
   of the changed attempts matter. */
static bool count_all(struct db *db, const struct counted *counted, const struct changes *changes,
                      const struct membership *list, size_t count, struct error *err)
{
    bool moved = false, one_moved;
    for (size_t i = 0; i < count; i++) {
        if (list[i].target[0])
            continue;
        if (!count_membership(db, counted, &list[i], &one_moved, err))
            return false;
        moved |= one_moved;
    }
    for (size_t i = 0; i < count; i++)
        if (list[i].target[0] && (moved || is_for(&list[i], changes)) &&
            !count_membership(db, counted, &list[i], &one_moved, err))
            return false;
    return true;
}

static bool add_targets(struct membership **list, size_t *count, const struct changes *changes,
                        struct error *err)
{
    for (size_t i = 0; i < changes->count; i++)
        if (changes->list[i].joins &&
            !add_membership(list, count, changes->list[i].firmware_id, changes->list[i].target, err))
            return false;
    return true;
}

static bool count_device(struct db *db, struct fleet_moves *moves, const struct changes *changes,
                         struct error *err)
{
    _cleanup_(cleanup_free) struct membership *list = NULL;
    struct membership row = {.is_stored = true};
    struct counted counted = {.moves = moves, .device_id = changes->list->device_id};
    size_t count;
    return db_list(db,
                   QUERY(MEMBERSHIPS, PARAMS(P_INT(counted.device_id)),
                         FIELDS(F_INT(&row.firmware_id), F_TEXT(row.target), F_INT(&row.group_id))),
                   &row, sizeof row, &list, &count, err) &&
           db_row(db,
                  QUERY(OF_DEVICE, PARAMS(P_INT(counted.device_id)),
                        FIELDS(COLUMN_FIELDS(FLEET_GROUP_KEY, (&counted.now)))),
                  &counted.is_active, err) &&
           (!counted.is_active || add_membership(&list, &count, counted.now.firmware_id, "", err)) &&
           add_targets(&list, &count, changes, err) && count_all(db, &counted, changes, list, count, err);
}

static int compare_devices(const void *a, const void *b)
{
    int64_t left = ((const struct change *)a)->device_id, right = ((const struct change *)b)->device_id;
    return (left > right) - (left < right);
}

static bool count_devices(struct db *db, struct fleet_moves *moves, const struct change *sorted, size_t count,
                          struct error *err)
{
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && sorted[next].device_id == sorted[i].device_id;)
            next++;
        if (!count_device(db, moves, &(struct changes){sorted + i, next - i}, err))
            return false;
    }
    return fleet_moves_store(db, moves, err);
}

/* Once for each device of the transaction. */
static bool count_changed(struct db *db, void *items, size_t count, struct error *err)
{
    struct change *list = items;
    struct fleet_moves moves = {.list = NULL};
    _cleanup_(cleanup_free) struct change *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    memcpy(sorted, list, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_devices);
    bool ok = count_devices(db, &moves, sorted, count, err);
    free(moves.list);
    return ok;
}

static const char *const counted_tables[] = {"fleet_group", "fleet_member", NULL};

const struct db_deferral fleet_deferral = {.entity = ENTITY_FLEET,
                                           .tables = counted_tables,
                                           .size = sizeof(struct change),
                                           .most = SIZE_MAX,
                                           .run = count_changed};

bool fleet_count_device(struct db *db, int64_t device_id, struct error *err)
{
    return db_defer(db, DEFERRED_FLEET, &(struct change){.device_id = device_id}, err);
}

/* The attempt of the device has changed from *before to *after. */
static bool defer_attempt(struct db *db, const struct fleet_attempt *before,
                          const struct fleet_attempt *after, struct error *err)
{
    struct change left = {.device_id = after->device_id, .firmware_id = before->firmware_id};
    struct change entered = {
        .device_id = after->device_id, .firmware_id = after->firmware_id, .joins = !after->beside};
    memcpy(left.target, before->target, sizeof left.target);
    memcpy(entered.target, after->target, sizeof entered.target);
    return db_defer(db, DEFERRED_FLEET, &left, err) && db_defer(db, DEFERRED_FLEET, &entered, err);
}

/* What was put off for the device is counted first: it may have moved the device to other groups. */
bool fleet_remove_device(struct db *db, int64_t device_id, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *groups = NULL;
    struct membership row = {.group_id = 0};
    struct fleet_moves moves = {.list = NULL};
    size_t count;
    if (!db_run_deferred(db, 1u << DEFERRED_FLEET, err) ||
        !db_list(db,
                 QUERY(MEMBERSHIPS, PARAMS(P_INT(device_id)),
                       FIELDS(F_INT(&row.firmware_id), F_TEXT(row.target), F_INT(&row.group_id))),
                 &row.group_id, sizeof row.group_id, &groups, &count, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = fleet_group_leave(&moves, groups[i], err);
    ok = ok && fleet_moves_store(db, &moves, err);
    free(moves.list);
    return ok && db_do(db, COMMAND(LEAVE_ALL, PARAMS(P_INT(device_id))), NULL, err);
}

bool fleet_remove_firmware(struct db *db, int64_t firmware_id, struct error *err)
{
    return db_run_deferred(db, 1u << DEFERRED_FLEET, err) &&
           db_do(db, COMMAND(NO_BYTES, PARAMS(P_INT(firmware_id))), NULL, err);
}

/* ---- Attempts ---- */

static bool is_vain(const struct fleet_attempt *attempt)
{
    enum attempt_state state;
    return attempt_state_parse(slice_of(attempt->state), &state) &&
           (state == ATTEMPT_NOT_APPLIED || state == ATTEMPT_DIVERGED || state == ATTEMPT_SILENT ||
            state == ATTEMPT_ABANDONED);
}

/* sign: 1 or -1 */
static bool count_bytes(struct db *db, const struct fleet_attempt *attempt, int sign, struct error *err)
{
    int64_t bytes = sign * attempt->bytes_acked, vain = is_vain(attempt) ? bytes : 0;
    if (!bytes)
        return true;
    return db_do(db,
                 COMMAND(BYTES_ADD, PARAMS(P_INT(attempt->firmware_id), P_TEXT(attempt->target), P_INT(bytes),
                                           P_INT(vain))),
                 NULL, err) &&
           (!attempt->campaign_id ||
            db_do(db,
                  COMMAND(CAMPAIGN_BYTES_ADD, PARAMS(P_INT(bytes), P_INT(vain), P_INT(attempt->campaign_id))),
                  NULL, err));
}

/* A module began its download again, and threw away what it had: for the campaign these bytes were in vain. */
static bool count_lost(struct db *db, const struct fleet_attempt *before, const struct fleet_attempt *after,
                       struct error *err)
{
    int64_t lost = before->bytes_acked - after->bytes_acked;
    return lost <= 0 || !after->campaign_id ||
           db_do(db, COMMAND(CAMPAIGN_BYTES_ADD, PARAMS(P_INT(lost), P_INT(lost), P_INT(after->campaign_id))),
                 NULL, err);
}

static bool count_waiting(struct db *db, const struct fleet_attempt *attempt, int sign, struct error *err)
{
    const struct db_value hop[] = {P_INT(attempt->firmware_id), P_TEXT(attempt->from), P_TEXT(attempt->to)};
    int64_t changes = 0;
    if (strcmp(attempt->state, attempt_state_name(ATTEMPT_WAITING)) != 0)
        return true;
    if (sign > 0)
        return db_do(db, COMMAND(WAITING_ADD, hop, 3), NULL, err);
    return db_do(db, COMMAND(WAITING_DROP, hop, 3), &changes, err) &&
           (changes || db_do(db, COMMAND(WAITING_LESS, hop, 3), NULL, err));
}

static bool is_same(const struct fleet_attempt *a, const struct fleet_attempt *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(ATTEMPT, a)}, right[] = {COLUMN_PARAMS(ATTEMPT, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

bool fleet_count_attempt(struct db *db, const struct fleet_attempt *before, const struct fleet_attempt *after,
                         struct error *err)
{
    struct fleet_attempt same_bytes = *after;
    same_bytes.bytes_acked = before->bytes_acked;
    if (is_same(before, after))
        return true;
    return count_bytes(db, before, -1, err) && count_bytes(db, after, 1, err) &&
           count_lost(db, before, after, err) && count_waiting(db, before, -1, err) &&
           count_waiting(db, after, 1, err) &&
           (is_same(before, &same_bytes) || defer_attempt(db, before, after, err));
}
