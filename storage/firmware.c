/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/firmware.h"

#include "base/package_format.h"
#include "storage/entities.h"
#include "upgrade/canary.h"

static const char *const names_of_full_packages[] = {[FULL_PACKAGES_OFF] = "off",
                                                     [FULL_PACKAGES_ALLOWED] = "allowed",
                                                     [FULL_PACKAGES_PREFERRED] = "preferred"};
const struct enum_names full_packages_names = ENUM_NAMES(names_of_full_packages);

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(format, TEXT_OR_NULL, row->format)                                                                 \
    NEXT(max_package_bytes, INT, row->max_package_bytes)                                                     \
    NEXT(downgrades, BOOL, row->downgrades)                                                                  \
    NEXT(canary_confirmations, INT, row->canary_confirmations)                                               \
    NEXT(quarantine_after, INT, row->quarantine_after)                                                       \
    NEXT(hours, TEXT, row->hours)                                                                            \
    NEXT(max_bytes_per_month, INT, row->max_bytes_per_month)                                                 \
    NEXT(format_is_default, BOOL, row->format_is_default)                                                    \
    NEXT(family, TEXT_OR_NULL, row->family)                                                                  \
    NEXT(full_packages, ENUM, row->full_packages, &full_packages_names)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(product_id, INT, row->product_id)                                                                  \
    NEXT(name, TEXT, row->name)                                                                              \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row), F_TEXT((row)->target))

#define OF_F_FIRST(column, ...) "f." #column
#define OF_F_NEXT(column, ...)  ", f." #column
#define SELECT                                                                                               \
    "SELECT " COLUMNS(OF_F_FIRST, OF_F_NEXT, ) ", c.target FROM firmware f LEFT JOIN campaign c "              \
    "ON c.firmware_id = f.id AND c.plain = 1 AND c.state IN ('running', 'paused') "

enum { FIND, BY_ID, ANYWHERE, ADD, UPDATE, RENAME, LIST, COUNT, MISSING_BASES, NAMES_OF_IMAGE, CHIPS };
static const char *const sql[] = {
    [FIND] = KEPT SELECT "WHERE f.product_id = $1 AND f.name = $2",
    [BY_ID] = KEPT SELECT "WHERE f.id = $1",
    [ANYWHERE] = "SELECT 1 FROM firmware WHERE name = $1 LIMIT 1",
    [ADD] =
        "INSERT INTO firmware (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ") "
        "ON CONFLICT (product_id, name) DO NOTHING",
    [UPDATE] = "UPDATE firmware SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [RENAME] = "UPDATE firmware SET name = $1 WHERE id = $2",
    [LIST] = SELECT "WHERE f.product_id = $1 ORDER BY f.name",
    [COUNT] =
        "SELECT (SELECT count(*) FROM image WHERE firmware_id = $1), "
        "(SELECT coalesce(sum(devices), 0) FROM fleet_group WHERE firmware_id = $1 AND target_version = '')",
    [CHIPS] = "SELECT DISTINCT chip FROM image WHERE firmware_id = $1 AND chip IS NOT NULL",
    [MISSING_BASES] =
        "SELECT asked_version, sum(devices) AS total FROM fleet_group g WHERE firmware_id = $1 "
        "AND target_version = '' AND asked_version <> '' AND NOT EXISTS (SELECT 1 FROM image i "
        "WHERE i.firmware_id = g.firmware_id AND i.version = g.asked_version) "
        "GROUP BY asked_version ORDER BY total DESC, asked_version LIMIT 1000",
    [NAMES_OF_IMAGE] =
        "SELECT DISTINCT f.name FROM image i JOIN firmware f ON f.id = i.firmware_id WHERE i.sha256 = $1",
};
DB_TABLE(firmware, ENTITY_FIRMWARE);

bool firmware_find(struct db *db, int64_t product_id, const char *name, struct firmware *ret, bool *ret_found,
                   struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_INT(product_id), P_TEXT(name)), ROW(ret)), ret_found, err);
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
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

bool firmware_is_anywhere(struct db *db, const char *name, bool *ret, struct error *err)
{
    return db_row(db, QUERY(ANYWHERE, PARAMS(P_TEXT(name)), NO_FIELDS), ret, err);
}

bool firmware_ensure(struct db *db, int64_t product_id, const char *name, int64_t now_ms,
                     struct firmware *ret, struct error *err)
{
    struct firmware made = {.product_id = product_id,
                            .format_is_default = !family_of_name(name),
                            .max_package_bytes = DEFAULT_MAX_PACKAGE_BYTES,
                            .canary_confirmations = CANARY_CONFIRMATIONS_DEFAULT,
                            .quarantine_after = QUARANTINE_AFTER_DEFAULT,
                            .hours = HOURS_ALWAYS,
                            .created_ms = now_ms};
    if (!slice_copy(slice_of(name), made.name, sizeof made.name))
        return error_set(err, ERROR_INVALID, "the name of the firmware is too long");
    if (made.format_is_default)
        strcpy(made.format, package_format_table[PACKAGE_FORMAT_DEFAULT].name);
    return db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, &made))), NULL, err) &&
           firmware_get(db, product_id, name, ret, err);
}

bool firmware_takes_full_packages(const struct firmware *firmware)
{
    return firmware->full_packages != FULL_PACKAGES_OFF &&
           package_format_is(firmware->format, PACKAGE_FORMAT_EC618_CSDK);
}

bool firmware_prefers_full_packages(const struct firmware *firmware)
{
    return firmware->full_packages == FULL_PACKAGES_PREFERRED && firmware_takes_full_packages(firmware);
}

bool firmware_update(struct db *db, const struct firmware *firmware, struct error *err)
{
    return db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, firmware), P_INT(firmware->id))), NULL,
                 err);
}

bool firmware_rename(struct db *db, struct firmware *firmware, const char *name, struct error *err)
{
    struct firmware other;
    bool found;
    if (!firmware_find(db, firmware->product_id, name, &other, &found, err))
        return false;
    if (found && other.id != firmware->id)
        return error_set(err, ERROR_FIRMWARE_EXISTS, "the product has a firmware %s already", name);
    return (slice_copy(slice_of(name), firmware->name, sizeof firmware->name) ||
            error_set(err, ERROR_INVALID, "the name of the firmware is too long")) &&
           db_do(db, COMMAND(RENAME, PARAMS(P_TEXT(name), P_INT(firmware->id))), NULL, err);
}

bool firmware_list(struct db *db, int64_t product_id, struct firmware **ret, size_t *ret_count,
                   struct error *err)
{
    struct firmware row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(product_id)), ROW(&row)), &row, sizeof row, ret, ret_count,
                   err);
}

bool firmware_count(struct db *db, int64_t firmware_id, struct firmware_counts *ret, struct error *err)
{
    bool found;
    return db_row(db,
                  QUERY(COUNT, PARAMS(P_INT(firmware_id)), FIELDS(F_INT(&ret->images), F_INT(&ret->devices))),
                  &found, err);
}

bool firmware_missing_bases(struct db *db, int64_t firmware_id, struct missing_base **ret, size_t *ret_count,
                            struct error *err)
{
    struct missing_base row = {0};
    return db_list(
        db,
        QUERY(MISSING_BASES, PARAMS(P_INT(firmware_id)), FIELDS(F_TEXT(row.version), F_INT(&row.devices))),
        &row, sizeof row, ret, ret_count, err);
}

bool firmware_names_of_image(struct db *db, const struct sha256 *sha256, struct firmware_name **ret,
                             size_t *ret_count, struct error *err)
{
    struct firmware_name row = {""};
    return db_list(db, QUERY(NAMES_OF_IMAGE, PARAMS(P_HASH(sha256)), FIELDS(F_TEXT(row.text))), &row,
                   sizeof row, ret, ret_count, err);
}

bool firmware_chips(struct db *db, int64_t firmware_id, struct firmware_chip **ret, size_t *ret_count,
                    struct error *err)
{
    struct firmware_chip row = {""};
    return db_list(db, QUERY(CHIPS, PARAMS(P_INT(firmware_id)), FIELDS(F_TEXT(row.text))), &row, sizeof row,
                   ret, ret_count, err);
}
