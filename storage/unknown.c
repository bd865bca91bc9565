/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/unknown.h"

#include <stdio.h>

#include "base/clock.h"
#include "storage/entities.h"

#define COLUMNS "id, product, kind, firmware, text, code, count, devices, first_ms, last_ms"

enum { FIND, ADD, UPDATE, TRIM_PRODUCT, TRIM, LIST, FORGET, FORGET_ALL };
static const char *const sql[] = {
    [FIND] =
        "SELECT " COLUMNS " FROM unknown WHERE product = $1 AND kind = $2 AND firmware = $3 AND text = $4",
    [ADD] =
        "INSERT INTO unknown (product, kind, firmware, text, code, count, devices, first_ms, last_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [UPDATE] = "UPDATE unknown SET code = $1, count = $2, devices = $3, last_ms = $4 WHERE id = $5",
    [TRIM_PRODUCT] =
        "DELETE FROM unknown WHERE id IN (SELECT id FROM unknown WHERE product = $1 "
        "ORDER BY count DESC, last_ms DESC LIMIT 10000 OFFSET $2)",
    [TRIM] =
        "DELETE FROM unknown WHERE id IN (SELECT id FROM unknown ORDER BY count DESC, last_ms DESC "
        "LIMIT 10000 OFFSET $1)",
    [LIST] = "SELECT " COLUMNS " FROM unknown WHERE $1 = '*' OR product = $1 ORDER BY last_ms DESC, id DESC",
    [FORGET] = "DELETE FROM unknown WHERE id = $1",
    [FORGET_ALL] = "DELETE FROM unknown",
};
DB_TABLE(unknown, ENTITY_UNKNOWN);

#define ROW(u)                                                                                               \
    FIELDS(F_INT(&(u)->id), F_TEXT((u)->product), F_TEXT((u)->kind), F_TEXT((u)->firmware),                  \
           F_TEXT((u)->text), F_INT(&(u)->code), F_INT(&(u)->count), F_TEXT((u)->devices),                   \
           F_INT(&(u)->first_ms), F_INT(&(u)->last_ms))

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
    if (!db_row(db, &unknown_statements, FIND,
                PARAMS(P_TEXT(row->product), P_TEXT(row->kind), P_TEXT(row->firmware), P_TEXT(row->text)),
                ROW(&there), &found, err))
        return false;
    if (!found)
        return db_do(db, &unknown_statements, ADD,
                     PARAMS(P_TEXT(row->product), P_TEXT(row->kind), P_TEXT(row->firmware), P_TEXT(row->text),
                            P_INT(row->code), P_INT(row->count), P_TEXT(row->devices), P_INT(row->first_ms),
                            P_INT(row->last_ms)),
                     NULL, err);
    merge_devices(&there, row->devices);
    int64_t last_ms = row->last_ms > there.last_ms || clock_is_ahead(there.last_ms, row->last_ms)
                          ? row->last_ms
                          : there.last_ms;
    return db_do(db, &unknown_statements, UPDATE,
                 PARAMS(P_INT(row->code), P_INT(there.count + row->count), P_TEXT(there.devices),
                        P_INT(last_ms), P_INT(there.id)),
                 NULL, err);
}

bool unknown_trim(struct db *db, const char *product, struct error *err)
{
    return db_do(db, &unknown_statements, TRIM_PRODUCT, PARAMS(P_TEXT(product), P_INT(UNKNOWN_OF_PRODUCT)),
                 NULL, err) &&
           db_do(db, &unknown_statements, TRIM, PARAMS(P_INT(UNKNOWN_ROWS_MAX)), NULL, err);
}

bool unknown_list(struct db *db, const char *product, struct unknown **ret, size_t *ret_count,
                  struct error *err)
{
    struct unknown row = {0};
    return db_list(db, &unknown_statements, LIST, PARAMS(P_TEXT(product ? product : "*")), ROW(&row), &row,
                   sizeof row, ret, ret_count, err);
}

bool unknown_remove(struct db *db, int64_t id, struct error *err)
{
    int64_t changes;
    if (id == 0)
        return db_do(db, &unknown_statements, FORGET_ALL, NO_PARAMS, NULL, err);
    return db_do(db, &unknown_statements, FORGET, PARAMS(P_INT(id)), &changes, err) &&
           (changes > 0 || error_set(err, ERROR_NOT_FOUND, "the list has no row %lld", (long long)id));
}
