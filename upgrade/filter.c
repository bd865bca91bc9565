/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/filter.h"

#include <stddef.h>
#include <stdio.h>

#include "upgrade/filter_kind.h"

static const struct {
    const char *name;
    enum filter_kind kind;
    size_t offset;
} fields[] = {
#define X(name, kind, member) {name, FILTER_KIND_##kind, offsetof(struct filter_subject, member)},
    FILTER_FIELDS(X)
#undef X
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

const char *filter_field_names(void)
{
    static const char names[] =
#define X(name, kind, member) ", " name
        FILTER_FIELDS(X);
#undef X
    return names + 2;
}

struct parser {
    struct filter *filter;
    struct slice rest; /* inside filter->text */
    unsigned depth;
    struct error *err;
};

/* In characters, from 1. */
static unsigned position(const struct parser *parser, const char *at)
{
    unsigned count = 1;
    for (const char *c = parser->filter->text; c < at; c++)
        count += ((unsigned char)*c & 0xC0) != 0x80;
    return count;
}

static bool fail(struct parser *parser, const char *at, const char *what)
{
    return error_set(parser->err, ERROR_INVALID, "the filter, character %u: %s", position(parser, at), what);
}

static void skip(struct parser *parser, size_t count)
{
    parser->rest = (struct slice){parser->rest.ptr + count, parser->rest.len - count};
}

static void skip_blanks(struct parser *parser)
{
    while (parser->rest.len && parser->rest.ptr[0] == ' ')
        skip(parser, 1);
}

/* The characters up to a blank, a bracket, a quote or an operator. */
static struct slice take_word(struct parser *parser)
{
    size_t len = 0;
    skip_blanks(parser);
    while (len < parser->rest.len && !memchr(" ()\"<>=!", parser->rest.ptr[len], 8))
        len++;
    struct slice word = {parser->rest.ptr, len};
    skip(parser, len);
    return word;
}

/* Takes the word, if it comes next and ends there. */
static bool take_keyword(struct parser *parser, const char *keyword)
{
    struct slice before = parser->rest;
    if (slice_is(take_word(parser), keyword))
        return true;
    parser->rest = before;
    return false;
}

static bool take_character(struct parser *parser, char c)
{
    skip_blanks(parser);
    if (!parser->rest.len || parser->rest.ptr[0] != c)
        return false;
    skip(parser, 1);
    return true;
}

static bool take_operator(struct parser *parser, enum filter_operator *ret)
{
    static const struct {
        const char *text;
        enum filter_operator op;
    } table[] = {{"<=", FILTER_LESS_OR_EQUAL}, {">=", FILTER_MORE_OR_EQUAL}, {"!=", FILTER_NOT_EQUAL},
                 {"=", FILTER_EQUAL},          {"<", FILTER_LESS},           {">", FILTER_MORE}};
    skip_blanks(parser);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_starts(parser->rest, table[i].text)) {
            skip(parser, strlen(table[i].text));
            *ret = table[i].op;
            return true;
        }
    return fail(parser, parser->rest.ptr, "an operator is missing: = != < <= > >=");
}

static bool take_value(struct parser *parser, struct slice *ret)
{
    skip_blanks(parser);
    const char *begin = parser->rest.ptr;
    if (!take_character(parser, '"')) {
        *ret = take_word(parser);
        return ret->len || fail(parser, begin, "a value is missing");
    }
    const char *end = parser->rest.len ? memchr(parser->rest.ptr, '"', parser->rest.len) : NULL;
    if (!end)
        return fail(parser, begin, "the quoted value has no end");
    *ret = (struct slice){begin + 1, (size_t)(end - begin) - 1};
    skip(parser, ret->len + 1);
    return true;
}

static struct filter_step *add_step(struct parser *parser)
{
    if (parser->filter->count == FILTER_STEPS_MAX) {
        fail(parser, parser->rest.ptr, "the filter has too many conditions");
        return NULL;
    }
    struct filter_step *step = &parser->filter->step[parser->filter->count++];
    memset(step, 0, sizeof *step);
    return step;
}

static bool add_operator(struct parser *parser, enum filter_step_kind kind)
{
    struct filter_step *step = add_step(parser);
    if (step)
        step->kind = kind;
    return step;
}

static bool find_field(struct parser *parser, struct slice name, uint8_t *ret)
{
    char what[FILTER_TEXT_MAX];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (slice_is(name, fields[i].name)) {
            *ret = (uint8_t)i;
            return true;
        }
    if (!name.len)
        return fail(parser, parser->rest.ptr, "a condition is missing, such as version<1147");
    snprintf(what, sizeof what, "'%.*s' is not a field; fields: %s", name.len > 40 ? 40 : (int)name.len,
             name.ptr, filter_field_names());
    return fail(parser, name.ptr, what);
}

static bool parse_condition(struct parser *parser)
{
    struct slice value;
    struct slice name = take_word(parser);
    struct filter_step *step = add_step(parser);
    if (!step || !find_field(parser, name, &step->field))
        return false;
    const char *operator_at = parser->rest.ptr;
    if (!take_operator(parser, &step->op) || !take_value(parser, &value))
        return false;
    const char *wrong = filter_kind_read(fields[step->field].kind, value, step);
    if (wrong)
        return fail(parser, value.ptr, wrong);
    if (step->op > FILTER_NOT_EQUAL && !filter_kind_has_order(fields[step->field].kind, step))
        return fail(parser, operator_at, "this condition has only = and !=");
    step->begin = (uint16_t)(value.ptr - parser->filter->text);
    step->len = (uint16_t)value.len;
    return true;
}

static bool parse_any(struct parser *parser);

static bool parse_one(struct parser *parser)
{
    skip_blanks(parser);
    const char *begin = parser->rest.ptr;
    bool negated = take_keyword(parser, "not"), bracket = !negated && take_character(parser, '(');
    if (!negated && !bracket)
        return parse_condition(parser);
    if (++parser->depth > FILTER_DEPTH_MAX)
        return fail(parser, begin, "too many brackets inside of each other");
    bool ok = negated ? parse_one(parser) && add_operator(parser, FILTER_NOT)
                      : parse_any(parser) &&
                            (take_character(parser, ')') || fail(parser, parser->rest.ptr, "')' is missing"));
    parser->depth--;
    return ok;
}

static bool parse_all(struct parser *parser)
{
    bool ok = parse_one(parser);
    while (ok && take_keyword(parser, "and"))
        ok = parse_one(parser) && add_operator(parser, FILTER_AND);
    return ok;
}

static bool parse_any(struct parser *parser)
{
    bool ok = parse_all(parser);
    while (ok && take_keyword(parser, "or"))
        ok = parse_all(parser) && add_operator(parser, FILTER_OR);
    return ok;
}

bool filter_parse(struct slice text, struct filter *ret, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    if (!slice_copy(text, ret->text, sizeof ret->text))
        return error_set(err, ERROR_INVALID, "a filter has at most %d bytes", FILTER_TEXT_MAX);
    if (!slice_is_clean_utf8(text))
        return error_set(err, ERROR_INVALID, "a filter is UTF-8 without control characters");
    struct parser parser = {ret, {ret->text, text.len}, 0, err};
    skip_blanks(&parser);
    if (!parser.rest.len)
        return true;
    if (!parse_any(&parser))
        return false;
    skip_blanks(&parser);
    return !parser.rest.len ||
           fail(&parser, parser.rest.ptr, "'and', 'or' or the end of the filter is expected here");
}

static bool holds(const struct filter *filter, const struct filter_step *step,
                  const struct filter_subject *subject, int64_t now_ms)
{
    const struct slice value = {filter->text + step->begin, step->len};
    const void *member = (const char *)subject + fields[step->field].offset;
    return filter_kind_compare(fields[step->field].kind, member, step, value, now_ms);
}

bool filter_selects(const struct filter *filter, const struct filter_subject *subject, int64_t now_ms)
{
    bool stack[FILTER_STEPS_MAX + 1] = {true};
    unsigned top = 0;
    for (unsigned i = 0; i < filter->count; i++) {
        const struct filter_step *step = &filter->step[i];
        if (step->kind == FILTER_IS) {
            stack[++top] = holds(filter, step, subject, now_ms);
        } else if (step->kind == FILTER_NOT) {
            stack[top] = !stack[top];
        } else {
            top--;
            stack[top] =
                step->kind == FILTER_AND ? stack[top] && stack[top + 1] : stack[top] || stack[top + 1];
        }
    }
    return stack[top];
}
