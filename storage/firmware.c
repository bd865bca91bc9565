/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/firmware.h"

#include "storage/entities.h"

#define SELECT                                                                                               \
    "SELECT f.id, f.product_id, f.name, f.format, f.max_package_bytes, f.target_image_id, t.version, "       \
    "f.downgrades, f.format_is_default, f.family, f.created_ms "                                             \
    "FROM firmware f LEFT JOIN image t ON t.id = f.target_image_id "

enum { FIND, BY_ID, ANYWHERE, ADD, UPDATE, LIST, COUNT, MISSING_BASES, NAMES_OF_IMAGE };
static const char *const sql[] = {
    [FIND] = SELECT "WHERE f.product_id = $1 AND f.name = $2",
    [BY_ID] = SELECT "WHERE f.id = $1",
    [ANYWHERE] = "SELECT 1 FROM firmware WHERE name = $1 LIMIT 1",
    [ADD] =
        "INSERT INTO firmware (product_id, name, format, format_is_default, max_package_bytes, created_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (product_id, name) DO NOTHING",
    [UPDATE] =
        "UPDATE firmware SET format = $1, max_package_bytes = $2, target_image_id = $3, downgrades = $4, "
        "format_is_default = $5, family = $6 WHERE id = $7",
    [LIST] = SELECT "WHERE f.product_id = $1 ORDER BY f.name",
    [COUNT] =
        "SELECT (SELECT count(*) FROM image WHERE firmware_id = $1), "
        "(SELECT count(*) FROM device WHERE firmware_id = $1)",
    [MISSING_BASES] =
        "SELECT asked_version, count(*) AS devices FROM device d WHERE firmware_id = $1 "
        "AND asked_version IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM image i WHERE i.firmware_id = d.firmware_id AND i.version = d.asked_version) "
        "GROUP BY asked_version ORDER BY devices DESC, asked_version",
    [NAMES_OF_IMAGE] =
        "SELECT DISTINCT f.name FROM image i JOIN firmware f ON f.id = i.firmware_id WHERE i.sha256 = $1",
};
DB_TABLE(firmware, ENTITY_FIRMWARE);

#define ROW(f)                                                                                               \
    FIELDS(F_INT(&(f)->id), F_INT(&(f)->product_id), F_TEXT((f)->name), F_TEXT((f)->format),                 \
           F_INT(&(f)->max_package_bytes), F_INT(&(f)->target_image_id), F_TEXT((f)->target),                \
           F_INT(&(f)->downgrades), F_INT(&(f)->format_is_default), F_TEXT((f)->family),                     \
           F_INT(&(f)->created_ms))

bool firmware_find(struct db *db, int64_t product_id, const char *name, struct firmware *ret, bool *ret_found,
                   struct error *err)
{
    return db_row(db, &firmware_statements, FIND, PARAMS(P_INT(product_id), P_TEXT(name)), ROW(ret),
                  ret_found, err);
}

bool firmware_get(struct db *db, int64_t product_id, const char *name, struct firmware *ret,
                  struct error *err)
{
    bool found;
    if (!firmware_find(db, product_id, name, ret, &found, err))
        return false;
    return found || error_set(err, ERROR_FIRMWARE_NOT_FOUND, "the product has no firmware %s", name);
}

bool firmware_by_id(struct db *db, int64_t id, struct firmware *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &firmware_statements, BY_ID, PARAMS(P_INT(id)), ROW(ret), ret_found, err);
}

bool firmware_is_anywhere(struct db *db, const char *name, bool *ret, struct error *err)
{
    return db_row(db, &firmware_statements, ANYWHERE, PARAMS(P_TEXT(name)), NO_FIELDS, ret, err);
}

bool firmware_ensure(struct db *db, int64_t product_id, const char *name, int64_t now_ms,
                     struct firmware *ret, struct error *err)
{
    bool is_default = !family_of_name(name);
    struct db_value format = is_default ? P_TEXT("bsdiff") : P_NULL;
    return db_do(db, &firmware_statements, ADD,
                 PARAMS(P_INT(product_id), P_TEXT(name), format, P_INT(is_default),
                        P_INT(DEFAULT_MAX_PACKAGE_BYTES), P_INT(now_ms)),
                 NULL, err) &&
           firmware_get(db, product_id, name, ret, err);
}

bool firmware_update(struct db *db, const struct firmware *firmware, struct error *err)
{
    return db_do(db, &firmware_statements, UPDATE,
                 PARAMS(P_TEXT_OR_NULL(firmware->format), P_INT(firmware->max_package_bytes),
                        P_INT_OR_NULL(firmware->target_image_id), P_INT(firmware->downgrades),
                        P_INT(firmware->format_is_default), P_TEXT_OR_NULL(firmware->family),
                        P_INT(firmware->id)),
                 NULL, err);
}

bool firmware_list(struct db *db, int64_t product_id, struct firmware **ret, size_t *ret_count,
                   struct error *err)
{
    struct firmware row = {0};
    return db_list(db, &firmware_statements, LIST, PARAMS(P_INT(product_id)), ROW(&row), &row, sizeof row,
                   ret, ret_count, err);
}

bool firmware_count(struct db *db, int64_t firmware_id, struct firmware_counts *ret, struct error *err)
{
    bool found;
    return db_row(db, &firmware_statements, COUNT, PARAMS(P_INT(firmware_id)),
                  FIELDS(F_INT(&ret->images), F_INT(&ret->devices)), &found, err);
}

bool firmware_missing_bases(struct db *db, int64_t firmware_id, struct missing_base **ret, size_t *ret_count,
                            struct error *err)
{
    struct missing_base row = {0};
    return db_list(db, &firmware_statements, MISSING_BASES, PARAMS(P_INT(firmware_id)),
                   FIELDS(F_TEXT(row.version), F_INT(&row.devices)), &row, sizeof row, ret, ret_count, err);
}

bool firmware_names_of_image(struct db *db, const struct sha256 *sha256, struct firmware_name **ret,
                             size_t *ret_count, struct error *err)
{
    struct firmware_name row = {""};
    return db_list(db, &firmware_statements, NAMES_OF_IMAGE, PARAMS(P_HASH(sha256)), FIELDS(F_TEXT(row.text)),
                   &row, sizeof row, ret, ret_count, err);
}
