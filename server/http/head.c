/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/head.h"

#include <strings.h>

enum head_state head_scan(struct slice bytes, size_t *scanned, size_t *ret_size)
{
    while (*scanned < bytes.len) {
        const char *at = memchr(bytes.ptr + *scanned, '\n', bytes.len - *scanned);
        if (!at)
            break;
        size_t i = (size_t)(at - bytes.ptr);
        if (i == 0 || bytes.ptr[i - 1] != '\r')
            return HEAD_BAD;
        *scanned = i + 1;
        if (i >= 3 && bytes.ptr[i - 2] == '\n') {
            *ret_size = i + 1;
            return HEAD_WHOLE;
        }
    }
    *scanned = bytes.len;
    return HEAD_PART;
}

static bool token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return text.len > 0;
}

static bool named(struct slice name, const char *want)
{
    return name.len == strlen(want) && strncasecmp(name.ptr, want, name.len) == 0;
}

static size_t count_of(struct slice text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == c;
    return count;
}

/* The next line without its CRLF. The head is complete, so each line has one. */
static struct slice next_line(struct slice *rest)
{
    struct slice line;
    slice_split(rest, '\n', &line);
    line.len--;
    return line;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len && blank(text.ptr[0]))
        text = (struct slice){text.ptr + 1, text.len - 1};
    return text;
}

/* "http://host/path?query" becomes "/path?query". The scheme is case-insensitive, the host is ignored. */
static bool cut_authority(struct slice *target)
{
    static const char *const scheme[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++) {
        size_t len = strlen(scheme[i]), end = len;
        if (target->len <= len || strncasecmp(target->ptr, scheme[i], len) != 0)
            continue;
        while (end < target->len && !strchr("/?#", target->ptr[end]))
            end++;
        if (end == len)
            return false;
        *target = end < target->len && target->ptr[end] == '/'
                      ? (struct slice){target->ptr + end, target->len - end}
                      : (struct slice){"/", 1}; /* no route is at the root, whatever the query is */
        return true;
    }
    return target->len > 0 && target->ptr[0] == '/';
}

/* libfota3 sends the id of some chips as raw bytes in the query, and escapes only a few of them. No blank is here,
   because the target ends there, and no LF, because the line does. */
static bool has_control_character(struct slice target)
{
    bool query = false;
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c == '\r' || (!query && (c < 0x21 || c == 0x7F)))
            return true;
        query = query || c == '?';
    }
    return false;
}

static bool parse_request_line(struct slice line, struct head *ret, struct error *err)
{
    struct slice version = line;
    if (!slice_split(&version, ' ', &ret->method) || !token(ret->method))
        return error_set(err, ERROR_BAD_REQUEST, "the request line does not begin with a method");
    if (!slice_split(&version, ' ', &ret->target))
        return error_set(err, ERROR_BAD_REQUEST, "the request line has no target");
    if (has_control_character(ret->target))
        return error_set(err, ERROR_BAD_REQUEST, "the request target has a control character");
    if (!cut_authority(&ret->target))
        return error_set(err, ERROR_BAD_REQUEST, "the request target is not /PATH or http://HOST/PATH");
    if (slice_is(version, "HTTP/1.1"))
        ret->minor = 1;
    else if (slice_is(version, "HTTP/1.0"))
        ret->minor = 0;
    else
        return error_set(err, ERROR_BAD_REQUEST, "the request line does not end in HTTP/1.0 or HTTP/1.1");
    return true;
}

/* "Name: value" with a token for a name and no control characters in the value. */
static bool parse_field(struct slice line, struct slice *ret_name, struct slice *ret_value, struct error *err)
{
    struct slice value = line;
    if (line.len && blank(line.ptr[0]))
        return error_set(err, ERROR_BAD_REQUEST, "a header is folded over two lines");
    if (!slice_split(&value, ':', ret_name) || !value.ptr || !token(*ret_name))
        return error_set(err, ERROR_BAD_REQUEST, "a header line is not \"Name: value\"");
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < 0x20 && value.ptr[i] != '\t') || value.ptr[i] == 0x7F)
            return error_set(err, ERROR_BAD_REQUEST, "a header has a control character");
    value = skip_blanks(value);
    while (value.len && blank(value.ptr[value.len - 1]))
        value.len--;
    *ret_value = value;
    return true;
}

struct framing {
    unsigned hosts, lengths, codings, ranges;
    uint64_t length;
};

/* libmicrohttpd does not drop what follows the value of these two headers: it answers the first twice and
   never ends the second. */
static bool check_end(struct slice line, struct slice name, struct slice value, struct error *err)
{
    bool frames = named(name, "Content-Length") || named(name, "Transfer-Encoding");
    if (frames && value.ptr + value.len != line.ptr + line.len)
        return error_set(err, ERROR_BAD_REQUEST, "%.*s has a blank at its end", (int)name.len, name.ptr);
    return true;
}

static bool note_framing(struct slice name, struct slice value, struct framing *framing, struct error *err)
{
    if (named(name, "Host")) {
        if (framing->hosts++)
            return error_set(err, ERROR_BAD_REQUEST, "there are two Host headers");
    } else if (named(name, "Range")) {
        if (framing->ranges++)
            return error_set(err, ERROR_BAD_REQUEST, "there are two Range headers");
    } else if (named(name, "Content-Length")) {
        if (framing->lengths++)
            return error_set(err, ERROR_BAD_REQUEST, "there are two Content-Length headers");
        if (!slice_u64(value, &framing->length) || framing->length > INT64_MAX)
            return error_set(err, ERROR_BAD_REQUEST, "Content-Length is no number");
    } else if (named(name, "Transfer-Encoding")) {
        if (framing->codings++ || !named(value, "chunked"))
            return error_set(err, ERROR_BAD_REQUEST, "Transfer-Encoding is not chunked");
    }
    return true;
}

static bool check_framing(const struct framing *framing, struct head *ret, struct error *err)
{
    if (ret->minor == 1 && framing->hosts == 0)
        return error_set(err, ERROR_BAD_REQUEST, "an HTTP/1.1 request needs a Host header");
    if (framing->codings && framing->lengths)
        return error_set(err, ERROR_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
    if (framing->codings && ret->minor == 0)
        return error_set(err, ERROR_BAD_REQUEST, "an HTTP/1.0 request cannot be chunked");
    ret->body_length = framing->codings ? -1 : (int64_t)framing->length;
    return true;
}

bool head_parse(struct slice whole, struct head *ret, struct error *err)
{
    struct slice rest = whole;
    if (!parse_request_line(next_line(&rest), ret, err))
        return false;
    size_t parts = count_of(ret->target, '&') + 1;
    if (parts > HEAD_PARTS_MAX)
        return error_set(err, ERROR_URI_TOO_LONG, "the query has too many parameters");

    struct framing framing = {0};
    ret->fields = (struct slice){rest.ptr, rest.len - 2};
    while (rest.len > 2) {
        struct slice line = next_line(&rest), name, value;
        if (!parse_field(line, &name, &value, err) || !check_end(line, name, value, err) ||
            !note_framing(name, value, &framing, err))
            return false;
        parts += named(name, "Cookie") ? 2 + count_of(value, ';') + count_of(value, ',') : 1;
        if (parts > HEAD_PARTS_MAX)
            return error_set(err, ERROR_HEADERS_TOO_LARGE, "there are too many headers");
    }
    return check_framing(&framing, ret, err);
}

bool head_check_single(const struct head *head, struct error *err)
{
    static const char *const names[] = {
        "Authorization", "Content-Digest",  "Content-Encoding", "Content-Type",   "Cookie",
        "Expect",        "Idempotency-Key", "If-Match",         "If-None-Match",  "If-Range",
        "Last-Event-ID", "Origin",          "Repr-Digest",      "Sec-Fetch-Site", "X-Dfota-Console",
    };
    bool seen[sizeof names / sizeof *names] = {false};
    struct slice rest = head->fields, name, value;
    while (rest.len) {
        if (!parse_field(next_line(&rest), &name, &value, err))
            return false;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (!named(name, names[i]))
                continue;
            if (seen[i])
                return error_set(err, ERROR_BAD_REQUEST, "there are two %s headers", names[i]);
            seen[i] = true;
        }
    }
    return true;
}

/* "bytes=0-", "bytes=000-99": blanks are allowed where modules send them. */
static bool begins_at_zero(struct slice value)
{
    struct slice unit;
    if (!slice_split(&value, '=', &unit) || !value.ptr)
        return false;
    unit = skip_blanks(unit);
    while (unit.len && blank(unit.ptr[unit.len - 1]))
        unit.len--;
    value = skip_blanks(value);
    size_t zeros = 0;
    while (zeros < value.len && value.ptr[zeros] == '0')
        zeros++;
    return named(unit, "bytes") && zeros && zeros < value.len &&
           (value.ptr[zeros] == '-' || blank(value.ptr[zeros]));
}

bool head_resumes(struct slice bytes)
{
    struct slice line, name;
    slice_split(&bytes, '\n', &line); /* the request line */
    while (slice_split(&bytes, '\n', &line)) {
        if (line.len == 0 || (line.len == 1 && line.ptr[0] == '\r'))
            return false; /* a body follows */
        struct slice value = line;
        slice_split(&value, ':', &name);
        name = skip_blanks(name);
        while (name.len && blank(name.ptr[name.len - 1]))
            name.len--;
        if (value.ptr && named(name, "Range") && !begins_at_zero(value))
            return true;
    }
    return false;
}

bool head_field(const struct head *head, const char *name, struct slice *ret)
{
    return head_field_at(head, name, 0, ret);
}

bool head_field_at(const struct head *head, const char *name, unsigned index, struct slice *ret)
{
    struct slice rest = head->fields;
    while (rest.len) {
        struct slice key, value;
        struct error ignored;
        if (parse_field(next_line(&rest), &key, &value, &ignored) && named(key, name) && index-- == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}
