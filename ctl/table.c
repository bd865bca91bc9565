/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "base/text.h"
#include "ctl/terminal.h"

#define HASH_SHOWN 12 /* digits: enough for people to distinguish images */
#define GAP        2  /* blanks between columns */

#define BOLD   "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

const json_t *table_find(const json_t *object, const char *key)
{
    char head[64];
    const char *dot;
    while ((dot = strchr(key, '.'))) {
        snprintf(head, sizeof head, "%.*s", (int)(dot - key), key);
        object = json_object_get(object, head);
        key = dot + 1;
    }
    return json_object_get(object, key);
}

static char *time_text(json_int_t utc_ms)
{
    char text[64];
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts))
        return strdup("-");
    return strdup(text);
}

/* In the two largest units. */
static char *duration_text(json_int_t ms)
{
    char text[64];
    long long s = ms / 1000;
    if (s >= 86400)
        snprintf(text, sizeof text, "%lld d %lld h", s / 86400, s % 86400 / 3600);
    else if (s >= 3600)
        snprintf(text, sizeof text, "%lld h %lld min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        snprintf(text, sizeof text, "%lld min %lld s", s / 60, s % 60);
    else
        snprintf(text, sizeof text, "%.1f s", (double)ms / 1000);
    return strdup(text);
}

/* The texts of a list, with a blank between two. */
static char *list_text(const json_t *list)
{
    char *text = NULL;
    size_t size, i;
    json_t *item;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    json_array_foreach (list, i, item)
        fprintf(out, "%s%s", i ? " " : "", json_is_string(item) ? json_string_value(item) : "?");
    if (i == 0)
        fputc('-', out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *table_value(const json_t *object, const char *key, enum table_kind kind)
{
    const json_t *value = table_find(object, key);
    char number[32];
    switch (json_typeof(value ? value : json_null())) {
    case JSON_STRING:
        return strdup(json_string_length(value) ? json_string_value(value) : "-");
    case JSON_INTEGER:
        if (kind == TABLE_TIME)
            return time_text(json_integer_value(value));
        if (kind == TABLE_DURATION)
            return duration_text(json_integer_value(value));
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return strdup(number);
    case JSON_TRUE:
        return strdup("yes");
    case JSON_FALSE:
        return strdup("no");
    case JSON_ARRAY:
        return list_text(value);
    default:
        return strdup("-");
    }
}

static char *cell_text(const json_t *item, const struct table_column *column)
{
    char *text = table_value(item, column->key, column->kind);
    if (text && column->kind == TABLE_HASH && strlen(text) > HASH_SHOWN)
        text[HASH_SHOWN] = '\0';
    return text;
}

/* Blanks are printed only before text, so that no line ends with blanks. */
static void print_row(FILE *out, const struct table_view *view, const size_t *widths, char *const *cells)
{
    size_t pending = 0;
    for (size_t i = 0; i < view->count; i++) {
        const char *text = cells[i] ? cells[i] : "-";
        size_t width = text_width(text), pad = widths[i] - width;
        bool right = view->columns[i].kind == TABLE_NUMBER;
        text_blanks(out, pending + (right ? pad : 0));
        text_put(out, text);
        pending = GAP + (right ? 0 : pad);
    }
    putc('\n', out);
}

void table_print_note(FILE *out, size_t indent, const char *mark, const json_t *note)
{
    size_t i;
    json_t *line;
    if (json_is_string(note)) {
        text_blanks(out, indent);
        fputs(mark, out);
        text_wrap(out, indent + text_width(mark), json_string_value(note));
    } else if (json_is_array(note)) {
        json_array_foreach (note, i, line)
            table_print_note(out, indent, mark, line);
    }
}

void table_print(FILE *out, const json_t *items, const struct table_view *view)
{
    size_t rows = json_array_size(items), count = view->count;
    bool colour = terminal_has_colour(out);
    _cleanup_(cleanup_free) char **cells = calloc((rows + 1) * count, sizeof *cells);
    _cleanup_(cleanup_free) size_t *widths = calloc(count, sizeof *widths);
    if (!cells || !widths)
        return;
    for (size_t row = 0; row <= rows; row++)
        for (size_t i = 0; i < count; i++) {
            char *text = row == 0 ? strdup(view->columns[i].heading)
                                  : cell_text(json_array_get(items, row - 1), &view->columns[i]);
            size_t width = text_width(text ? text : "-");
            widths[i] = width > widths[i] ? width : widths[i];
            cells[row * count + i] = text;
        }
    for (size_t row = 0; row <= rows; row++) {
        fputs(colour && row == 0 ? BOLD : "", out);
        print_row(out, view, widths, cells + row * count);
        fputs(colour ? row == 0 ? PLAIN : YELLOW : "", out);
        if (row > 0 && view->note_key)
            table_print_note(out, GAP, view->note_mark,
                             table_find(json_array_get(items, row - 1), view->note_key));
        fputs(colour && row > 0 ? PLAIN : "", out);
    }
    if (rows == 0)
        fputs("(none)\n", out);
    for (size_t i = 0; i < (rows + 1) * count; i++)
        free(cells[i]);
}

static void put_csv(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, out);
    fputc('"', out);
}

void table_print_csv(FILE *out, const json_t *items, const struct table_view *view)
{
    const json_t *item;
    size_t i;
    for (size_t column = 0; column < view->count; column++)
        fprintf(out, "%s%s", column ? "," : "", view->columns[column].key);
    fputs("\r\n", out);
    json_array_foreach (items, i, item) {
        for (size_t column = 0; column < view->count; column++) {
            const json_t *value = table_find(item, view->columns[column].key);
            char *text = table_value(item, view->columns[column].key, view->columns[column].kind);
            if (column)
                fputc(',', out);
            if (text && value && !json_is_null(value))
                put_csv(out, text);
            free(text);
        }
        fputs("\r\n", out);
    }
}

void table_print_page(FILE *out, const json_t *object, const struct table_view *view)
{
    size_t widest = 0;
    for (size_t i = 0; i < view->count; i++) {
        size_t width = text_width(view->columns[i].heading);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < view->count; i++) {
        const struct table_column *column = &view->columns[i];
        _cleanup_(cleanup_free) char *text = table_value(object, column->key, column->kind);
        fputs(column->heading, out);
        text_blanks(out, widest - text_width(column->heading) + GAP);
        text_wrap(out, widest + GAP, text ? text : "-");
    }
    if (view->note_key)
        table_print_note(out, 0, view->note_mark, table_find(object, view->note_key));
}
