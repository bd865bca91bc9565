/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/filter_kind.h"

#include "base/clock.h"
#include "upgrade/tag.h"

#define NEVER    (-1)
#define DAYS_MAX 36500

static const char *read_age(struct slice value, int64_t *ret)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', MINUTE_MS}, {'h', HOUR_MS}, {'d', DAY_MS}};
    uint64_t count;
    if (slice_is(value, "never")) {
        *ret = NEVER;
        return NULL;
    }
    for (size_t i = 0; value.len && i < sizeof units / sizeof *units; i++)
        if (value.ptr[value.len - 1] == units[i].letter &&
            slice_u64((struct slice){value.ptr, value.len - 1}, &count) &&
            count <= (uint64_t)(DAYS_MAX * DAY_MS / units[i].ms)) {
            *ret = (int64_t)count * units[i].ms;
            return NULL;
        }
    return "an age is a number with s, m, h or d, such as 7d, or never";
}

static const char *read_number(struct slice value, int64_t *ret)
{
    uint64_t number;
    if (!slice_u64(value, &number) || number > INT64_MAX)
        return "a whole number is expected here";
    *ret = (int64_t)number;
    return NULL;
}

static const char *read_flag(struct slice value, int64_t *ret)
{
    *ret = slice_is(value, "yes");
    return *ret || slice_is(value, "no") ? NULL : "yes or no is expected here";
}

const char *filter_kind_read(enum filter_kind kind, struct slice value, struct filter_step *step)
{
    switch (kind) {
    case FILTER_KIND_VERSION:
        return slice_is(value, "none") || version_parse(value, &step->version)
                   ? NULL
                   : "a version is numbers with dots between them, such as 1147 or 1103.1.2, or none";
    case FILTER_KIND_TAG:
        return tag_is_valid(value) ? NULL : "this is not a tag";
    case FILTER_KIND_AGE:
        return read_age(value, &step->number);
    case FILTER_KIND_NUMBER:
        return read_number(value, &step->number);
    case FILTER_KIND_FLAG:
        return read_flag(value, &step->number);
    case FILTER_KIND_TEXT:
        break;
    }
    return NULL;
}

bool filter_kind_has_order(enum filter_kind kind, const struct filter_step *step)
{
    return (kind == FILTER_KIND_VERSION && step->version.count) ||
           (kind == FILTER_KIND_AGE && step->number != NEVER) || kind == FILTER_KIND_NUMBER;
}

/* order: below, equal to or above 0, as the device's value is to the filter's. */
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

/* What never happened is older than every age. */
static bool compare_age(int64_t at_ms, const struct filter_step *step, int64_t now_ms)
{
    if (step->number == NEVER)
        return fits(step->op, at_ms != 0);
    int64_t age = at_ms ? now_ms - clock_clamp(at_ms, now_ms) : INT64_MAX;
    return fits(step->op, (age > step->number) - (age < step->number));
}

bool filter_kind_compare(enum filter_kind kind, const void *member, const struct filter_step *step,
                         struct slice value, int64_t now_ms)
{
    const int64_t *number = member;
    const char *const *text = member;
    switch (kind) {
    case FILTER_KIND_VERSION:
        return compare_version(member, step);
    case FILTER_KIND_TAG:
        return fits(step->op, !tags_have(*text, value));
    case FILTER_KIND_TEXT:
        return fits(step->op, !slice_equal(slice_of(*text), value));
    case FILTER_KIND_AGE:
        return compare_age(*number, step, now_ms);
    case FILTER_KIND_NUMBER:
        return fits(step->op, (*number > step->number) - (*number < step->number));
    case FILTER_KIND_FLAG:
        return fits(step->op, *(const bool *)member != (step->number != 0));
    }
    return false;
}
