/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/hours.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define DAY_MINUTES    1440
#define OFFSET_MAX_MIN 840 /* +14:00, Kiribati */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HH:MM" at ptr, as minutes. */
static bool take_clock(const char *ptr, int *ret)
{
    if (!is_digit(ptr[0]) || !is_digit(ptr[1]) || ptr[2] != ':' || !is_digit(ptr[3]) || !is_digit(ptr[4]))
        return false;
    int hour = (ptr[0] - '0') * 10 + ptr[1] - '0', minute = (ptr[3] - '0') * 10 + ptr[4] - '0';
    *ret = hour * 60 + minute;
    return minute < 60 && *ret <= DAY_MINUTES;
}

bool hours_parse(struct slice text, struct hours *ret)
{
    struct hours found;
    *ret = (struct hours){0, DAY_MINUTES, 0};
    if (slice_is(text, HOURS_ALWAYS))
        return true;
    if (text.len != 17 || text.ptr[5] != '-' || (text.ptr[11] != '+' && text.ptr[11] != '-') ||
        !take_clock(text.ptr, &found.from) || !take_clock(text.ptr + 6, &found.to) ||
        !take_clock(text.ptr + 12, &found.offset_min))
        return false;
    if (found.from == DAY_MINUTES || found.from == found.to || found.offset_min > OFFSET_MAX_MIN)
        return false;
    if (text.ptr[11] == '-')
        found.offset_min = -found.offset_min;
    *ret = found;
    return true;
}

struct hours hours_of(const char *text)
{
    struct hours hours;
    if (!hours_parse(slice_of(text), &hours))
        hours = (struct hours){0, DAY_MINUTES, 0};
    return hours;
}

/* Rounds down also below zero. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t to_local(const struct hours *hours, int64_t at_ms)
{
    return at_ms + hours->offset_min * MINUTE_MS;
}

int64_t hours_next_open(const struct hours *hours, int64_t from_ms)
{
    int64_t local_ms = to_local(hours, from_ms);
    int64_t midnight_ms = floor_div(local_ms, DAY_MS) * DAY_MS;
    int64_t minute = (local_ms - midnight_ms) / MINUTE_MS;
    bool open = hours->from < hours->to ? minute >= hours->from && minute < hours->to
                                        : minute >= hours->from || minute < hours->to;
    if (open)
        return from_ms;
    int64_t opens_ms = midnight_ms + hours->from * MINUTE_MS;
    if (minute >= hours->from)
        opens_ms += DAY_MS;
    return opens_ms - hours->offset_min * MINUTE_MS;
}

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

/* Days since 1970-01-01 to a date of the Gregorian calendar. The year begins in March here, so that a leap day is its
   last day. */
static struct date date_of(int64_t days)
{
    int64_t since = days + 719468, era = floor_div(since, 146097), in_era = since - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100), march = (5 * in_year + 2) / 153;
    int month = (int)(march < 10 ? march + 3 : march - 9);
    return (struct date){year + era * 400 + (month <= 2), month, (int)(in_year - (153 * march + 2) / 5) + 1};
}

/* Days from 1970-01-01 to the first day of a month. */
static int64_t days_to(int64_t month_count)
{
    int64_t month = month_count - floor_div(month_count, 12) * 12; /* 0: January */
    int64_t year = floor_div(month_count, 12) - (month < 2), era = floor_div(year, 400);
    int64_t of_era = year - era * 400, march = month < 2 ? month + 10 : month - 2;
    int64_t in_era = of_era * 365 + of_era / 4 - of_era / 100 + (153 * march + 2) / 5;
    return era * 146097 + in_era - 719468;
}

int64_t hours_month(const struct hours *hours, int64_t at_ms)
{
    struct date date = date_of(floor_div(to_local(hours, at_ms), DAY_MS));
    return date.year * 12 + date.month - 1;
}

int64_t hours_month_start(const struct hours *hours, int64_t month)
{
    return days_to(month) * DAY_MS - hours->offset_min * MINUTE_MS;
}

/* The moduli tell the compiler how long the texts can be. */
const char *hours_time_text(const struct hours *hours, int64_t at_ms, char out[HOURS_TIME_SIZE])
{
    int64_t local_ms = to_local(hours, at_ms), day = floor_div(local_ms, DAY_MS);
    struct date date = date_of(day);
    unsigned minute = (unsigned)((local_ms - day * DAY_MS) / MINUTE_MS) % DAY_MINUTES;
    unsigned offset = (unsigned)abs(hours->offset_min) % DAY_MINUTES;
    snprintf(out, HOURS_TIME_SIZE, "%04u-%02u-%02u %02u:%02u%c%02u:%02u", (unsigned)date.year % 10000,
             (unsigned)date.month % 100, (unsigned)date.day % 100, minute / 60, minute % 60,
             hours->offset_min < 0 ? '-' : '+', offset / 60, offset % 60);
    return out;
}

const char *hours_month_text(int64_t month, char out[MONTH_TEXT_SIZE])
{
    snprintf(out, MONTH_TEXT_SIZE, "%04u-%02u", (unsigned)(month / 12) % 10000, (unsigned)(month % 12) + 1);
    return out;
}
