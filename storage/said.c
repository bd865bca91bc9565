#include "storage/said.h"

#include "storage/entities.h"

enum { OF, SET };
static const char *const sql[] = {
    [OF] = "SELECT device_id, forms, version, since_ms, before, before_ms, shared_ms FROM device_said "
           "WHERE device_id = $1",
    [SET] = "INSERT INTO device_said (device_id, forms, version, since_ms, before, before_ms, shared_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (device_id) DO UPDATE SET forms = excluded.forms, "
            "version = excluded.version, since_ms = excluded.since_ms, before = excluded.before, "
            "before_ms = excluded.before_ms, shared_ms = excluded.shared_ms",
};
DB_TABLE(said, ENTITY_SAID);

bool said_of(struct db *db, int64_t device_id, struct said *ret, struct error *err)
{
    bool found;
    *ret = (struct said){.device_id = 0};
    if (!db_row(db, &said_statements, OF, PARAMS(P_INT(device_id)),
                FIELDS(F_INT(&ret->device_id), F_INT(&ret->forms), F_TEXT(ret->version), F_INT(&ret->since_ms),
                       F_TEXT(ret->before), F_INT(&ret->before_ms), F_INT(&ret->shared_ms)),
                &found, err))
        return false;
    ret->device_id = device_id;
    return true;
}

bool said_set(struct db *db, const struct said *said, struct error *err)
{
    return db_do(db, &said_statements, SET,
                 PARAMS(P_INT(said->device_id), P_INT(said->forms), P_TEXT_OR_NULL(said->version),
                        P_INT_OR_NULL(said->since_ms), P_TEXT_OR_NULL(said->before), P_INT_OR_NULL(said->before_ms),
                        P_INT_OR_NULL(said->shared_ms)),
                 NULL, err);
}
