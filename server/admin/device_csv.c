/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/device_csv.h"

#include <stdlib.h>
#include <strings.h>

#include "server/admin/csv.h"
#include "storage/device.h"
#include "upgrade/name.h"
#include "upgrade/tag.h"

enum column { COLUMN_DEVICE, COLUMN_TAGS, COLUMN_NOTE, COLUMN_FIRMWARE, COLUMN_FIRST, COLUMNS };
static const char *const names[COLUMNS] = {"device", "tags", "note", "firmware", "first"};

struct parse {
    struct device_csv *list;
    enum column column[COLUMNS]; /* of each field */
    unsigned fields;
    bool begun, ended; /* ended: the header is wrong, so nothing is known about the lines */
    bool ranked;       /* the column `first` is known */
};

static bool is(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.ptr, word, text.len) == 0;
}

static bool find_column(struct slice text, enum column *ret)
{
    for (unsigned i = 0; i < COLUMNS; i++)
        if (is(text, names[i]) || (i == COLUMN_DEVICE && is(text, "imei"))) {
            *ret = (enum column)i;
            return true;
        }
    return false;
}

/* A header has a column with the device. */
static bool is_header(const struct csv_row *row)
{
    enum column column;
    for (unsigned i = 0; i < row->count && i < CSV_FIELDS_MAX; i++)
        if (find_column(row->field[i], &column) && column == COLUMN_DEVICE)
            return true;
    return false;
}

static bool read_header(struct parse *parse, const struct csv_row *row, struct error *err)
{
    bool seen[COLUMNS] = {false};
    for (unsigned i = 0; i < row->count; i++) {
        enum column column;
        if (i >= COLUMNS || !find_column(row->field[i], &column) || seen[column] ||
            (column == COLUMN_FIRST && !parse->ranked))
            return error_set(err, ERROR_INVALID,
                             parse->ranked
                                 ? "the columns are device, tags, note, firmware and first, each at most once"
                                 : "the columns are device, tags, note and firmware, each at most once");
        seen[column] = true;
        parse->column[i] = column;
    }
    parse->fields = row->count;
    return true;
}

static bool keep(struct device_csv *list, struct slice text, uint32_t *ret, struct error *err)
{
    if (!list->texts.len && !buffer_add(&list->texts, "", 1, err)) /* 0 is the empty text */
        return false;
    *ret = (uint32_t)list->texts.len;
    return buffer_add(&list->texts, text.ptr, text.len, err) && buffer_add(&list->texts, "", 1, err);
}

static bool read_first(struct slice text, bool *ret, struct error *err)
{
    *ret = is(text, "first") || is(text, "yes");
    return *ret || is(text, "no") ||
           error_set(err, ERROR_INVALID, "the word after the device is first, or missing");
}

static bool read_field(struct device_csv *list, enum column column, struct slice text,
                       struct device_csv_row *row, struct error *err)
{
    char tags[TAGS_SIZE];
    if (column == COLUMN_DEVICE)
        return csv_identity(text, &row->identity, err);
    if (!text.len)
        return true;
    switch (column) {
    case COLUMN_TAGS:
        return tags_parse(text, tags, err) && keep(list, slice_of(tags), &row->tags, err);
    case COLUMN_NOTE:
        if (text.len >= NOTE_SIZE || !slice_is_clean_utf8(text))
            return error_set(err, ERROR_INVALID, "a note has at most %d bytes and no control characters",
                             NOTE_SIZE - 1);
        return keep(list, text, &row->note, err);
    case COLUMN_FIRST:
        return read_first(text, &row->first, err);
    default:
        if (!name_is_firmware(text))
            return error_set(err, ERROR_INVALID,
                             "a firmware name is 1 to 100 bytes of UTF-8 without / ? & #");
        return keep(list, text, &row->firmware, err);
    }
}

static bool add_row(struct parse *parse, const struct csv_row *row, struct error *err)
{
    struct device_csv *list = parse->list;
    if (list->count == CSV_LINES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "more than %d devices: send the list in parts", CSV_LINES_MAX);
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 256;
        struct device_csv_row *rows = reallocarray(list->rows, room, sizeof *rows);
        if (!rows)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        list->rows = rows;
        list->room = room;
    }
    struct device_csv_row *made = &list->rows[list->count];
    *made = (struct device_csv_row){.line = row->line};
    for (unsigned i = 0; i < parse->fields; i++)
        if (!read_field(list, parse->column[i], row->field[i], made, err))
            return false;
    list->count++;
    return true;
}

/* A heading that names no column of ours: "IMEI number". */
static bool begins_with_imei(struct slice field)
{
    return field.len >= 4 && strncasecmp(field.ptr, "imei", 4) == 0 &&
           (field.len == 4 || field.ptr[4] != ':');
}

static bool take(void *cls, const struct csv_row *row, struct error *err)
{
    struct parse *parse = cls;
    bool first = !parse->begun;
    parse->begun = true;
    if (parse->ended)
        return true;
    if (first && is_header(row))
        return read_header(parse, row, err) || (parse->ended = true, false);
    if (first && parse->ranked && row->line == 1 && begins_with_imei(row->field[0]))
        return true;
    if (row->count > parse->fields)
        return error_set(err, ERROR_INVALID,
                         parse->fields == 1 || (parse->ranked && parse->column[1] == COLUMN_FIRST)
                             ? "a list with more than one column needs a header: device,tags,note,firmware"
                             : "the line has more fields than the header");
    return add_row(parse, row, err);
}

bool device_csv_parse(struct slice text, struct device_csv *ret, struct csv_faults *faults, struct error *err)
{
    struct parse parse = {.list = ret, .column = {COLUMN_DEVICE}, .fields = 1};
    return csv_rows(text, take, &parse, faults, err);
}

bool device_csv_parse_ranked(struct slice text, struct device_csv *ret, struct error *err)
{
    struct parse parse = {.list = ret, .column = {COLUMN_DEVICE, COLUMN_FIRST}, .fields = 2, .ranked = true};
    return csv_rows(text, take, &parse, NULL, err);
}

void device_csv_free(struct device_csv *list)
{
    free(list->rows);
    buffer_free(&list->texts);
    *list = (struct device_csv){.rows = NULL};
}

const char *device_csv_text(const struct device_csv *list, uint32_t at)
{
    return at ? (const char *)list->texts.ptr + at : "";
}
