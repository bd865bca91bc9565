/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/filter.h"

#include <stdio.h>

#include "upgrade/filter_kind.h"

struct parser {
    struct filter *filter;
    struct slice rest; /* inside filter->text */
    const char *stops; /* characters that end a word */
    unsigned depth;
    struct error *err;
};

static const char outside[] = " ()\"<>=!", inside[] = " ()\"<>=!,"; /* of a list of values */

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
    while (len < parser->rest.len && !strchr(parser->stops, parser->rest.ptr[len]))
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
    return fail(parser, parser->rest.ptr, "an operator is missing: = != < <= > >= in like");
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

static void list_fields(const struct filter_language *language, char *out, size_t out_size)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < language->count && used < out_size; i++)
        used +=
            (size_t)snprintf(out + used, out_size - used, "%s%s", i ? ", " : "", language->fields[i].name);
}

static bool find_field(struct parser *parser, struct slice name, uint8_t *ret)
{
    const struct filter_language *language = parser->filter->language;
    char what[FILTER_TEXT_MAX], names[FILTER_TEXT_MAX - 100];
    for (unsigned i = 0; i < language->count; i++)
        if (slice_is(name, language->fields[i].name)) {
            *ret = (uint8_t)i;
            return true;
        }
    list_fields(language, names, sizeof names);
    if (!name.len)
        snprintf(what, sizeof what, "a condition is missing, such as %s=VALUE", language->fields[0].name);
    else
        snprintf(what, sizeof what, "'%.*s' is not a field; fields: %s", name.len > 40 ? 40 : (int)name.len,
                 name.ptr, names);
    return fail(parser, name.len ? name.ptr : parser->rest.ptr, what);
}

/* Takes one value, and adds the step that compares the field with it. */
static bool add_condition(struct parser *parser, uint8_t field, enum filter_operator op,
                          const char *operator_at)
{
    const enum filter_kind kind = parser->filter->language->fields[field].kind;
    struct filter_step *step = add_step(parser);
    struct slice value;
    if (!step || !take_value(parser, &value))
        return false;
    step->field = field;
    step->op = op;
    const char *wrong = filter_kind_read(kind, value, step);
    if (wrong)
        return fail(parser, value.ptr, wrong);
    if (!filter_kind_has_operator(kind, step))
        return fail(parser, operator_at,
                    op == FILTER_LIKE ? "this field has no like" : "this condition has only = and !=");
    step->begin = (uint16_t)(value.ptr - parser->filter->text);
    step->len = (uint16_t)value.len;
    return true;
}

/* A, B, C) */
static bool parse_list(struct parser *parser, uint8_t field)
{
    if (!take_character(parser, '('))
        return fail(parser, parser->rest.ptr, "'(' is missing: in (A, B)");
    parser->stops = inside;
    bool ok = add_condition(parser, field, FILTER_EQUAL, NULL);
    while (ok && take_character(parser, ','))
        ok = add_condition(parser, field, FILTER_EQUAL, NULL) && add_operator(parser, FILTER_OR);
    parser->stops = outside;
    return ok &&
           (take_character(parser, ')') || fail(parser, parser->rest.ptr, "',' or ')' is expected here"));
}

static bool parse_condition(struct parser *parser)
{
    struct slice name = take_word(parser);
    enum filter_operator op = FILTER_EQUAL;
    uint8_t field;
    if (!find_field(parser, name, &field))
        return false;
    skip_blanks(parser);
    const char *operator_at = parser->rest.ptr;
    bool negated = take_keyword(parser, "not"), ok;
    skip_blanks(parser);
    if (take_keyword(parser, "in"))
        ok = parse_list(parser, field);
    else if (take_keyword(parser, "like"))
        ok = add_condition(parser, field, FILTER_LIKE, operator_at);
    else if (negated)
        return fail(parser, parser->rest.ptr, "in or like is expected here");
    else
        return take_operator(parser, &op) && add_condition(parser, field, op, operator_at);
    return ok && (!negated || add_operator(parser, FILTER_NOT));
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

bool filter_parse(struct slice text, const struct filter_language *language, struct filter *ret,
                  struct error *err)
{
    memset(ret, 0, sizeof *ret);
    ret->language = language;
    if (!slice_copy(text, ret->text, sizeof ret->text))
        return error_set(err, ERROR_INVALID, "a filter has at most %d bytes", FILTER_TEXT_MAX);
    if (!slice_is_clean_utf8(text))
        return error_set(err, ERROR_INVALID, "a filter is UTF-8 without control characters");
    struct parser parser = {.filter = ret, .rest = {ret->text, text.len}, .stops = outside, .err = err};
    skip_blanks(&parser);
    if (!parser.rest.len)
        return true;
    if (!parse_any(&parser))
        return false;
    skip_blanks(&parser);
    return !parser.rest.len ||
           fail(&parser, parser.rest.ptr, "'and', 'or' or the end of the filter is expected here");
}

static bool holds(const struct filter *filter, const struct filter_step *step, const void *subject,
                  int64_t now_ms)
{
    const struct filter_language *language = filter->language;
    struct filter_value value = {.text = ""};
    language->read(subject, step->field, &value);
    return filter_kind_compare(language->fields[step->field].kind, &value, step,
                               (struct slice){filter->text + step->begin, step->len}, now_ms);
}

bool filter_selects(const struct filter *filter, const void *subject, int64_t now_ms)
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
