/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/said.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/entities.h"

#define WEEK_MS (7 * DAY_MS)

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(forms, INT, row->forms)                                                                            \
    NEXT(version, TEXT_OR_NULL, row->version)                                                                \
    NEXT(since_ms, INT_OR_NULL, row->since_ms)                                                               \
    NEXT(before, TEXT_OR_NULL, row->before)                                                                  \
    NEXT(before_ms, INT_OR_NULL, row->before_ms)                                                             \
    NEXT(shared_ms, INT_OR_NULL, row->shared_ms)
#define COLUMNS(FIRST, NEXT, row) FIRST(device_id, INT, row->device_id) CHANGED(NEXT, NEXT, row)

enum { OF, SET, DELIVERED, BEGUN_FROM };
static const char *const sql[] = {
    [OF] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM device_said WHERE device_id = $1",
    [SET] =
        "INSERT INTO device_said (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ") "
        "ON CONFLICT (device_id) DO UPDATE SET " COLUMN_REPLACES(CHANGED),
    [DELIVERED] =
        "SELECT count(*) FROM attempt WHERE device_id = $1 AND delivered_ms >= $2 AND delivered_ms <= $3",
    [BEGUN_FROM] =
        ("SELECT coalesce(sum(fetches), 0) FROM attempt WHERE device_id = $1 AND from_version = $2 "
         "AND sent_ms >= $3 AND sent_ms <= $4"),
};
DB_TABLE(said, ENTITY_SAID);

bool said_of(struct db *db, int64_t device_id, struct said *ret, struct error *err)
{
    bool found;
    *ret = (struct said){.device_id = 0};
    if (!db_row(db, QUERY(OF, PARAMS(P_INT(device_id)), FIELDS(COLUMN_FIELDS(COLUMNS, ret))), &found, err))
        return false;
    ret->device_id = device_id;
    return true;
}

bool said_set(struct db *db, const struct said *said, struct error *err)
{
    return db_do(db, COMMAND(SET, PARAMS(COLUMN_PARAMS(COLUMNS, said))), NULL, err);
}

bool said_delivered_since(struct db *db, int64_t device_id, int64_t since_ms, int64_t now_ms, bool *ret,
                          struct error *err)
{
    int64_t count = 0;
    bool found;
    if (!db_row(db,
                QUERY(DELIVERED, PARAMS(P_INT(device_id), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS)),
                      FIELDS(F_INT(&count))),
                &found, err))
        return false;
    *ret = count > 0;
    return true;
}

bool said_begun_from(struct db *db, int64_t device_id, const char *version, int64_t since_ms, int64_t now_ms,
                     int64_t *ret, struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(BEGUN_FROM,
              PARAMS(P_INT(device_id), P_TEXT(version), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS)),
              FIELDS(F_INT(ret))),
        &found, err);
}

int64_t said_form(const struct identity *identity, bool raw)
{
    if (!identity_is_imei(identity))
        return raw ? SAID_BYTES : SAID_TEXT;
    size_t digits = strlen(identity->id);
    return digits == IMEI_BODY_DIGITS ? SAID_14_DIGITS
           : digits == IMEI_DIGITS    ? SAID_15_DIGITS
                                      : SAID_16_DIGITS;
}

bool said_take(struct said *said, int64_t form, const char *version, bool delivered, int64_t now_ms)
{
    bool changed = (said->forms & form) != form;
    said->forms |= form;
    if (!version[0] || strcmp(said->version, version) == 0)
        return changed;
    bool comes_back = strcmp(said->before, version) == 0;
    if (comes_back && !delivered && clock_is_within(said->since_ms, WEEK_MS + 1, now_ms) && !said->shared_ms)
        said->shared_ms = now_ms;
    snprintf(said->before, sizeof said->before, "%s", said->version);
    said->before_ms = said->since_ms;
    snprintf(said->version, sizeof said->version, "%s", version);
    said->since_ms = now_ms;
    return true;
}
