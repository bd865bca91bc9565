/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/trial.h"

#include "storage/entities.h"

#define OF_PACKAGE "package_sha256 = $1 AND firmware_id = $2"
/* Silent, and nothing was heard of a later attempt with the same package either. */
#define STILL_SILENT                                                                                         \
    "state = 'silent' AND NOT EXISTS (SELECT 1 FROM attempt later WHERE later.device_id = a.device_id "      \
    "AND later.id > a.id AND later.package_sha256 = a.package_sha256 "                                       \
    "AND later.state IN ('confirmed', 'confirmed_not_by_us', 'not_applied'))"

enum { CONFIRMED, NOT_APPLIED, OWN_FAILED, OTHER, WRITE_OFF, BEGIN_ANEW };
static const char *const sql[] = {
    [CONFIRMED] =
        "SELECT DISTINCT device_id FROM attempt WHERE " OF_PACKAGE " AND state = 'confirmed' LIMIT $3",
    [NOT_APPLIED] =
        "SELECT count(DISTINCT device_id) FROM attempt WHERE " OF_PACKAGE " AND state = 'not_applied'",
    [OWN_FAILED] =
        "SELECT 1 FROM attempt WHERE " OF_PACKAGE " AND state = 'not_applied' AND device_id = $3 LIMIT 1",
    [OTHER] =
        "SELECT device_id FROM attempt a WHERE " OF_PACKAGE
        " AND device_id <> $3 AND NOT written_off AND NOT EXISTS (SELECT 1 FROM device d WHERE "
        "d.id = a.device_id AND (d.state = 'retired' OR d.held_out_ms IS NOT NULL)) AND "
        "state IN ('sending', 'interrupted', 'delivered', 'handed_over', 'silent') AND "
        "(state IN ('delivered', 'handed_over') OR (state IN ('sending', 'interrupted') AND active_ms > $4) OR (" STILL_SILENT
        ")) LIMIT 1",
    [WRITE_OFF] = ("UPDATE attempt SET written_off = 1 WHERE device_id = $1 AND NOT written_off AND "
                   "state IN ('sending', 'interrupted', 'delivered', 'handed_over', 'silent')"),
    [BEGIN_ANEW] = "UPDATE attempt SET written_off = 0 WHERE id = $1 AND written_off",
};
DB_TABLE(trial, ENTITY_TRIAL);

static bool count_row(void *cls)
{
    unsigned *count = cls;
    (*count)++;
    return true;
}

bool trial_load(struct db *db, const struct trial_question *question, unsigned most, struct trial_facts *ret,
                struct error *err)
{
    const struct db_value package = P_HASH(question->package_sha256), firmware = P_INT(question->firmware_id);
    const struct db_value device = P_INT(question->device_id), idle_since = P_INT(question->idle_since_ms);
    int64_t device_id, not_applied = 0;
    bool found;
    *ret = (struct trial_facts){.other = 0};
    if (!db_rows(db, QUERY(CONFIRMED, PARAMS(package, firmware, P_INT(most)), FIELDS(F_INT(&device_id))),
                 count_row, &ret->trial.confirmed, err) ||
        !db_row(db, QUERY(NOT_APPLIED, PARAMS(package, firmware), FIELDS(F_INT(&not_applied))), &found,
                err) ||
        !db_row(db, QUERY(OWN_FAILED, PARAMS(package, firmware, device), NO_FIELDS), &ret->own_failed, err) ||
        (ret->trial.confirmed < most && /* else very many devices may have tried it */
         !db_row(db, QUERY(OTHER, PARAMS(package, firmware, device, idle_since), FIELDS(F_INT(&ret->other))),
                 &ret->trial.other_tries, err)))
        return false;
    ret->trial.not_applied = (unsigned)not_applied;
    return true;
}

bool trial_write_off(struct db *db, int64_t device_id, bool *ret_changed, struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(WRITE_OFF, PARAMS(P_INT(device_id))), &changes, err))
        return false;
    *ret_changed = changes > 0;
    return true;
}

bool trial_begin_anew(struct db *db, int64_t attempt_id, struct error *err)
{
    return db_do(db, COMMAND(BEGIN_ANEW, PARAMS(P_INT(attempt_id))), NULL, err);
}
