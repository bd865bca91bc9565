/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "server/admin/csv_text.h"

static struct slice trim(struct slice text)
{
    while (text.len && memchr(" \t\r", text.ptr[0], 3))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && memchr(" \t\r", text.ptr[text.len - 1], 3))
        text.len--;
    return text;
}

/* Faults */

bool csv_note_fault(struct csv_faults *faults, unsigned line, const struct error *why, struct error *err)
{
    if (!faults || error_status(why->code) >= 500 || why->code == ERROR_TOO_LARGE)
        return error_set(err, why->code, "line %u: %.380s", line, why->text);
    if (faults->count < CSV_FAULTS_MAX)
        faults->fault[faults->count] = (struct csv_fault){line, *why};
    faults->count++;
    return true;
}

bool csv_end_faults(const struct csv_faults *faults, struct error *err)
{
    if (!faults || !faults->count)
        return true;
    const struct csv_fault *first = &faults->fault[0];
    if (faults->count == 1)
        return error_set(err, first->error.code, "line %u: %.380s", first->line, first->error.text);
    return error_set(err, first->error.code, "%zu lines are wrong, so none was taken. line %u: %.330s",
                     faults->count, first->line, first->error.text);
}

/* Rows */

struct reader {
    bool (*take)(void *cls, const struct csv_row *row, struct error *err);
    void *cls;
    struct csv_faults *faults; /* NULL: the first wrong row ends */
    struct error *err;
    struct csv_row row;
    size_t offset[CSV_FIELDS_MAX]; /* of the fields in `content`, which may move */
    struct buffer content;
    bool complete, failed;
};

static void take_field(void *bytes, size_t len, void *cls)
{
    struct reader *reader = cls;
    struct csv_row *row = &reader->row;
    if (!reader->failed && row->count < CSV_FIELDS_MAX) {
        reader->offset[row->count] = reader->content.len;
        row->field[row->count].len = len;
        reader->failed = !buffer_add(&reader->content, bytes, len, reader->err);
    }
    row->count++;
}

static void take_row(int terminator, void *cls)
{
    struct reader *reader = cls;
    struct csv_row *row = &reader->row;
    (void)terminator;
    reader->complete = true;
    /* Of a row without a byte, `content` may have no memory. */
    for (unsigned i = 0; i < CSV_FIELDS_MAX; i++)
        row->field[i] = i < row->count && row->field[i].len
                            ? trim((struct slice){(const char *)reader->content.ptr + reader->offset[i],
                                                  row->field[i].len})
                            : (struct slice){"", 0};
    struct error why;
    if (!reader->failed && !reader->take(reader->cls, row, &why))
        reader->failed = !csv_note_fault(reader->faults, row->line, &why, reader->err);
    row->count = 0;
    reader->content.len = 0;
}

/* Feeds libcsv line by line, because it does not count lines. A quoted field can go on in the next line. */
static bool feed(struct csv_parser *parser, struct reader *reader, struct slice text)
{
    reader->complete = true;
    for (unsigned number = 1; text.len && !reader->failed; number++) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct slice line = {text.ptr, end ? (size_t)(end - text.ptr) + 1 : text.len};
        text = (struct slice){text.ptr + line.len, text.len - line.len};
        if (reader->complete) {
            if (trim((struct slice){line.ptr, line.len - (end != NULL)}).len == 0)
                continue;
            reader->row.line = number;
        }
        reader->complete = false;
        if (csv_parse(parser, line.ptr, line.len, take_field, take_row, reader) != line.len)
            return csv_error(parser) == CSV_EPARSE
                       ? error_set(
                             reader->err, ERROR_INVALID,
                             "line %u: a double quote is inside of a field: put the field in quotes, and "
                             "write two of them for one",
                             number)
                       : error_set(reader->err, ERROR_INTERNAL, "out of memory");
    }
    if (!reader->failed && csv_fini(parser, take_field, take_row, reader) != 0)
        return error_set(reader->err, ERROR_INVALID, "line %u: a quoted field has no end", reader->row.line);
    return !reader->failed;
}

bool csv_rows(struct slice text, bool (*take)(void *cls, const struct csv_row *row, struct error *err),
              void *cls, struct csv_faults *faults, struct error *err)
{
    struct reader reader = {.take = take, .cls = cls, .faults = faults, .err = err};
    struct csv_parser parser;
    _cleanup_(buffer_free) struct buffer decoded = {NULL, 0, 0};
    if (!csv_text_decode(&text, &decoded, err))
        return false;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool ok = feed(&parser, &reader, text);
    csv_free(&parser);
    buffer_free(&reader.content);
    return ok && csv_end_faults(faults, err);
}

/* Lists of devices */

static bool is_heading(struct slice field)
{
    return field.len >= 4 && strncasecmp(field.ptr, "imei", 4) == 0 &&
           (field.len == 4 || field.ptr[4] != ':');
}

/* Without a prefix the text is what a module sends as imei: an IMEI, or another id that cannot be mistaken
   for a heading. A MAC is recognised by its separators. */
bool csv_identity(struct slice text, struct identity *ret, struct error *err)
{
    bool has_digit = false;
    struct identity identity;
    for (size_t i = 0; i < text.len; i++)
        has_digit |= text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (text.len && memchr(text.ptr, ':', text.len)
            ? identity_parse(text, &identity)
            : has_digit && identity_normalise(ID_IMEI, text, &identity)) {
        *ret = identity;
        return true;
    }
    return error_set(
        err, ERROR_BAD_DEVICE,
        "an IMEI has 14 to 16 digits; another id has letters and digits, or begins with imei:, mac: or uid:");
}

struct list {
    unsigned fields, count;
    const char *form;
    bool (*take)(void *cls, const struct csv_line *line, struct error *err);
    void *cls;
    bool begun;
};

static bool take_device(void *cls, const struct csv_row *row, struct error *err)
{
    struct list *list = cls;
    struct csv_line line = {.line = row->line, .identity.id = ""};
    bool first = !list->begun;
    list->begun = true;
    if (first && row->line == 1 && is_heading(row->field[0]))
        return true;
    if (list->count++ == CSV_LINES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "more than %d devices: send the list in parts", CSV_LINES_MAX);
    if (row->count > list->fields)
        return error_set(err, ERROR_INVALID, "%s", list->form);
    memcpy(line.field, row->field, sizeof line.field);
    return csv_identity(row->field[0], &line.identity, err) && list->take(list->cls, &line, err);
}

bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct csv_faults *faults, struct error *err)
{
    struct list list = {.fields = fields, .form = form, .take = take, .cls = cls};
    return csv_rows(text, take_device, &list, faults, err);
}
