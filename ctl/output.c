/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"
#include "base/text.h"

#define COLUMNS_MAX 64
#define NAME_MAX_   64

static enum { FORM_TABLE, FORM_WIDE, FORM_JSON, FORM_CSV } form;
static const char *columns; /* of --columns, or NULL */
static struct failure late; /* of output_object(); status 0: none */

/* A view that is made for one answer. */
struct made_view {
    struct table_view view;
    struct table_column column[COLUMNS_MAX];
    char heading[COLUMNS_MAX][NAME_MAX_], key[COLUMNS_MAX][NAME_MAX_];
};

bool output_begin(const struct ctl_options *options, bool *ret_for_programs, struct failure *fail)
{
    const char *output = options->output ? options->output : "table";
    form = strcmp(output, "json") == 0   ? FORM_JSON
           : strcmp(output, "csv") == 0  ? FORM_CSV
           : strcmp(output, "wide") == 0 ? FORM_WIDE
                                         : FORM_TABLE;
    columns = options->columns;
    *ret_for_programs = form == FORM_JSON || form == FORM_CSV;
    if (columns && form == FORM_JSON)
        return failure_set(
            fail, EXIT_USAGE,
            "--columns is for -o table, wide and csv: the JSON is the whole answer of the server");
    return !columns || columns[0] || failure_set(fail, EXIT_USAGE, "--columns needs the name of a column");
}

/* As the names of the API end: _at is a time, _ms is a duration. */
static enum table_kind guess_kind(const char *key, const json_t *value)
{
    size_t len = strlen(key);
    if (len > 3 && strcmp(key + len - 3, "_at") == 0)
        return TABLE_TIME;
    if (len > 3 && strcmp(key + len - 3, "_ms") == 0 && form != FORM_CSV)
        return TABLE_DURATION;
    return json_is_number(value) ? TABLE_NUMBER : TABLE_TEXT;
}

static void add(struct made_view *made, const char *heading, const char *key, enum table_kind kind)
{
    size_t i = made->view.count;
    if (i == COLUMNS_MAX || strlen(key) >= NAME_MAX_)
        return;
    snprintf(made->key[i], NAME_MAX_, "%s", key);
    snprintf(made->heading[i], NAME_MAX_, "%s", heading);
    for (char *c = heading == key ? made->heading[i] : ""; *c; c++)
        *c = *c == '_' || *c == '.' ? ' ' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    made->column[i] = (struct table_column){made->heading[i], made->key[i], kind};
    made->view.count++;
}

static bool has_key(const struct table_view *view, const char *key)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->columns[i].key, key) == 0)
            return true;
    return false;
}

/* All columns of the view, then the plain members that an item has besides. */
static void widen(struct made_view *made, const json_t *items, const struct table_view *view)
{
    size_t i;
    json_t *item, *value;
    const char *key;
    for (i = 0; view && i < view->count; i++) {
        const struct table_column *column = &view->columns[i];
        bool raw = form == FORM_CSV && column->kind == TABLE_DURATION;
        add(made, column->heading, column->key, raw ? TABLE_NUMBER : column->kind);
    }
    json_array_foreach (items, i, item)
        json_object_foreach (item, key, value) {
            bool plain = json_is_string(value) || json_is_number(value) || json_is_boolean(value);
            if (plain && !has_key(&made->view, key))
                add(made, key, key, guess_kind(key, value));
        }
}

static const json_t *find_value(const json_t *items, const char *key)
{
    size_t i;
    json_t *item;
    json_array_foreach (items, i, item) {
        const json_t *value = table_find(item, key);
        if (value && !json_is_object(value))
            return value;
    }
    return NULL;
}

static bool refuse_column(const struct made_view *all, const char *name, struct failure *fail)
{
    char list[700] = "";
    size_t used = 0;
    for (size_t i = 0; i < all->view.count && used < sizeof list - NAME_MAX_ - 2; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", all->key[i]);
    return failure_set(fail, EXIT_USAGE, "there is no column %s; the columns: %s", name, list);
}

/* Those that --columns names, in its order: by key, or by a member of the items. */
static bool choose(struct made_view *made, const json_t *items, const struct table_view *view,
                   struct failure *fail)
{
    struct slice rest = slice_of(columns), word;
    _cleanup_(cleanup_free) struct made_view *all = calloc(1, sizeof *all);
    if (!all)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    all->view.columns = all->column;
    widen(all, items, view);
    while (slice_split(&rest, ',', &word)) {
        char name[NAME_MAX_];
        size_t i = 0;
        snprintf(name, sizeof name, "%.*s", (int)(word.len < NAME_MAX_ ? word.len : NAME_MAX_ - 1), word.ptr);
        while (i < all->view.count && strcmp(all->key[i], name) != 0)
            i++;
        const json_t *value = find_value(items, name);
        if (i < all->view.count)
            add(made, all->heading[i], all->key[i], all->column[i].kind);
        else if (value)
            add(made, name, name, guess_kind(name, value));
        else
            return refuse_column(all, name, fail);
    }
    return true;
}

/* The view for these items. *ret lives as long as made. */
static bool make_view(struct made_view *made, const json_t *items, const struct table_view *view,
                      const struct table_view **ret, struct failure *fail)
{
    *ret = view;
    made->view.columns = made->column;
    if (columns && !choose(made, items, view, fail))
        return false;
    if (!columns && (form != FORM_TABLE || !view))
        widen(made, items, view);
    if (columns || form != FORM_TABLE || !view)
        *ret = &made->view;
    if (view && !columns) {
        made->view.note_key = view->note_key;
        made->view.note_mark = view->note_mark;
    }
    return true;
}

static void put_json(const json_t *value)
{
    _cleanup_(cleanup_free) char *text = json_dumps(value, JSON_INDENT(2));
    if (text) {
        text_put_json(stdout, text);
        putchar('\n');
    }
}

static bool put(const json_t *items, bool page, const struct table_view *view, struct failure *fail)
{
    _cleanup_(cleanup_free) struct made_view *made = calloc(1, sizeof *made);
    if (!made)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    if (!make_view(made, items, view, &view, fail))
        return false;
    if (form == FORM_CSV)
        table_print_csv(stdout, items, view);
    else if (page)
        table_print_page(stdout, json_array_get(items, 0), view);
    else
        table_print(stdout, items, view);
    return true;
}

void output_object(const json_t *object, const struct table_view *view)
{
    if (form == FORM_JSON) {
        put_json(object);
        return;
    }
    json_t *items = json_pack("[O]", object);
    put(items, true, view, &late);
    json_decref(items);
}

bool output_list(const json_t *answer, const struct table_view *view, struct failure *fail)
{
    const json_t *items = json_object_get(answer, "items");
    if (!json_is_array(items))
        return failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
    if (form == FORM_JSON)
        put_json(answer);
    else
        return put(items, false, view, fail);
    return true;
}

bool output_end(struct failure *fail)
{
    if (late.status == EXIT_DONE)
        return true;
    *fail = late;
    return false;
}
