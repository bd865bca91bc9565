/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/device.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/entities.h"

#define COLUMNS                                                                                              \
    "id, product_id, firmware_id, id_kind, device, confirmed_version, confirmed_ms, confirmed_by, "          \
    "confirmed_grade, claim_version, claim_firmware_id, claim_ms, claim_by, claim_grade, claim_origin, "     \
    "asked_version, first_seen_ms, last_seen_ms, check_ins, last_code, "                                     \
    "last_reason, "                                                                                          \
    "last_answer_ms, blocked, notice, asked_over, asked_link, asked_said, asked_firmware"

#define IS_SHARED "OR id IN (SELECT device_id FROM device_said WHERE shared_ms IS NOT NULL)"

enum {
    FIND,
    FIND_IMEI,
    BY_ID,
    ADD,
    UPDATE,
    SEEN,
    LIST,
    COUNT,
    COUNT_LISTED,
    COUNT_CONFLICTS,
    BEGUN_ADD,
    BEGUN_DROP,
    BEGUN_COUNT,
    BEGUN_FORGET,
    ORIGINS,
    HAS_ORIGIN,
    IS_CLOSED,
    CLOSE,
    REOPEN,
    LIST_CLOSED
};
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMNS " FROM device WHERE product_id = $1 AND id_kind = $2 AND device = $3",
    /* Those of the same 14 digits; of several the one with the right check digit. Two of 15 digits are two devices. */
    [FIND_IMEI] = "SELECT " COLUMNS
                  " FROM device WHERE product_id = $1 AND id_kind = 'imei' AND device >= $2 "
                  "AND device < $2 || ':' AND (length(device) <> $3 OR length($4) <> $3) "
                  "ORDER BY device = $5 DESC, id LIMIT 1",
    [BY_ID] = "SELECT " COLUMNS " FROM device WHERE id = $1",
    [ADD] = "INSERT INTO device (product_id, id_kind, device, firmware_id) VALUES ($1, $2, $3, $4)",
    [UPDATE] =
        "UPDATE device SET firmware_id = $1, confirmed_version = $2, confirmed_ms = $3, confirmed_by = $4, "
        "confirmed_grade = $5, asked_version = $6, first_seen_ms = $7, last_code = $8, last_reason = "
        "$9, "
        "last_answer_ms = $10, blocked = $11, notice = $12, claim_version = $13, claim_firmware_id = $14, claim_ms = $15, "
        "claim_by = $16, claim_grade = $17, claim_origin = $18, asked_over = $19, asked_link = $20, asked_said = $21, "
        "asked_firmware = $22 WHERE id = $23",
    [SEEN] =
        "UPDATE device SET check_ins = check_ins + $1, last_seen_ms = CASE WHEN last_seen_ms > $2 AND last_seen_ms <= $3 "
        "THEN last_seen_ms ELSE $2 END WHERE id = $4",
    [LIST] = "SELECT " COLUMNS
             " FROM device WHERE product_id = $1 AND id > $2 AND ($3 = 0 OR firmware_id = $3) "
             "AND ($4 = 0 OR notice IS NOT NULL " IS_SHARED
             ") AND ($5 = 0 OR claim_version IS NOT NULL) ORDER BY id LIMIT $6",
    [COUNT] = "SELECT count(*) FROM device",
    [COUNT_LISTED] =
        "SELECT count(*) FROM device WHERE product_id = $1 AND ($2 = 0 OR firmware_id = $2) "
        "AND ($3 = 0 OR notice IS NOT NULL " IS_SHARED ") AND ($4 = 0 OR claim_version IS NOT NULL)",
    [COUNT_CONFLICTS] = "SELECT count(*) FROM device WHERE claim_version IS NOT NULL",
    [BEGUN_ADD] =
        "INSERT INTO begun (device_id, origin, begun_ms) VALUES ($1, $2, $3) "
        "ON CONFLICT (device_id, origin, begun_ms) DO UPDATE SET packages = begun.packages + 1",
    [BEGUN_DROP] = "DELETE FROM begun WHERE device_id = $1 AND (begun_ms < $2 OR begun_ms > $3)",
    [BEGUN_COUNT] =
        "SELECT coalesce(sum(packages), 0) FROM begun WHERE device_id = $1 AND begun_ms >= $2 "
        "AND begun_ms <= $3 AND ($4 = '' OR origin = $4 OR origin = '')",
    [BEGUN_FORGET] = "DELETE FROM begun WHERE device_id = $1",
    [ORIGINS] =
        "SELECT (SELECT count(DISTINCT origin) FROM begun WHERE device_id = $1) + "
        "(SELECT count(*) FROM guard_closed g WHERE device_id = $1 AND NOT EXISTS "
        "(SELECT 1 FROM begun b WHERE b.device_id = g.device_id AND b.origin = g.origin))",
    [HAS_ORIGIN] =
        "SELECT EXISTS (SELECT 1 FROM begun WHERE device_id = $1 AND origin = $2) "
        "OR EXISTS (SELECT 1 FROM guard_closed WHERE device_id = $1 AND origin = $2)",
    [IS_CLOSED] =
        "SELECT EXISTS (SELECT 1 FROM guard_closed WHERE device_id = $1 AND ($2 = '' OR origin = $2 OR origin = ''))",
    [CLOSE] = "INSERT INTO guard_closed (device_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [REOPEN] = "DELETE FROM guard_closed WHERE device_id = $1",
    [LIST_CLOSED] = "SELECT origin FROM guard_closed WHERE device_id = $1 ORDER BY origin",
};
DB_TABLE(device, ENTITY_DEVICE);

#define ROW(d)                                                                                               \
    FIELDS(F_INT(&(d)->id), F_INT(&(d)->product_id), F_INT(&(d)->firmware_id), F_TEXT((d)->id_kind),         \
           F_TEXT((d)->device), F_TEXT((d)->confirmed_version), F_INT(&(d)->confirmed_ms),                   \
           F_TEXT((d)->confirmed_by), F_TEXT((d)->confirmed_grade), F_TEXT((d)->claim.version),              \
           F_INT(&(d)->claim.firmware_id), F_INT(&(d)->claim.at_ms), F_TEXT((d)->claim.by),                  \
           F_TEXT((d)->claim.grade), F_TEXT((d)->claim.origin), F_TEXT((d)->asked_version),                  \
           F_INT(&(d)->first_seen_ms), F_INT(&(d)->last_seen_ms), F_INT(&(d)->check_ins),                    \
           F_INT(&(d)->last_code), F_TEXT((d)->last_reason), F_INT(&(d)->last_answer_ms),                    \
           F_INT(&(d)->blocked), F_TEXT((d)->notice), F_TEXT((d)->asked_over), F_INT(&(d)->asked_link),      \
           F_TEXT((d)->asked_said), F_TEXT((d)->asked_firmware))

bool device_is_authenticated(const struct device *device)
{
    return grade_parse(slice_of(device->confirmed_grade)) > GRADE_UNAUTHENTICATED;
}

/* The same module under another number of digits: rows keep the form in which they were made. */
static bool find_imei(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                      bool *ret_found, struct error *err)
{
    char body[IMEI_BODY_DIGITS + 1], whole[IMEI_DIGITS + 1];
    snprintf(body, sizeof body, "%.*s", IMEI_BODY_DIGITS, identity->id);
    identity_complete_imei(body, whole);
    return db_row(
        db, &device_statements, FIND_IMEI,
        PARAMS(P_INT(product_id), P_TEXT(body), P_INT(IMEI_DIGITS), P_TEXT(identity->id), P_TEXT(whole)),
        ROW(ret), ret_found, err);
}

bool device_find(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                 bool *ret_found, struct error *err)
{
    if (!db_row(db, &device_statements, FIND,
                PARAMS(P_INT(product_id), P_TEXT(identity_kind_name(identity->kind)), P_TEXT(identity->id)),
                ROW(ret), ret_found, err))
        return false;
    return *ret_found || !identity_is_imei(identity) ||
           find_imei(db, product_id, identity, ret, ret_found, err);
}

bool device_look_up(struct db *db, int64_t product_id, struct slice text, struct device *ret, bool *ret_found,
                    struct error *err)
{
    struct identity readings[IDENTITY_READINGS];
    unsigned count = identity_readings(text, readings);
    *ret_found = false;
    for (unsigned i = 0; i < count && !*ret_found; i++)
        if (!device_find(db, product_id, &readings[i], ret, ret_found, err))
            return false;
    return true;
}

bool device_get(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                struct error *err)
{
    bool found;
    if (!device_find(db, product_id, identity, ret, &found, err))
        return false;
    return found || error_set(err, ERROR_DEVICE_NOT_FOUND, "the product has no device %s", identity->id);
}

bool device_by_id(struct db *db, int64_t id, struct device *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &device_statements, BY_ID, PARAMS(P_INT(id)), ROW(ret), ret_found, err);
}

bool device_add(struct db *db, int64_t product_id, const struct identity *identity, int64_t firmware_id,
                struct device *ret, struct error *err)
{
    return db_do(db, &device_statements, ADD,
                 PARAMS(P_INT(product_id), P_TEXT(identity_kind_name(identity->kind)), P_TEXT(identity->id),
                        P_INT(firmware_id)),
                 NULL, err) &&
           device_get(db, product_id, identity, ret, err);
}

bool device_update(struct db *db, const struct device *device, struct error *err)
{
    bool confirmed = device->confirmed_version[0];
    const struct claim *claim = &device->claim;
    return db_do(
        db, &device_statements, UPDATE,
        PARAMS(P_INT(device->firmware_id), P_TEXT_OR_NULL(device->confirmed_version),
               confirmed ? P_INT(device->confirmed_ms) : P_NULL, P_TEXT_OR_NULL(device->confirmed_by),
               P_TEXT_OR_NULL(device->confirmed_grade), P_TEXT_OR_NULL(device->asked_version),
               P_INT_OR_NULL(device->first_seen_ms), P_INT_OR_NULL(device->last_code),
               P_TEXT_OR_NULL(device->last_reason), P_INT_OR_NULL(device->last_answer_ms),
               P_INT(device->blocked), P_TEXT_OR_NULL(device->notice), P_TEXT_OR_NULL(claim->version),
               P_INT_OR_NULL(claim->firmware_id), P_INT_OR_NULL(claim->at_ms), P_TEXT_OR_NULL(claim->by),
               P_TEXT_OR_NULL(claim->grade), P_TEXT_OR_NULL(claim->origin),
               P_TEXT_OR_NULL(device->asked_over), P_INT_OR_NULL(device->asked_link),
               P_TEXT_OR_NULL(device->asked_said), P_TEXT_OR_NULL(device->asked_firmware), P_INT(device->id)),
        NULL, err);
}

bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err)
{
    return db_do(
        db, &device_statements, SEEN,
        PARAMS(P_INT(check_ins), P_INT(last_seen_ms), P_INT(last_seen_ms + CLOCK_AHEAD_MS), P_INT(id)), NULL,
        err);
}

bool device_count_listed(struct db *db, int64_t product_id, const struct device_filter *filter, int64_t *ret,
                         struct error *err)
{
    bool found;
    return db_row(db, &device_statements, COUNT_LISTED,
                  PARAMS(P_INT(product_id), P_INT(filter->firmware_id), P_INT(filter->only_noticed),
                         P_INT(filter->only_conflicts)),
                  FIELDS(F_INT(ret)), &found, err);
}

bool device_list(struct db *db, int64_t product_id, const struct device_filter *filter, int64_t after,
                 int64_t limit, struct device **ret, size_t *ret_count, struct error *err)
{
    struct device row = {0};
    return db_list(db, &device_statements, LIST,
                   PARAMS(P_INT(product_id), P_INT(after), P_INT(filter->firmware_id),
                          P_INT(filter->only_noticed), P_INT(filter->only_conflicts), P_INT(limit)),
                   ROW(&row), &row, sizeof row, ret, ret_count, err);
}

bool device_count(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, &device_statements, COUNT, NO_PARAMS, FIELDS(F_INT(ret)), &found, err);
}

bool device_count_conflicts(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, &device_statements, COUNT_CONFLICTS, NO_PARAMS, FIELDS(F_INT(ret)), &found, err);
}

/* The loop guard */

#define ORIGINS_MAX 32       /* told apart of one device */
#define OTHERS      "others" /* no address looks like it */

/* A stranger with many addresses must not fill the disk. */
static bool choose_origin(struct db *db, int64_t id, const char *origin, char out[ORIGIN_SIZE],
                          struct error *err)
{
    int64_t known, count;
    bool found;
    memcpy(out, OTHERS, sizeof OTHERS);
    if (!db_row(db, &device_statements, HAS_ORIGIN, PARAMS(P_INT(id), P_TEXT(origin)), FIELDS(F_INT(&known)),
                &found, err))
        return false;
    if (!known && origin[0] &&
        !db_row(db, &device_statements, ORIGINS, PARAMS(P_INT(id)), FIELDS(F_INT(&count)), &found, err))
        return false;
    if (known || !origin[0] || count < ORIGINS_MAX)
        slice_copy(slice_of(origin), out, ORIGIN_SIZE);
    return true;
}

bool device_guard_load(struct db *db, int64_t id, const char *origin, int64_t since_ms, int64_t now_ms,
                       struct guard *ret, struct error *err)
{
    bool found;
    return choose_origin(db, id, origin, ret->origin, err) &&
           db_row(db, &device_statements, BEGUN_COUNT,
                  PARAMS(P_INT(id), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS), P_TEXT(ret->origin)),
                  FIELDS(F_INT(&ret->begun)), &found, err) &&
           db_row(db, &device_statements, IS_CLOSED, PARAMS(P_INT(id), P_TEXT(ret->origin)),
                  FIELDS(F_INT(&ret->closed)), &found, err);
}

bool device_begun_add(struct db *db, int64_t id, const char *origin, int64_t now_ms, struct error *err)
{
    return db_do(db, &device_statements, BEGUN_DROP,
                 PARAMS(P_INT(id), P_INT(now_ms - DAY_MS), P_INT(now_ms + CLOCK_AHEAD_MS)), NULL, err) &&
           db_do(db, &device_statements, BEGUN_ADD, PARAMS(P_INT(id), P_TEXT(origin), P_INT(now_ms)), NULL,
                 err);
}

bool device_guard_close(struct db *db, int64_t id, const char *origin, struct error *err)
{
    return db_do(db, &device_statements, CLOSE, PARAMS(P_INT(id), P_TEXT(origin)), NULL, err);
}

bool device_guard_open(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, &device_statements, BEGUN_FORGET, PARAMS(P_INT(id)), NULL, err) &&
           db_do(db, &device_statements, REOPEN, PARAMS(P_INT(id)), NULL, err);
}

bool device_guard_list(struct db *db, int64_t id, char (**ret)[ORIGIN_SIZE], size_t *ret_count,
                       struct error *err)
{
    char row[ORIGIN_SIZE] = "";
    return db_list(db, &device_statements, LIST_CLOSED, PARAMS(P_INT(id)), FIELDS(F_TEXT(row)), row,
                   sizeof row, ret, ret_count, err);
}

bool device_clamp(struct device *device, int64_t now_ms)
{
    int64_t *const times[] = {&device->confirmed_ms, &device->first_seen_ms, &device->last_seen_ms,
                              &device->last_answer_ms, &device->claim.at_ms};
    bool changed = false;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        changed |= *times[i] > now_ms;
        *times[i] = clock_clamp(*times[i], now_ms);
    }
    return changed;
}
