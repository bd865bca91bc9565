/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/unknown.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/entities.h"

/* What a row is about. */
#define KEY(FIRST, NEXT, row)                                                                                \
    FIRST(product, TEXT, row->product)                                                                       \
    NEXT(kind, ENUM, row->kind, &unknown_kind_names)                                                         \
    NEXT(firmware, TEXT, row->firmware)                                                                      \
    NEXT(text, TEXT, row->text)
#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(code, INT, row->code)                                                                              \
    NEXT(count, INT, row->count)                                                                             \
    NEXT(devices, TEXT, row->devices)                                                                        \
    NEXT(first_ms, INT, row->first_ms)                                                                       \
    NEXT(last_ms, INT, row->last_ms)
#define ADDED(FIRST, NEXT, row)   KEY(FIRST, NEXT, row) CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum { FIND, ADD, UPDATE, TRIM_PRODUCT, TRIM, LIST, FORGET, FORGET_ALL };
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM unknown WHERE product = $1 AND kind = $2 AND firmware = $3 AND text = $4",
    [ADD] = "INSERT INTO unknown (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [UPDATE] = "UPDATE unknown SET " COLUMN_CHANGES(CHANGED) " WHERE id = $id",
    [TRIM_PRODUCT] =
        "DELETE FROM unknown WHERE id IN (SELECT id FROM unknown WHERE product = $1 "
        "ORDER BY count DESC, last_ms DESC LIMIT 10000 OFFSET $2)",
    [TRIM] =
        "DELETE FROM unknown WHERE id IN (SELECT id FROM unknown ORDER BY count DESC, last_ms DESC "
        "LIMIT 10000 OFFSET $1)",
    [LIST] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM unknown WHERE $1 = '*' OR product = $1 ORDER BY last_ms DESC, id DESC",
    [FORGET] = "DELETE FROM unknown WHERE id = $1",
    [FORGET_ALL] = "DELETE FROM unknown",
};
DB_TABLE(unknown, ENTITY_UNKNOWN);

static const char *const kind_names[] = {[UNKNOWN_PRODUCT] = "product",
                                         [UNKNOWN_FIRMWARE] = "firmware",
                                         [UNKNOWN_VERSION] = "version",
                                         [UNKNOWN_ID] = "id"};
const struct enum_names unknown_kind_names = ENUM_NAMES(kind_names);

bool unknown_is_same(const struct unknown *a, const struct unknown *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(KEY, a)}, right[] = {COLUMN_PARAMS(KEY, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

void unknown_put_device(struct unknown *row, const char *device)
{
    char list[UNKNOWN_DEVICES_SIZE];
    struct slice rest = slice_of(row->devices), item;
    size_t used = (size_t)snprintf(list, sizeof list, "%.*s", UNKNOWN_DEVICE_SIZE - 1, device);
    for (unsigned count = 1;
         row->devices[0] && count < UNKNOWN_DEVICES_MAX && slice_split(&rest, ' ', &item);)
        if (item.len < UNKNOWN_DEVICE_SIZE && !slice_is(item, device)) {
            used += (size_t)snprintf(list + used, sizeof list - used, " %.*s", (int)item.len, item.ptr);
            count++;
        }
    memcpy(row->devices, list, used + 1);
}

unsigned unknown_device_count(const struct unknown *row)
{
    unsigned count = row->devices[0] != '\0';
    for (const char *c = row->devices; *c; c++)
        count += *c == ' ';
    return count;
}

static void merge_devices(struct unknown *there, const char *devices)
{
    struct slice rest = slice_of(devices), item[UNKNOWN_DEVICES_MAX];
    unsigned count = 0;
    while (devices[0] && count < UNKNOWN_DEVICES_MAX && slice_split(&rest, ' ', &item[count]))
        count++;
    while (count-- > 0) {
        char device[UNKNOWN_DEVICE_SIZE];
        if (slice_copy(item[count], device, sizeof device))
            unknown_put_device(there, device);
    }
}

bool unknown_add(struct db *db, const struct unknown *row, struct error *err)
{
    struct unknown there;
    bool found;
    if (!db_row(db, QUERY(FIND, PARAMS(COLUMN_PARAMS(KEY, row)), ROW(&there)), &found, err))
        return false;
    if (!found)
        return db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, row))), NULL, err);
    merge_devices(&there, row->devices);
    there.code = row->code;
    there.count += row->count;
    if (row->last_ms > there.last_ms || clock_is_ahead(there.last_ms, row->last_ms))
        there.last_ms = row->last_ms;
    return db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(CHANGED, &there), P_INT(there.id))), NULL, err);
}

bool unknown_trim(struct db *db, const char *product, struct error *err)
{
    return db_do(db, COMMAND(TRIM_PRODUCT, PARAMS(P_TEXT(product), P_INT(UNKNOWN_OF_PRODUCT))), NULL, err) &&
           db_do(db, COMMAND(TRIM, PARAMS(P_INT(UNKNOWN_ROWS_MAX))), NULL, err);
}

bool unknown_list(struct db *db, const char *product, struct unknown **ret, size_t *ret_count,
                  struct error *err)
{
    struct unknown row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_TEXT(product ? product : "*")), ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool unknown_remove(struct db *db, int64_t id, struct error *err)
{
    int64_t changes;
    if (id == 0)
        return db_do(db, COMMAND(FORGET_ALL, NO_PARAMS), NULL, err);
    return db_do(db, COMMAND(FORGET, PARAMS(P_INT(id))), &changes, err) &&
           (changes > 0 || error_set(err, ERROR_NOT_FOUND, "the list has no row %lld", (long long)id));
}
