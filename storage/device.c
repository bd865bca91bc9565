#include "storage/device.h"

#include <stdio.h>

#include "storage/entities.h"

#define DAY_MS (24LL * 3600 * 1000)
#define COLUMNS                                                                                              \
    "id, product_id, firmware_id, id_kind, device, confirmed_version, confirmed_ms, confirmed_by, "          \
    "confirmed_authenticated, asked_version, first_seen_ms, last_seen_ms, check_ins, last_code, "            \
    "last_reason, "                                                                                          \
    "last_answer_ms, blocked, notice"

#define IS_SHARED "OR id IN (SELECT device_id FROM device_said WHERE shared_ms IS NOT NULL)"

enum { FIND, FIND_IMEI, BY_ID, ADD, UPDATE, SEEN, LIST, COUNT, COUNT_LISTED, BEGUN_ADD, BEGUN_DROP, BEGUN_COUNT, BEGUN_FORGET };
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMNS " FROM device WHERE product_id = $1 AND id_kind = $2 AND device = $3",
    /* Those of the same 14 digits; of several the one with the right check digit. Two of 15 digits are two devices. */
    [FIND_IMEI] = "SELECT " COLUMNS " FROM device WHERE product_id = $1 AND id_kind = 'imei' AND device >= $2 "
                  "AND device < $2 || ':' AND (length(device) <> $3 OR length($4) <> $3) "
                  "ORDER BY device = $5 DESC, id LIMIT 1",
    [BY_ID] = "SELECT " COLUMNS " FROM device WHERE id = $1",
    [ADD] = "INSERT INTO device (product_id, id_kind, device, firmware_id) VALUES ($1, $2, $3, $4)",
    [UPDATE] =
        "UPDATE device SET firmware_id = $1, confirmed_version = $2, confirmed_ms = $3, confirmed_by = $4, "
        "confirmed_authenticated = $5, asked_version = $6, first_seen_ms = $7, last_code = $8, last_reason = "
        "$9, "
        "last_answer_ms = $10, blocked = $11, notice = $12 WHERE id = $13",
    [SEEN] =
        "UPDATE device SET check_ins = check_ins + $1, last_seen_ms = max(coalesce(last_seen_ms, 0), $2) "
        "WHERE id = $3",
    [LIST] = "SELECT " COLUMNS
             " FROM device WHERE product_id = $1 AND id > $2 AND ($3 = 0 OR firmware_id = $3) "
             "AND ($4 = 0 OR notice IS NOT NULL " IS_SHARED ") ORDER BY id LIMIT $5",
    [COUNT] = "SELECT count(*) FROM device",
    [COUNT_LISTED] = "SELECT count(*) FROM device WHERE product_id = $1 AND ($2 = 0 OR firmware_id = $2) "
                     "AND ($3 = 0 OR notice IS NOT NULL " IS_SHARED ")",
    [BEGUN_ADD] =
        "INSERT INTO begun (device_id, begun_ms) VALUES ($1, $2) "
        "ON CONFLICT (device_id, begun_ms) DO UPDATE SET packages = begun.packages + 1",
    [BEGUN_DROP] = "DELETE FROM begun WHERE device_id = $1 AND begun_ms < $2",
    [BEGUN_COUNT] = "SELECT coalesce(sum(packages), 0) FROM begun WHERE device_id = $1 AND begun_ms >= $2",
    [BEGUN_FORGET] = "DELETE FROM begun WHERE device_id = $1",
};
DB_TABLE(device, ENTITY_DEVICE);

#define ROW(d)                                                                                               \
    FIELDS(F_INT(&(d)->id), F_INT(&(d)->product_id), F_INT(&(d)->firmware_id), F_TEXT((d)->id_kind),         \
           F_TEXT((d)->device), F_TEXT((d)->confirmed_version), F_INT(&(d)->confirmed_ms),                   \
           F_TEXT((d)->confirmed_by), F_INT(&(d)->confirmed_authenticated), F_TEXT((d)->asked_version),      \
           F_INT(&(d)->first_seen_ms), F_INT(&(d)->last_seen_ms), F_INT(&(d)->check_ins),                    \
           F_INT(&(d)->last_code), F_TEXT((d)->last_reason), F_INT(&(d)->last_answer_ms),                    \
           F_INT(&(d)->blocked), F_TEXT((d)->notice))

/* The same module under another number of digits: rows keep the form in which they were made. */
static bool find_imei(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                      bool *ret_found, struct error *err)
{
    char body[IMEI_BODY_DIGITS + 1], whole[IMEI_DIGITS + 1];
    snprintf(body, sizeof body, "%.*s", IMEI_BODY_DIGITS, identity->id);
    identity_complete_imei(body, whole);
    return db_row(db, &device_statements, FIND_IMEI,
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
    return *ret_found || !identity_is_imei(identity) || find_imei(db, product_id, identity, ret, ret_found, err);
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
    return db_do(db, &device_statements, UPDATE,
                 PARAMS(P_INT(device->firmware_id), P_TEXT_OR_NULL(device->confirmed_version),
                        confirmed ? P_INT(device->confirmed_ms) : P_NULL,
                        P_TEXT_OR_NULL(device->confirmed_by),
                        confirmed ? P_INT(device->confirmed_authenticated) : P_NULL,
                        P_TEXT_OR_NULL(device->asked_version), P_INT_OR_NULL(device->first_seen_ms),
                        P_INT_OR_NULL(device->last_code), P_TEXT_OR_NULL(device->last_reason),
                        P_INT_OR_NULL(device->last_answer_ms), P_INT(device->blocked),
                        P_TEXT_OR_NULL(device->notice), P_INT(device->id)),
                 NULL, err);
}

bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err)
{
    return db_do(db, &device_statements, SEEN, PARAMS(P_INT(check_ins), P_INT(last_seen_ms), P_INT(id)), NULL,
                 err);
}

bool device_count_listed(struct db *db, int64_t product_id, int64_t firmware_id, bool only_noticed, int64_t *ret,
                         struct error *err)
{
    bool found;
    return db_row(db, &device_statements, COUNT_LISTED,
                  PARAMS(P_INT(product_id), P_INT(firmware_id), P_INT(only_noticed)), FIELDS(F_INT(ret)), &found, err);
}

bool device_list(struct db *db, int64_t product_id, int64_t firmware_id, bool only_noticed, int64_t after,
                 int64_t limit, struct device **ret, size_t *ret_count, struct error *err)
{
    struct device row = {0};
    return db_list(
        db, &device_statements, LIST,
        PARAMS(P_INT(product_id), P_INT(after), P_INT(firmware_id), P_INT(only_noticed), P_INT(limit)),
        ROW(&row), &row, sizeof row, ret, ret_count, err);
}

bool device_count(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, &device_statements, COUNT, NO_PARAMS, FIELDS(F_INT(ret)), &found, err);
}

bool device_begun_add(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    return db_do(db, &device_statements, BEGUN_DROP, PARAMS(P_INT(id), P_INT(now_ms - DAY_MS)), NULL, err) &&
           db_do(db, &device_statements, BEGUN_ADD, PARAMS(P_INT(id), P_INT(now_ms)), NULL, err);
}

bool device_begun_count(struct db *db, int64_t id, int64_t since_ms, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, &device_statements, BEGUN_COUNT, PARAMS(P_INT(id), P_INT(since_ms)), FIELDS(F_INT(ret)),
                  &found, err);
}

bool device_begun_forget(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, &device_statements, BEGUN_FORGET, PARAMS(P_INT(id)), NULL, err);
}
