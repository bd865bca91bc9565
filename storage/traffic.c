/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/traffic.h"

#include "storage/entities.h"

enum { ADD, OF, REMOVE };
static const char *const sql[] = {
    [ADD] =
        "INSERT INTO traffic (device_id, month, bytes) VALUES ($1, $2, $3) "
        "ON CONFLICT (device_id, month) DO UPDATE SET bytes = traffic.bytes + excluded.bytes",
    [OF] = "SELECT bytes FROM traffic WHERE device_id = $1 AND month = $2",
    [REMOVE] =
        "DELETE FROM traffic WHERE (device_id, month) IN "
        "(SELECT device_id, month FROM traffic WHERE month < $1 LIMIT $2)",
};
DB_TABLE(traffic, ENTITY_TRAFFIC);

bool traffic_add(struct db *db, int64_t device_id, int64_t month, int64_t bytes, struct error *err)
{
    return db_do(db, COMMAND(ADD, PARAMS(P_INT(device_id), P_INT(month), P_INT(bytes))), NULL, err);
}

bool traffic_of(struct db *db, int64_t device_id, int64_t month, int64_t *ret_bytes, struct error *err)
{
    bool found;
    *ret_bytes = 0;
    return db_row(db, QUERY(OF, PARAMS(P_INT(device_id), P_INT(month)), FIELDS(F_INT(ret_bytes))), &found,
                  err);
}

bool traffic_remove(struct db *db, int64_t month, int64_t limit, int64_t *ret_removed, struct error *err)
{
    return db_do(db, COMMAND(REMOVE, PARAMS(P_INT(month), P_INT(limit))), ret_removed, err);
}
