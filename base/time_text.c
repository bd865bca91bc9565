/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/time_text.h"

#include <time.h>

#include "base/clock.h"

/* Takes exactly `digits` digits. */
static bool take_number(struct slice *rest, unsigned digits, int least, int most, int *ret)
{
    *ret = 0;
    if (rest->len < digits)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
            return false;
        *ret = 10 * *ret + (rest->ptr[i] - '0');
    }
    *rest = (struct slice){rest->ptr + digits, rest->len - digits};
    return *ret >= least && *ret <= most;
}

/* Takes one of the characters. */
static bool take_one(struct slice *rest, const char *characters, char *ret)
{
    if (!rest->len || !rest->ptr[0] || !strchr(characters, rest->ptr[0]))
        return false;
    *ret = rest->ptr[0];
    *rest = (struct slice){rest->ptr + 1, rest->len - 1};
    return true;
}

static bool take_date(struct slice *rest, int64_t *ret_ms)
{
    struct tm date = {.tm_mday = 0};
    int year, month, day;
    char dash;
    if (!take_number(rest, 4, 1970, 9999, &year) || !take_one(rest, "-", &dash) ||
        !take_number(rest, 2, 1, 12, &month) || !take_one(rest, "-", &dash) ||
        !take_number(rest, 2, 1, 31, &day))
        return false;
    date.tm_year = year - 1900;
    date.tm_mon = month - 1;
    date.tm_mday = day;
    *ret_ms = (int64_t)timegm(&date) * 1000;
    return date.tm_mday == day; /* not 30 February */
}

static bool take_clock(struct slice *rest, int64_t *ret_ms)
{
    int hour, minute, second, unit = 100;
    char mark;
    if (!take_number(rest, 2, 0, 23, &hour) || !take_one(rest, ":", &mark) ||
        !take_number(rest, 2, 0, 59, &minute) || !take_one(rest, ":", &mark) ||
        !take_number(rest, 2, 0, 59, &second))
        return false;
    *ret_ms += hour * HOUR_MS + minute * MINUTE_MS + second * INT64_C(1000);
    if (!take_one(rest, ".", &mark))
        return true;
    if (!take_one(rest, "0123456789", &mark))
        return false;
    do {
        *ret_ms += (mark - '0') * unit;
        unit /= 10;
    } while (take_one(rest, "0123456789", &mark));
    return true;
}

static bool take_offset(struct slice *rest, int64_t *ret_ms)
{
    int hours, minutes;
    char sign, mark;
    if (take_one(rest, "Zz", &mark))
        return true;
    if (!take_one(rest, "+-", &sign) || !take_number(rest, 2, 0, 23, &hours) || !take_one(rest, ":", &mark) ||
        !take_number(rest, 2, 0, 59, &minutes))
        return false;
    int64_t offset_ms = hours * HOUR_MS + minutes * MINUTE_MS;
    *ret_ms -= sign == '+' ? offset_ms : -offset_ms;
    return true;
}

bool time_text_parse(struct slice text, int64_t *ret_ms)
{
    char mark;
    if (!take_date(&text, ret_ms))
        return false;
    if (!text.len)
        return true;
    return take_one(&text, "Tt ", &mark) && take_clock(&text, ret_ms) && take_offset(&text, ret_ms) &&
           !text.len;
}
