/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/traces.h"

#include "storage/attempt.h"
#include "storage/entities.h"

#define HAS(rows) "EXISTS (SELECT 1 FROM " rows ")"

enum { OF };
static const char *const sql[] = {
    [OF] = "SELECT s.forms, s.version, s.since_ms, s.before, s.before_ms, s.shared_ms, " HAS("campaign_device WHERE device_id = d.id") ", " HAS("begun WHERE device_id = d.id") " OR " HAS(
        "guard_closed WHERE device_id = d.id") ", " HAS("attempt WHERE device_id = d.id AND " ATTEMPT_IS_OPEN("")) ", " HAS("attempt WHERE id = (SELECT max(id) FROM attempt WHERE device_id = d.id AND beside = 0) "
                                                                                                                            "AND state = 'silent'") " FROM device d LEFT JOIN device_said s ON s.device_id = d.id WHERE d.id = $1",
};
DB_TABLE(traces, ENTITY_TRACES);

bool traces_of(struct db *db, int64_t device_id, struct traces *ret, struct error *err)
{
    struct said *said = &ret->said;
    bool found;
    *ret = (struct traces){.open = false};
    if (!db_row(db,
                QUERY(OF, PARAMS(P_INT(device_id)),
                      FIELDS(F_INT(&said->forms), F_TEXT(said->version), F_INT(&said->since_ms),
                             F_TEXT(said->before), F_INT(&said->before_ms), F_INT(&said->shared_ms),
                             F_BOOL(&ret->in_campaign), F_BOOL(&ret->guarded), F_BOOL(&ret->open),
                             F_BOOL(&ret->silent))),
                &found, err))
        return false;
    said->device_id = device_id;
    return true;
}
