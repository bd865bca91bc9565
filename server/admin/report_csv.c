/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/report_csv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "server/admin/csv.h"
#include "upgrade/name.h"

struct orders {
    const char *firmware;
    int64_t now_ms;
    struct report_order *list;
    size_t count, room;
};

static bool read_time(struct slice field, int64_t now_ms, int64_t *ret, struct error *err)
{
    struct error why;
    *ret = 0;
    if (field.len && !timestamp_read(field, ret, &why))
        return error_set(err, ERROR_INVALID, "its time: %s", why.text);
    if (clock_is_ahead(*ret, now_ms))
        return error_set(err, ERROR_INVALID, "its time is in the future");
    return true;
}

static bool read_build(struct slice field, struct build_told *ret, struct error *err)
{
    if (!field.len)
        return true;
    ret->has_sha256 = sha256_from_hex(field, &ret->sha256);
    ret->has_variant = !ret->has_sha256;
    return ret->has_sha256 ||
           (name_is_variant(field) && slice_copy(field, ret->variant, sizeof ret->variant)) ||
           error_set(
               err, ERROR_INVALID,
               "its build is a variant (1 to 32 characters of a-z 0-9 . _ -) or the sha256 of an image");
}

static bool make_room(struct orders *orders, struct error *err)
{
    if (orders->count < orders->room)
        return true;
    size_t room = orders->room ? orders->room * 2 : 256;
    struct report_order *list = reallocarray(orders->list, room, sizeof *list);
    if (!list)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    orders->list = list;
    orders->room = room;
    return true;
}

static bool take_line(void *cls, const struct csv_line *line, struct error *err)
{
    struct orders *orders = cls;
    struct report_order order = {.line = line->line, .identity = line->identity};
    if (!name_parse_version_of(line->field[1], orders->firmware, &order.version, err) ||
        !read_time(line->field[2], orders->now_ms, &order.at_ms, err) ||
        !read_build(line->field[3], &order.build, err) || !make_room(orders, err))
        return false;
    orders->list[orders->count++] = order;
    return true;
}

bool report_csv_parse(struct slice text, const char *firmware, int64_t now_ms, struct report_order **ret,
                      size_t *ret_count, struct csv_faults *faults, struct error *err)
{
    struct orders orders = {.firmware = firmware, .now_ms = now_ms};
    if (!csv_read(text, 4, "a line is IMEI,version[,at[,variant]]", take_line, &orders, faults, err)) {
        free(orders.list);
        return false;
    }
    *ret = orders.list;
    *ret_count = orders.count;
    return true;
}
