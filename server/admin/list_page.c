/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A page of a short list. The cursor has the values that the last item was sorted by: the next page begins with the
   first item behind them, whatever was added or removed in between. */
#include <stdio.h>

#include "base/cleanup.h"
#include "server/admin/list.h"

#define KEYS_MAX  7
#define TEXT_MOST 100 /* bytes of a text that count for the order, so that a cursor is short */

struct key { /* one field of the order */
    unsigned field;
    enum filter_kind kind;
    bool downwards;
};

struct order {
    unsigned count;
    struct key key[KEYS_MAX];
    char text[160]; /* its names: part of each cursor */
    json_t *texts;  /* strings that values of entries point to; owned */
};

struct entry {
    const struct order *order;
    json_t *json;
    struct filter_value value[KEYS_MAX];
};

static bool add_key(struct order *order, const struct filter_language *language, struct slice name)
{
    struct key key = {.downwards = slice_starts(name, "-")};
    if (key.downwards)
        name = (struct slice){name.ptr + 1, name.len - 1};
    while (key.field < language->count && !slice_is(name, language->fields[key.field].name))
        key.field++;
    if (key.field == language->count || order->count == KEYS_MAX)
        return false;
    key.kind = language->fields[key.field].kind;
    order->key[order->count++] = key;
    return true;
}

/* What is asked for, and then the order of the list. */
static bool make_order(const struct list_query *query, struct order *ret, struct error *err)
{
    struct slice rest, one;
    *ret = (struct order){.texts = json_array()};
    snprintf(ret->text, sizeof ret->text, "%s%s%s", query->sort, query->sort[0] ? " " : "",
             query->kind->order);
    for (rest = slice_of(ret->text); slice_split(&rest, ' ', &one);)
        if (!add_key(ret, query->kind->language, one))
            return error_set(err, ERROR_INTERNAL, "the list has no order %s", ret->text);
    return true;
}

static void read_values(const struct list_kind *kind, struct entry *entry)
{
    const struct order *order = entry->order;
    struct list_item item = {.kind = kind, .json = entry->json};
    for (unsigned i = 0; i < order->count; i++) {
        struct filter_value *value = &entry->value[i];
        *value = (struct filter_value){.text = ""};
        list_read_item(&item, order->key[i].field, value);
        if (order->key[i].kind == FILTER_TAGS) { /* the text is in `item` */
            json_array_append_new(order->texts, json_string(value->text));
            value->text = json_string_value(json_array_get(order->texts, json_array_size(order->texts) - 1));
        }
    }
}

/* The bytes of a text that count: whole characters. */
static size_t length(const char *text)
{
    size_t len = strnlen(text, TEXT_MOST + 1);
    if (len > TEXT_MOST)
        for (len = TEXT_MOST; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
            len--;
    return len;
}

static int compare_text(const char *a, const char *b)
{
    size_t a_len = length(a), b_len = length(b);
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* What is missing comes first. */
static int compare_value(enum filter_kind kind, const struct filter_value *a, const struct filter_value *b)
{
    switch (kind) {
    case FILTER_VERSION:
        return a->version.count && b->version.count ? version_compare(&a->version, &b->version)
                                                    : (a->version.count > 0) - (b->version.count > 0);
    case FILTER_TEXT:
    case FILTER_TAGS:
        return compare_text(a->text, b->text);
    case FILTER_TIME:
    case FILTER_NUMBER:
    case FILTER_FLAG:
        break;
    }
    return a->is_none || b->is_none ? b->is_none - a->is_none
                                    : (a->number > b->number) - (a->number < b->number);
}

static int compare(const void *first, const void *second)
{
    const struct entry *a = first, *b = second;
    const struct order *order = a->order;
    for (unsigned i = 0; i < order->count; i++) {
        int result = compare_value(order->key[i].kind, &a->value[i], &b->value[i]);
        if (result)
            return order->key[i].downwards ? -result : result;
    }
    return 0;
}

/* The text of the cursor: ["-version id",VALUE,VALUE]. */
static void write_cursor(const struct list_query *query, const struct entry *entry,
                         char out[LIST_CURSOR_SIZE])
{
    const struct order *order = entry->order;
    json_t *cursor = json_pack("[s]", order->text);
    for (unsigned i = 0; i < order->count; i++) {
        const char *name = query->kind->language->fields[order->key[i].field].name;
        json_t *value = json_object_get(entry->json, name);
        const char *text = json_string_value(value);
        json_array_append_new(cursor, text                    ? json_stringn(text, length(text))
                                      : json_is_object(value) ? json_true()
                                      : value                 ? json_incref(value)
                                                              : json_null());
    }
    size_t len = json_dumpb(cursor, out, LIST_CURSOR_SIZE - 1, JSON_COMPACT);
    out[len < LIST_CURSOR_SIZE ? len : 0] = '\0';
    json_decref(cursor);
}

/* The cursor as an entry to compare with; entry->json is owned by the caller. */
static bool read_cursor(const struct list_query *query, struct entry *entry, struct error *err)
{
    const struct order *order = entry->order;
    _cleanup_(cleanup_json) json_t *cursor = json_loads(query->after, 0, NULL);
    const char *text = json_string_value(json_array_get(cursor, 0));
    if (!text || strcmp(text, order->text) != 0 || json_array_size(cursor) != order->count + 1)
        return list_refuse_after(err);
    entry->json = json_object();
    for (unsigned i = 0; i < order->count; i++)
        json_object_set(entry->json, query->kind->language->fields[order->key[i].field].name,
                        json_array_get(cursor, i + 1));
    read_values(query->kind, entry);
    return true;
}

/* The items that q selects, with the values that they are sorted by. */
static size_t collect(const struct list_query *query, const struct order *order, const json_t *items,
                      struct entry *entries)
{
    size_t i, count = 0;
    json_t *item;
    json_array_foreach (items, i, item)
        if (list_selects(query, item)) {
            entries[count] = (struct entry){.order = order, .json = item};
            read_values(query->kind, &entries[count++]);
        }
    qsort(entries, count, sizeof *entries, compare);
    return count;
}

static bool answer_page(const struct list_query *query, const struct order *order,
                        const struct entry *entries, size_t count, struct error *err)
{
    struct entry cursor = {.order = order};
    char after[LIST_CURSOR_SIZE];
    size_t begin = 0;
    if (query->after[0]) {
        if (!read_cursor(query, &cursor, err))
            return false;
        while (begin < count && compare(&entries[begin], &cursor) <= 0)
            begin++;
        json_decref(cursor.json);
    }
    size_t end = query->limit && query->limit < count - begin ? begin + query->limit : count;
    json_t *page = json_array();
    for (size_t i = begin; i < end; i++)
        json_array_append(page, entries[i].json);
    call_answer_items(query->call, page);
    list_total(query, (int64_t)count);
    if (end < count) {
        write_cursor(query, &entries[end - 1], after);
        list_link(query, after);
    }
    return true;
}

bool list_answer(struct admin_call *call, const struct list_kind *kind, json_t *items, struct error *err)
{
    _cleanup_(cleanup_json) json_t *all = items;
    _cleanup_(cleanup_free) struct entry *entries = calloc(json_array_size(items) + 1, sizeof *entries);
    struct list_query query;
    struct order order = {.texts = NULL};
    if (!entries)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool ok = list_read(call, kind, &query, err) && make_order(&query, &order, err) &&
              answer_page(&query, &order, entries, collect(&query, &order, all, entries), err);
    json_decref(order.texts);
    return ok;
}
