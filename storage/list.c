/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Rows of a query as an array; and rows compared. */
#include <stdlib.h>

#include "storage/db.h"

struct list {
    const void *row;
    size_t row_size;
    char *rows;
    size_t count, room;
    bool no_memory;
};

static bool append(void *cls)
{
    struct list *list = cls;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        char *rows = reallocarray(list->rows, room, list->row_size);
        if (!rows) {
            list->no_memory = true;
            return false;
        }
        list->rows = rows;
        list->room = room;
    }
    memcpy(list->rows + list->count * list->row_size, list->row, list->row_size);
    list->count++;
    return true;
}

bool db_list(struct db *db, const struct db_query *query, const void *row, size_t row_size, void *ret_rows,
             size_t *ret_count, struct error *err)
{
    struct list list = {.row = row, .row_size = row_size};
    bool ok = db_rows(db, query, append, &list, err);
    if (ok && list.no_memory)
        ok = error_set(err, ERROR_INTERNAL, "out of memory");
    if (!ok) {
        free(list.rows);
        return false;
    }
    memcpy(ret_rows, &list.rows, sizeof list.rows);
    *ret_count = list.count;
    return true;
}

bool db_values_equal(const struct db_value *a, const struct db_value *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i].type != b[i].type || a[i].number != b[i].number || !slice_equal(a[i].bytes, b[i].bytes))
            return false;
    return true;
}
