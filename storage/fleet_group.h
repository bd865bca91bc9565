/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* For fleet.c: the groups of devices that are alike, and how they grow and shrink. The devices of a transaction are counted
   together, so each group is stored once. */
#ifndef DFOTA_STORAGE_FLEET_GROUP_H
#define DFOTA_STORAGE_FLEET_GROUP_H

#include "storage/fleet.h"

#define FLEET_GROUP_KEY(FIRST, NEXT, row)                                                                    \
    FIRST(firmware_id, INT, row->firmware_id)                                                                \
    NEXT(target_version, TEXT, row->target)                                                                  \
    NEXT(confirmed_version, TEXT, row->confirmed)                                                            \
    NEXT(asked_version, TEXT, row->asked)                                                                    \
    NEXT(blocked, BOOL, row->blocked)                                                                        \
    NEXT(by_us, BOOL, row->by_us)                                                                            \
    NEXT(state, TEXT, row->state)                                                                            \
    NEXT(to_target, BOOL, row->to_target)

/* By how much groups grow or shrink, before it is stored. All zero at first; `list` is the caller's (free). */
struct fleet_moves {
    struct fleet_move {
        int64_t group_id, devices;
    } * list;
    size_t count, capacity;
    struct fleet_group found; /* the group that was looked for last; id 0: none */
};

/* Sets group->id by the other fields; 0: the group has no row. */
bool fleet_group_find(struct db *db, struct fleet_moves *moves, struct fleet_group *group, struct error *err);
/* A device comes to the group. Adds a row with an id when group->id is 0. */
bool fleet_group_enter(struct db *db, struct fleet_moves *moves, struct fleet_group *group,
                       struct error *err);
/* A device leaves a group; 0: it was in none. */
bool fleet_group_leave(struct fleet_moves *moves, int64_t group_id, struct error *err);
bool fleet_moves_store(struct db *db, const struct fleet_moves *moves, struct error *err);

#endif
