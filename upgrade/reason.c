/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/reason.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name, *text[2]; /* by language */
} table[] = {
#define X(symbol, code, english, chinese) [symbol] = {code, {english, chinese}},
    REASONS(X)
#undef X
};

const char *reason_code_name(enum reason_code code)
{
    return table[code].name;
}

bool reason_code_parse(struct slice name, enum reason_code *ret)
{
    for (unsigned i = 0; i < REASON_CODE_COUNT; i++)
        if (slice_is(name, table[i].name)) {
            *ret = (enum reason_code)i;
            return true;
        }
    return false;
}

const char *reason_template(enum reason_code code, enum reason_language language)
{
    return table[code].text[language];
}

unsigned reason_param_count(enum reason_code code)
{
    unsigned count = 0;
    for (const char *at = table[code].text[REASON_ENGLISH]; (at = strchr(at, '{')); at++)
        if ((unsigned)(at[1] - '0') + 1 > count)
            count = (unsigned)(at[1] - '0') + 1;
    return count;
}

/* ---- Characters ---- */

/* Bytes of the clean UTF-8 character at text; 0: there is none. */
static size_t char_length(struct slice text)
{
    unsigned char lead = text.len ? (unsigned char)text.ptr[0] : 0;
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length <= text.len && slice_is_clean_utf8((struct slice){text.ptr, length}) ? length : 0;
}

static void skip(struct slice *text, size_t length)
{
    text->ptr += length;
    text->len -= length;
}

/* ---- Writing ---- */

/* The text inside a JSON string, at most `room` bytes. out NULL: only the length. */
static size_t put_string(struct slice text, size_t room, char *out)
{
    size_t used = 0;
    while (text.len) {
        size_t length = char_length(text);
        bool escape = *text.ptr == '"' || *text.ptr == '\\';
        size_t size = length ? length + escape : 1;
        if (used + size > room)
            break;
        if (out && escape)
            out[used] = '\\';
        if (out && length)
            memcpy(out + used + escape, text.ptr, length);
        else if (out)
            out[used] = ' ';
        used += size;
        skip(&text, length ? length : 1);
    }
    return used;
}

struct part { /* a parameter in a reason that is written */
    const char *text;
    size_t length; /* in the reason, without quotes */
    bool nested;
    char made[REASON_TEXT_SIZE]; /* text may point here */
};

static void set_text(struct part *part, const char *text)
{
    part->text = text;
    part->nested = false;
    part->length = put_string(slice_of(text), SIZE_MAX, NULL);
}

static void set_part(struct part *part, const struct reason_value *value)
{
    struct reason ignored;
    if (value->kind == REASON_VALUE_NUMBER) {
        snprintf(part->made, sizeof part->made, "%" PRIu64, value->number);
        set_text(part, part->made);
        return;
    }
    set_text(part, value->kind == REASON_VALUE_TEXT && value->text ? value->text : "");
    part->nested = reason_parse(slice_of(part->text), &ignored);
    if (part->nested)
        part->length = strlen(part->text);
}

/* Shortens the longest part by up to `excess` bytes. */
static void shorten(struct part *parts, unsigned count, size_t excess)
{
    struct part *longest = &parts[0];
    for (unsigned i = 1; i < count; i++)
        if (parts[i].length > longest->length)
            longest = &parts[i];
    if (longest->nested)
        set_text(longest, reason_text(longest->text, REASON_ENGLISH, longest->made));
    else
        longest->length -= longest->length < excess ? longest->length : excess;
}

static size_t sum_of(const struct part *parts, unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += parts[i].length + strlen(",\"\"");
    return sum;
}

void reason_write(char *out, size_t size, enum reason_code code, const struct reason_value *values)
{
    struct part parts[REASON_PARAMS_MAX];
    unsigned count = reason_param_count(code);
    size_t room = size - strlen(table[code].name) - sizeof "[\"\"]", sum;
    for (unsigned i = 0; i < count; i++) {
        set_part(&parts[i], values);
        values += values->kind != REASON_VALUE_END;
    }
    while ((sum = sum_of(parts, count)) > room)
        shorten(parts, count, sum - room);
    size_t used = (size_t)snprintf(out, size, "[\"%s\"", table[code].name);
    for (unsigned i = 0; i < count; i++) {
        const struct part *part = &parts[i];
        out[used++] = ',';
        if (part->nested) {
            memcpy(out + used, part->text, part->length);
            used += part->length;
            continue;
        }
        out[used++] = '"';
        used += put_string(slice_of(part->text), part->length, out + used);
        out[used++] = '"';
    }
    out[used] = ']';
    out[used + 1] = '\0';
}

/* ---- Reading ---- */

static bool take(struct slice *rest, char wanted)
{
    if (!rest->len || *rest->ptr != wanted)
        return false;
    skip(rest, 1);
    return true;
}

static bool take_string(struct slice *rest, struct slice *ret)
{
    if (!take(rest, '"'))
        return false;
    for (size_t i = 0; i < rest->len; i++) {
        if (rest->ptr[i] == '"') {
            *ret = (struct slice){rest->ptr, i};
            skip(rest, i + 1);
            return true;
        }
        i += rest->ptr[i] == '\\';
    }
    return false;
}

/* An array, with its brackets. */
static bool take_nested(struct slice *rest, struct slice *ret)
{
    const char *start = rest->ptr;
    unsigned depth = 0;
    struct slice ignored;
    do {
        if (take(rest, '['))
            depth++;
        else if (take(rest, ']'))
            depth--;
        else if (!take(rest, ',') && !take_string(rest, &ignored))
            return false;
    } while (depth);
    *ret = (struct slice){start, (size_t)(rest->ptr - start)};
    return true;
}

static bool take_param(struct slice *rest, struct reason *ret)
{
    struct slice *param = &ret->param[ret->count];
    struct reason inner;
    if (ret->count == REASON_PARAMS_MAX)
        return false;
    ret->nested[ret->count++] = rest->len && *rest->ptr == '[';
    if (!ret->nested[ret->count - 1])
        return take_string(rest, param);
    return take_nested(rest, param) && reason_parse(*param, &inner);
}

bool reason_parse(struct slice text, struct reason *ret)
{
    struct slice name;
    ret->count = 0;
    if (text.len >= REASON_SIZE || !take(&text, '[') || !take_string(&text, &name) ||
        !reason_code_parse(name, &ret->code))
        return false;
    while (take(&text, ','))
        if (!take_param(&text, ret))
            return false;
    return take(&text, ']') && !text.len && ret->count == reason_param_count(ret->code);
}

bool reason_is(const char *text, enum reason_code code)
{
    struct reason reason;
    return reason_parse(slice_of(text), &reason) && reason.code == code;
}

/* ---- In words ---- */

struct text {
    char *out;
    size_t used;
    bool full;
};

static void add(struct text *text, struct slice more)
{
    while (more.len && !text->full) {
        size_t length = char_length(more);
        if (!length)
            length = 1;
        text->full = text->used + length >= REASON_TEXT_SIZE;
        if (text->full)
            return;
        memcpy(text->out + text->used, more.ptr, length);
        text->used += length;
        skip(&more, length);
    }
}

static void add_string(struct text *text, struct slice string)
{
    while (string.len) {
        size_t plain = 0;
        while (plain < string.len && string.ptr[plain] != '\\')
            plain++;
        add(text, (struct slice){string.ptr, plain});
        skip(&string, plain);
        if (string.len)
            skip(&string, 1);
        if (string.len) {
            add(text, (struct slice){string.ptr, 1});
            skip(&string, 1);
        }
    }
}

static void add_reason(struct text *text, const struct reason *reason, enum reason_language language)
{
    const char *at = table[reason->code].text[language], *brace;
    struct reason inner;
    for (; (brace = strchr(at, '{')); at = brace + strlen("{0}")) {
        unsigned i = (unsigned)(brace[1] - '0');
        add(text, (struct slice){at, (size_t)(brace - at)});
        if (!reason->nested[i])
            add_string(text, reason->param[i]);
        else if (reason_parse(reason->param[i], &inner))
            add_reason(text, &inner, language);
    }
    add(text, slice_of(at));
}

const char *reason_text(const char *text, enum reason_language language, char out[REASON_TEXT_SIZE])
{
    struct text words = {out, 0, false};
    struct reason reason;
    if (reason_parse(slice_of(text), &reason))
        add_reason(&words, &reason, language);
    else
        add(&words, slice_of(text));
    out[words.used] = '\0';
    return out;
}
