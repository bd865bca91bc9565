/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/filter_kind.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "upgrade/tag.h"

#define DAYS_MAX 36500

static bool read_age(struct slice value, int64_t *ret)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', MINUTE_MS}, {'h', HOUR_MS}, {'d', DAY_MS}};
    uint64_t count;
    for (size_t i = 0; value.len && i < sizeof units / sizeof *units; i++)
        if (value.ptr[value.len - 1] == units[i].letter &&
            slice_u64((struct slice){value.ptr, value.len - 1}, &count) &&
            count <= (uint64_t)(DAYS_MAX * DAY_MS / units[i].ms)) {
            *ret = (int64_t)count * units[i].ms;
            return true;
        }
    return false;
}

/* "2026-11-01" is the beginning of that day in UTC. */
static bool read_moment(struct slice value, int64_t *ret_ms)
{
    char text[32];
    struct error unwanted;
    if (value.len == sizeof "2026-11-01" - 1 && memchr(value.ptr, '-', value.len)) {
        snprintf(text, sizeof text, "%.*sT00:00:00Z", (int)value.len, value.ptr);
        value = slice_of(text);
    }
    return timestamp_read(value, ret_ms, &unwanted);
}

static const char *read_time(struct slice value, struct filter_step *step)
{
    step->is_none = slice_is(value, "never");
    if (step->is_none || read_age(value, &step->number))
        return NULL;
    step->is_time = true;
    if (!read_moment(value, &step->number))
        return "an age is a number with s, m, h or d, such as 7d; a time is 2026-11-01, 2026-11-01T12:00:00Z or "
               "milliseconds since 1970; or never";
    return NULL;
}

static const char *read_number(struct slice value, struct filter_step *step)
{
    bool negative = value.len && value.ptr[0] == '-';
    uint64_t number;
    step->is_none = slice_is(value, "none");
    if (step->is_none)
        return NULL;
    if (negative)
        value = (struct slice){value.ptr + 1, value.len - 1};
    if (!slice_u64(value, &number) || number > INT64_MAX)
        return "a whole number is expected here, or none";
    step->number = negative ? -(int64_t)number : (int64_t)number;
    return NULL;
}

static const char *read_flag(struct slice value, int64_t *ret)
{
    *ret = slice_is(value, "yes") || slice_is(value, "true");
    return *ret || slice_is(value, "no") || slice_is(value, "false") ? NULL : "yes or no is expected here";
}

const char *filter_kind_read(enum filter_kind kind, struct slice value, struct filter_step *step)
{
    if (step->op == FILTER_LIKE)
        return NULL;
    switch (kind) {
    case FILTER_VERSION:
        return slice_is(value, "none") || version_parse(value, &step->version)
                   ? NULL
                   : "a version is numbers with dots between them, such as 1147 or 1103.1.2, or none";
    case FILTER_TAGS:
        return tag_is_valid(value) ? NULL : "this is not a tag";
    case FILTER_TIME:
        return read_time(value, step);
    case FILTER_NUMBER:
        return read_number(value, step);
    case FILTER_FLAG:
        return read_flag(value, &step->number);
    case FILTER_TEXT:
        break;
    }
    return NULL;
}

bool filter_kind_has_operator(enum filter_kind kind, const struct filter_step *step)
{
    if (step->op == FILTER_LIKE)
        return kind == FILTER_TEXT || kind == FILTER_TAGS;
    return step->op <= FILTER_NOT_EQUAL || (kind == FILTER_VERSION && step->version.count) ||
           ((kind == FILTER_TIME || kind == FILTER_NUMBER) && !step->is_none);
}

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

/* The bytes of the character at the beginning of the text, which is not empty. */
static size_t character(struct slice text)
{
    size_t len = 1;
    while (len < text.len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
        len++;
    return len;
}

/* A character that does not fit makes the last * longer by one. Earlier ones need not change: so the cost is at
   most the product of both lengths. */
static bool is_like(struct slice text, struct slice pattern)
{
    size_t at = 0, i = 0, star = SIZE_MAX, resume = 0;
    while (at < text.len) {
        const struct slice rest = {text.ptr + at, text.len - at};
        if (i < pattern.len && pattern.ptr[i] == '*') {
            star = ++i;
            resume = at;
        } else if (i < pattern.len && pattern.ptr[i] == '?') {
            i++;
            at += character(rest);
        } else if (i < pattern.len && lower(pattern.ptr[i]) == lower(text.ptr[at])) {
            i++;
            at++;
        } else if (star != SIZE_MAX) {
            i = star;
            at = resume += character((struct slice){text.ptr + resume, text.len - resume});
        } else {
            return false;
        }
    }
    while (i < pattern.len && pattern.ptr[i] == '*')
        i++;
    return i == pattern.len;
}

static bool has_tag_like(struct slice tags, struct slice pattern)
{
    struct slice tag;
    while (slice_split(&tags, ' ', &tag))
        if (tag.len && is_like(tag, pattern))
            return true;
    return false;
}

/* order: below, equal to or above 0, as the subject's value is to the filter's. */
static bool fits(enum filter_operator op, int order)
{
    switch (op) {
    case FILTER_EQUAL:
        return order == 0;
    case FILTER_NOT_EQUAL:
        return order != 0;
    case FILTER_LESS:
        return order < 0;
    case FILTER_LESS_OR_EQUAL:
        return order <= 0;
    case FILTER_MORE:
        return order > 0;
    case FILTER_MORE_OR_EQUAL:
        return order >= 0;
    case FILTER_LIKE:
        break;
    }
    return false;
}

static bool compare_version(const struct version *version, const struct filter_step *step)
{
    if (step->op > FILTER_NOT_EQUAL && !version->count)
        return false;
    int order = version->count && step->version.count ? version_compare(version, &step->version)
                                                      : version->count != step->version.count;
    return fits(step->op, order);
}

static bool compare_number(int64_t number, bool is_none, const struct filter_step *step)
{
    if (is_none || step->is_none)
        return step->op <= FILTER_NOT_EQUAL && fits(step->op, is_none != step->is_none);
    return fits(step->op, (number > step->number) - (number < step->number));
}

/* What never happened is older than every age. */
static bool compare_time(int64_t at_ms, const struct filter_step *step, int64_t now_ms)
{
    if (step->is_none || step->is_time)
        return compare_number(at_ms, at_ms == 0, step);
    int64_t age = at_ms ? now_ms - clock_clamp(at_ms, now_ms) : INT64_MAX;
    return fits(step->op, (age > step->number) - (age < step->number));
}

static bool compare_text(const char *text, const struct filter_step *step, struct slice wanted)
{
    return step->op == FILTER_LIKE ? is_like(slice_of(text), wanted)
                                   : fits(step->op, !slice_equal(slice_of(text), wanted));
}

static bool compare_tags(const char *tags, const struct filter_step *step, struct slice wanted)
{
    return step->op == FILTER_LIKE ? has_tag_like(slice_of(tags), wanted)
                                   : fits(step->op, !tags_have(tags, wanted));
}

bool filter_kind_compare(enum filter_kind kind, const struct filter_value *value,
                         const struct filter_step *step, struct slice wanted, int64_t now_ms)
{
    switch (kind) {
    case FILTER_VERSION:
        return compare_version(&value->version, step);
    case FILTER_TAGS:
        return compare_tags(value->text, step, wanted);
    case FILTER_TEXT:
        return compare_text(value->text, step, wanted);
    case FILTER_TIME:
        return compare_time(value->number, step, now_ms);
    case FILTER_NUMBER:
    case FILTER_FLAG:
        return compare_number(value->number, value->is_none, step);
    }
    return false;
}
