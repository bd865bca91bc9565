/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/stage_option.h"

#include <string.h>

#include "base/clock.h"

#define SPAN_MOST 100000

/* 90s, 30m, 24h, 7d */
static bool read_span(struct slice text, int64_t *ret_ms)
{
    static const char units[] = "smhd";
    static const int64_t unit_ms[] = {1000, MINUTE_MS, HOUR_MS, DAY_MS};
    uint64_t number;
    if (text.len < 2 || !slice_u64((struct slice){text.ptr, text.len - 1}, &number) || number > SPAN_MOST)
        return false;
    const char *unit = memchr(units, text.ptr[text.len - 1], sizeof units - 1);
    if (unit)
        *ret_ms = (int64_t)number * unit_ms[unit - units];
    return unit != NULL;
}

static bool read_number(struct slice text, int64_t *ret)
{
    uint64_t number;
    if (!slice_u64(text, &number) || number > INT32_MAX)
        return false;
    *ret = (int64_t)number;
    return true;
}

static bool read_size(struct slice text, struct stage_option_field *field)
{
    bool percent = text.len && text.ptr[text.len - 1] == '%';
    *field = (struct stage_option_field){"all", 1};
    if (slice_is(text, "all"))
        return true;
    text.len -= percent;
    field->name = percent ? "percent" : "devices";
    return read_number(text, &field->value);
}

static bool read_gate(struct slice text, struct stage_option_field *field)
{
    static const char *const names[][2] = {{"min", "min_confirmed"}, {"confirmed", "confirmed_percent"},
                                           {"fail", "max_failed"},   {"silent", "max_silent"},
                                           {"settle", "settle_ms"},  {"approve", "approvals"}};
    struct slice name;
    if (!slice_split(&text, '=', &name))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i][0])) {
            field->name = names[i][1];
            return slice_is(name, "settle") ? read_span(text, &field->value)
                                            : read_number(text, &field->value);
        }
    return false;
}

bool stage_option_read(struct slice text, struct stage_option *ret)
{
    struct slice part;
    ret->count = 0;
    bool ok = slice_split(&text, ',', &part) && read_size(part, &ret->field[ret->count++]);
    while (ok && text.len && slice_split(&text, ',', &part))
        ok = ret->count < STAGE_OPTION_FIELDS_MAX && read_gate(part, &ret->field[ret->count++]);
    return ok;
}
