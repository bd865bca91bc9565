/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/product.h"

#include "storage/entities.h"

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(name, TEXT, row->name)                                                                             \
    NEXT(unknown_devices, ENUM_OR_NULL, row->unknown_devices, &stored_unknown_devices)                       \
    NEXT(device_secret, ENUM_OR_NULL, row->device_secret, &stored_device_secret)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(product_key, TEXT, row->product_key)                                                               \
    CHANGED(NEXT, NEXT, row)                                                                                 \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(check_ins_trusted_ms, INT_OR_NULL, row->check_ins_trusted_ms)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

static const char *const unknown_names[] = {[UNKNOWN_DEVICES_ADMITTED] = "admitted",
                                            [UNKNOWN_DEVICES_HELD] = "held",
                                            [UNKNOWN_DEVICES_REFUSED] = "refused"};
const struct enum_names unknown_devices_names = ENUM_NAMES(unknown_names);
static const char *const stored_unknown_names[] = {
    [UNKNOWN_DEVICES_ADMITTED] = "", [UNKNOWN_DEVICES_HELD] = "held", [UNKNOWN_DEVICES_REFUSED] = "refused"};
static const struct enum_names stored_unknown_devices = ENUM_NAMES(stored_unknown_names);
static const char *const secret_names[] = {
    [DEVICE_SECRET_OPTIONAL] = "optional", [DEVICE_SECRET_REQUIRED] = "required"};
const struct enum_names device_secret_names = ENUM_NAMES(secret_names);
static const char *const stored_secret_names[] = {
    [DEVICE_SECRET_OPTIONAL] = "", [DEVICE_SECRET_REQUIRED] = "required"};
static const struct enum_names stored_device_secret = ENUM_NAMES(stored_secret_names);

enum {
    ADD,
    UPDATE,
    FIND,
    BY_ID,
    LIST,
    COUNT,
    SET_TRUSTED,
    ADMISSIONS,
    ADMIT,
    LAST_DAY,
    ADMIT_LATER,
    NETWORK,
    NETWORK_ADD,
    NETWORKS_FULL,
    NETWORKS_REMOVE,
    LINKS_BEFORE
};
static const char *const sql[] = {
    [ADD] =
        "INSERT INTO product (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ") "
        "ON CONFLICT (product_key) DO NOTHING",
    [UPDATE] = "UPDATE product SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [FIND] = KEPT "SELECT " COLUMN_NAMES(COLUMNS) " FROM product WHERE product_key = $1",
    [BY_ID] = KEPT "SELECT " COLUMN_NAMES(COLUMNS) " FROM product WHERE id = $1",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM product ORDER BY id",
    [COUNT] = "SELECT count(*) FROM product",
    [SET_TRUSTED] = "UPDATE product SET check_ins_trusted_ms = $1 WHERE id = $2",
    [ADMISSIONS] = "SELECT devices FROM admission WHERE product_id = $1 AND day = $2",
    [ADMIT] =
        "INSERT INTO admission (product_id, day, devices) VALUES ($1, $2, 1) "
        "ON CONFLICT (product_id, day) DO UPDATE SET devices = admission.devices + 1",
    [LAST_DAY] = "SELECT coalesce(max(day), 0) FROM admission WHERE product_id = $1",
    /* Days that a clock which ran ahead has counted. They would count again when that day comes. */
    [ADMIT_LATER] = "DELETE FROM admission WHERE product_id = $1 AND day > $2",
    [NETWORK] =
        "SELECT devices, told FROM admission_network WHERE product_id = $1 AND day = $2 AND network = $3",
    [NETWORK_ADD] =
        "INSERT INTO admission_network (product_id, day, network, devices, told) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (product_id, day, network) DO UPDATE SET devices = admission_network.devices + $4, "
        "told = max(admission_network.told, $5)",
    [NETWORKS_FULL] =
        "SELECT p.product_key, n.network, CASE n.network WHEN '' THEN a.devices ELSE n.devices END, n.told "
        "FROM admission_network n JOIN product p ON p.id = n.product_id "
        "LEFT JOIN admission a ON a.product_id = n.product_id AND a.day = n.day WHERE n.day = $1 AND n.told "
        "ORDER BY p.product_key, n.network LIMIT 100",
    [NETWORKS_REMOVE] = "DELETE FROM admission_network WHERE day < $1 OR day > $1",
    [LINKS_BEFORE] =
        "UPDATE link SET created_ms = $1 - 1 WHERE handed_out = 1 AND created_ms >= $1 AND created_ms < $2 "
        "AND device_id IN (SELECT id FROM device WHERE product_id = $3)",
};
DB_TABLE(product, ENTITY_PRODUCT);

bool product_add(struct db *db, struct product *product, struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, product))), &changes, err))
        return false;
    if (!changes)
        return error_set(err, ERROR_PRODUCT_EXISTS, "a product with the key %s exists already",
                         product->product_key);
    product->id = db_last_id(db);
    return true;
}

bool product_find(struct db *db, const char *product_key, struct product *ret, bool *ret_found,
                  struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_TEXT(product_key)), ROW(ret)), ret_found, err);
}

bool product_get(struct db *db, const char *product_key, struct product *ret, struct error *err)
{
    bool found;
    if (!product_find(db, product_key, ret, &found, err))
        return false;
    return found || error_set(err, ERROR_PRODUCT_NOT_FOUND, "there is no product %s", product_key);
}

bool product_by_id(struct db *db, int64_t id, struct product *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

bool product_update(struct db *db, const struct product *product, struct error *err)
{
    return db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, product), P_INT(product->id))), NULL, err);
}

bool product_list(struct db *db, struct product **ret, size_t *ret_count, struct error *err)
{
    struct product row = {0};
    return db_list(db, QUERY(LIST, NO_PARAMS, ROW(&row)), &row, sizeof row, ret, ret_count, err);
}

static bool set_trusted(struct db *db, const struct product *product, struct error *err)
{
    return db_do(
        db, COMMAND(SET_TRUSTED, PARAMS(P_INT_OR_NULL(product->check_ins_trusted_ms), P_INT(product->id))),
        NULL, err);
}

static bool trust(struct db *db, struct product *product, int64_t now_ms, int64_t before_ms,
                  struct error *err)
{
    product->check_ins_trusted_ms = now_ms;
    return set_trusted(db, product, err) &&
           db_do(db, COMMAND(LINKS_BEFORE, PARAMS(P_INT(now_ms), P_INT(before_ms), P_INT(product->id))), NULL,
                 err);
}

bool product_trust(struct db *db, struct product *product, int64_t now_ms, struct error *err)
{
    return trust(db, product, now_ms, INT64_MAX, err);
}

bool product_distrust(struct db *db, struct product *product, struct error *err)
{
    product->check_ins_trusted_ms = 0;
    return set_trusted(db, product, err);
}

bool product_clamp_trusted(struct db *db, struct product *product, int64_t now_ms, struct error *err)
{
    return product->check_ins_trusted_ms <= now_ms ||
           trust(db, product, now_ms, product->check_ins_trusted_ms, err);
}

bool product_count(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(COUNT, NO_PARAMS, FIELDS(F_INT(ret))), &found, err);
}

bool product_admissions(struct db *db, int64_t product_id, int64_t day, int64_t *ret, struct error *err)
{
    bool found;
    *ret = 0;
    return db_row(db, QUERY(ADMISSIONS, PARAMS(P_INT(product_id), P_INT(day)), FIELDS(F_INT(ret))), &found,
                  err);
}

bool product_admit(struct db *db, int64_t product_id, int64_t day, struct error *err)
{
    int64_t last;
    bool found;
    return db_do(db, COMMAND(ADMIT, PARAMS(P_INT(product_id), P_INT(day))), NULL, err) &&
           db_row(db, QUERY(LAST_DAY, PARAMS(P_INT(product_id)), FIELDS(F_INT(&last))), &found, err) &&
           (last <= day || db_do(db, COMMAND(ADMIT_LATER, PARAMS(P_INT(product_id), P_INT(day))), NULL, err));
}

bool product_network(struct db *db, int64_t product_id, int64_t day, const char *network,
                     struct admission_network *ret, struct error *err)
{
    bool found;
    *ret = (struct admission_network){.devices = 0};
    return db_row(db,
                  QUERY(NETWORK, PARAMS(P_INT(product_id), P_INT(day), P_TEXT(network)),
                        FIELDS(F_INT(&ret->devices), F_BOOL(&ret->told))),
                  &found, err);
}

bool product_network_add(struct db *db, int64_t product_id, int64_t day, const char *network, int64_t devices,
                         bool told, struct error *err)
{
    return db_do(db,
                 COMMAND(NETWORK_ADD,
                         PARAMS(P_INT(product_id), P_INT(day), P_TEXT(network), P_INT(devices), P_INT(told))),
                 NULL, err);
}

bool product_networks_full(struct db *db, int64_t day, struct admission_network **ret, size_t *ret_count,
                           struct error *err)
{
    struct admission_network row = {.devices = 0};
    return db_list(
        db,
        QUERY(NETWORKS_FULL, PARAMS(P_INT(day)),
              FIELDS(F_TEXT(row.product), F_TEXT(row.network), F_INT(&row.devices), F_BOOL(&row.told))),
        &row, sizeof row, ret, ret_count, err);
}

bool product_networks_remove(struct db *db, int64_t day, struct error *err)
{
    return db_do(db, COMMAND(NETWORKS_REMOVE, PARAMS(P_INT(day))), NULL, err);
}
