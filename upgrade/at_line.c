/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/at_line.h"

#include <strings.h>

#include "upgrade/name_file.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool at_is_noise(char c)
{
    return c <= ' ' || c > '~';
}

struct slice at_trim_begin(struct slice text, at_char_function *drop)
{
    while (text.len && drop(text.ptr[0]))
        text = (struct slice){text.ptr + 1, text.len - 1};
    return text;
}

struct slice at_trim_end(struct slice text, at_char_function *drop)
{
    while (text.len && drop(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Skips what terminal programs write before a line: "[14:36:39.373]" and a mark of the direction (not
   ASCII). */
static struct slice skip_stamp(struct slice line)
{
    size_t i = 1;
    if (line.len == 0 || line.ptr[0] != '[')
        return line;
    while (i < line.len && memchr("0123456789:.-/, TZ+", line.ptr[i], 19))
        i++;
    if (i == 1 || i >= line.len || line.ptr[i] != ']')
        return line;
    for (i++; i < line.len && (line.ptr[i] == ' ' || (unsigned char)line.ptr[i] >= 0x80); i++)
        ;
    return (struct slice){line.ptr + i, line.len - i};
}

bool at_is(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

bool at_number(struct slice text, long *ret)
{
    bool minus = text.len && text.ptr[0] == '-';
    uint64_t value;
    if (minus)
        text = (struct slice){text.ptr + 1, text.len - 1};
    if (!slice_u64(text, &value) || value > 999999)
        return false;
    *ret = minus ? -(long)value : (long)value;
    return true;
}

struct slice at_line_text(struct slice raw)
{
    return at_trim_end(skip_stamp(at_trim_begin(raw, is_blank)), is_blank);
}

void at_split(struct slice rest, struct at_args *ret)
{
    struct slice part;
    ret->count = 0;
    while (ret->count < AT_ARGS_MAX && slice_split(&rest, ',', &part)) {
        part = at_trim_end(at_trim_begin(part, is_blank), is_blank);
        if (part.len > 1 && part.ptr[0] == '"' && part.ptr[part.len - 1] == '"')
            part = (struct slice){part.ptr + 1, part.len - 2};
        ret->arg[ret->count++] = part;
    }
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_to(long year, long month, long day)
{
    static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    long years = month > 2 ? year : year - 1; /* whose leap day has passed */
    return (year - 1970) * 365 + years / 4 - years / 100 + years / 400 - 477 + before_month[month - 1] + day -
           1;
}

static bool numbers(struct slice text, char by, long value[3])
{
    struct slice part;
    for (unsigned i = 0; i < 3; i++)
        if (!slice_split(&text, by, &part) || !at_number(part, &value[i]) || value[i] < 0)
            return false;
    return text.ptr == NULL;
}

bool at_network_time(const struct at_args *said, int64_t *ret)
{
    long date[3], clock[3], zone = 0;
    if (said->count < 2)
        return false;
    struct slice time = said->arg[1];
    size_t at = 0;
    while (at < time.len && time.ptr[at] != '+' && time.ptr[at] != '-')
        at++;
    if (at + 1 < time.len) {
        size_t digits = time.ptr[at] == '+' ? at + 1 : at;
        if (!at_number((struct slice){time.ptr + digits, time.len - digits}, &zone))
            return false;
    }
    if (!numbers(said->arg[0], '/', date) || !numbers((struct slice){time.ptr, at}, ':', clock))
        return false;
    if (date[0] < 100)
        date[0] += 2000;
    if (date[0] < 2010 || date[0] > 2099 || date[1] < 1 || date[1] > 12 || date[2] < 1 || date[2] > 31 ||
        clock[0] > 23 || clock[1] > 59 || clock[2] > 60 || zone < -48 || zone > 56)
        return false; /* a module without the time prints 1970 or 2000 */
    int64_t minutes = days_to(date[0], date[1], date[2]) * 1440 + clock[0] * 60 + clock[1] - zone * 15;
    *ret = (minutes * 60 + clock[2]) * 1000;
    return true;
}

bool at_name(struct slice word, struct full_name *ret)
{
    struct error err;
    for (size_t i = 0; i < word.len; i++)
        if (!((word.ptr[i] >= '0' && word.ptr[i] <= '9') ||
              ((word.ptr[i] | 32) >= 'a' && (word.ptr[i] | 32) <= 'z') || memchr("._-", word.ptr[i], 3)))
            return false;
    return !name_file_is(word) && name_parse_full(word, ret, &err);
}
