/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"

bool timestamp_format(int64_t ms, char out[TIMESTAMP_SIZE])
{
    struct tm utc;
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    out[0] = '\0';
    if (!gmtime_r(&seconds, &utc) || utc.tm_year < -1900 || utc.tm_year > 9999 - 1900)
        return false;
    snprintf(out, TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
             (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
             (unsigned)utc.tm_sec % 100, (unsigned)(ms - seconds * 1000) % 1000);
    return true;
}

/* Reads exactly `count` digits. */
static bool take_digits(struct slice *text, size_t count, int64_t *ret)
{
    *ret = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *ret = *ret * 10 + (text->ptr[i] - '0');
    }
    *text = (struct slice){text->ptr + count, text->len - count};
    return true;
}

static bool take_one_of(struct slice *text, const char *chars, char *ret)
{
    if (text->len == 0 || !text->ptr[0] || !strchr(chars, text->ptr[0]))
        return false;
    *ret = text->ptr[0];
    *text = (struct slice){text->ptr + 1, text->len - 1};
    return true;
}

struct fields {
    int64_t year, month, day, hour, minute, second, ms;
};

static bool take_fraction(struct slice *text, int64_t *ret_ms)
{
    char mark;
    int64_t digit, scale = 100;
    *ret_ms = 0;
    if (!take_one_of(text, ".", &mark))
        return true;
    if (!take_digits(text, 1, &digit))
        return false;
    do {
        *ret_ms += digit * scale;
        scale /= 10;
    } while (take_digits(text, 1, &digit));
    return true;
}

static bool take_local(struct slice *text, struct fields *ret)
{
    char mark;
    return take_digits(text, 4, &ret->year) && take_one_of(text, "-", &mark) &&
           take_digits(text, 2, &ret->month) && take_one_of(text, "-", &mark) &&
           take_digits(text, 2, &ret->day) && take_one_of(text, "Tt ", &mark) &&
           take_digits(text, 2, &ret->hour) && take_one_of(text, ":", &mark) &&
           take_digits(text, 2, &ret->minute) && take_one_of(text, ":", &mark) &&
           take_digits(text, 2, &ret->second) && take_fraction(text, &ret->ms);
}

static bool take_offset(struct slice *text, int64_t *ret_ms)
{
    char sign;
    int64_t hours, minutes;
    *ret_ms = 0;
    if (take_one_of(text, "Zz", &sign))
        return true;
    if (!take_one_of(text, "+-", &sign) || !take_digits(text, 2, &hours) || hours > 23)
        return false;
    char colon;
    if (!take_one_of(text, ":", &colon) || !take_digits(text, 2, &minutes) || minutes > 59)
        return false;
    *ret_ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (sign == '-' ? -1 : 1);
    return true;
}

/* A leap second is at the end of a month in UTC. It counts as the first second of the next day, as in
   POSIX. */
static bool make_utc(const struct fields *fields, int64_t offset_ms, int64_t *ret_ms)
{
    struct tm parts = {
        .tm_year = (int)fields->year - 1900, .tm_mon = (int)fields->month - 1, .tm_mday = (int)fields->day};
    int64_t day = timegm(&parts);
    if (parts.tm_mday != fields->day || parts.tm_mon != fields->month - 1 || fields->hour > 23 ||
        fields->minute > 59 || fields->second > 60)
        return false;
    int64_t ms =
        (day + fields->second) * 1000 + fields->hour * HOUR_MS + fields->minute * MINUTE_MS - offset_ms;
    char next[TIMESTAMP_SIZE];
    if (fields->second == 60 && (!timestamp_format(ms, next) || strcmp(next + 8, "01T00:00:00.000Z") != 0))
        return false;
    *ret_ms = ms + (fields->second == 60 ? 0 : fields->ms);
    return true;
}

static bool read_text(struct slice text, int64_t *ret_ms, struct error *err)
{
    struct fields fields;
    struct slice rest = text;
    int64_t offset_ms;
    if (!take_local(&rest, &fields))
        return error_set(err, ERROR_INVALID,
                         "takes a time like 2026-11-22T10:00:00Z, or milliseconds since 1970, not '%.*s'",
                         text.len < 60 ? (int)text.len : 60, text.ptr);
    if (rest.len == 0)
        return error_set(err, ERROR_INVALID,
                         "needs an offset from UTC: end it with Z, or with one like +08:00");
    if (!take_offset(&rest, &offset_ms) || rest.len != 0)
        return error_set(err, ERROR_INVALID,
                         "ends in a wrong offset from UTC: end it with Z, or with one like +08:00");
    return make_utc(&fields, offset_ms, ret_ms) ||
           error_set(err, ERROR_INVALID, "is a time that does not exist: '%.*s'", (int)text.len, text.ptr);
}

bool timestamp_read(struct slice text, int64_t *ret_ms, struct error *err)
{
    uint64_t number;
    int64_t ms = 0;
    bool is_number = slice_u64(text, &number);
    if (!is_number && !read_text(text, &ms, err))
        return false;
    if (!is_number)
        number = ms > 0 ? (uint64_t)ms : 0;
    const char *fault = clock_fault(number);
    if (fault && is_number)
        return error_set(err, ERROR_INVALID, "%llu %s", (unsigned long long)number, fault);
    if (fault)
        return error_set(err, ERROR_INVALID, "is before the year 2000 or after 2199");
    *ret_ms = (int64_t)number;
    return true;
}
