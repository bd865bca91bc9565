/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/csv.h"

#include <strings.h>

static struct slice trim(struct slice text)
{
    while (text.len && memchr(" \t\r", text.ptr[0], 3))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && memchr(" \t\r", text.ptr[text.len - 1], 3))
        text.len--;
    return text;
}

static struct slice unquote(struct slice field)
{
    field = trim(field);
    if (field.len >= 2 && field.ptr[0] == '"' && field.ptr[field.len - 1] == '"')
        field = trim((struct slice){field.ptr + 1, field.len - 2});
    return field;
}

static bool is_heading(struct slice line)
{
    line = unquote(line);
    if (line.len && line.ptr[0] == '"')
        line = (struct slice){line.ptr + 1, line.len - 1};
    return line.len >= 4 && strncasecmp(line.ptr, "imei", 4) == 0 && (line.len == 4 || line.ptr[4] != ':');
}

/* Without a prefix the first column is what a module sends as imei: an IMEI, or another id that cannot be
   mistaken for a heading. A MAC is recognised by its separators. */
static bool read_identity(struct slice text, struct identity *ret)
{
    struct identity imei;
    bool has_digit = false;
    if (text.len && memchr(text.ptr, ':', text.len))
        return identity_parse(text, ret);
    for (size_t i = 0; i < text.len; i++)
        has_digit |= text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (!has_digit || !identity_normalise(ID_IMEI, text, &imei))
        return false;
    *ret = imei;
    return true;
}

static bool read_line(struct slice text, unsigned fields, const char *form, struct csv_line *ret,
                      struct error *err)
{
    struct slice rest = text;
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < fields; i++)
        if (slice_split(&rest, ',', &ret->field[i]))
            ret->field[i] = unquote(ret->field[i]);
    if (rest.ptr)
        return error_set(err, ERROR_INVALID, "%s", form);
    return read_identity(ret->field[0], &ret->identity) ||
           error_set(
               err, ERROR_BAD_DEVICE,
               "an IMEI has 14 to 16 digits; another id has letters and digits, or begins with imei:, mac: "
               "or uid:");
}

bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct error *err)
{
    struct slice line;
    unsigned count = 0;
    if (slice_starts(text, "\xEF\xBB\xBF"))
        text = (struct slice){text.ptr + 3, text.len - 3};
    for (unsigned number = 1; slice_split(&text, '\n', &line); number++) {
        struct csv_line read;
        struct error why;
        if (trim(line).len == 0 || (number == 1 && is_heading(line)))
            continue;
        if (count++ == CSV_LINES_MAX)
            return error_set(err, ERROR_TOO_LARGE, "more than %d devices: send the list in parts",
                             CSV_LINES_MAX);
        if (!read_line(line, fields, form, &read, &why) || !take(cls, &read, &why))
            return error_set(err, why.code, "line %u: %.380s", number, why.text);
    }
    return true;
}
