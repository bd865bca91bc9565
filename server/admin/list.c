/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/list.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/client.h"

void list_read_item(const void *subject, unsigned field, struct filter_value *ret)
{
    struct list_item *item = (struct list_item *)(uintptr_t)subject;
    const struct filter_field *wanted = &item->kind->language->fields[field];
    const json_t *value = json_object_get(item->json, wanted->name), *one;
    size_t i, used = 0;
    switch (wanted->kind) {
    case FILTER_VERSION:
        if (!json_is_string(value) || !version_parse(slice_of(json_string_value(value)), &ret->version))
            ret->version.count = 0;
        break;
    case FILTER_TAGS:
        item->tags[0] = '\0';
        json_array_foreach (value, i, one)
            if (json_is_string(one) && used < sizeof item->tags)
                used += (size_t)snprintf(item->tags + used, sizeof item->tags - used, "%s%s", used ? " " : "",
                                         json_string_value(one));
        ret->text = item->tags;
        break;
    case FILTER_TEXT:
        ret->text = json_is_string(value) ? json_string_value(value) : "";
        break;
    case FILTER_TIME:
    case FILTER_NUMBER:
        ret->number = json_integer_value(value);
        ret->is_none = !json_is_integer(value);
        break;
    case FILTER_FLAG:
        ret->number = json_is_true(value) || json_is_object(value);
        break;
    }
}

/* Reading the parameters */

static bool has_word(const char *words, const char *word)
{
    struct slice rest = slice_of(words), one;
    while (slice_split(&rest, ' ', &one))
        if (word[0] && slice_is(one, word))
            return true;
    return false;
}

static bool is_field(const struct filter_language *language, const char *name)
{
    for (unsigned i = 0; i < language->count; i++)
        if (strcmp(language->fields[i].name, name) == 0)
            return true;
    return false;
}

static bool refuse_sort(const struct list_kind *kind, struct error *err)
{
    char names[400] = "";
    size_t used = 0;
    struct slice rest = slice_of(kind->sorts ? kind->sorts : ""), one;
    for (unsigned i = 0; !kind->sorts && i < kind->language->count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 kind->language->fields[i].name);
    while (kind->sorts && slice_split(&rest, ' ', &one) && used < sizeof names)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", used ? " or " : "",
                                 (int)one.len, one.ptr);
    return error_set(err, ERROR_BAD_REQUEST, "sort takes %s%s",
                     kind->sorts ? "" : "a field, with - before it for downwards: ", names);
}

static bool read_sort(struct list_query *query, struct error *err)
{
    const struct list_kind *kind = query->kind;
    bool found;
    if (!request_query(query->call->request, "sort", query->sort, sizeof query->sort, &found, err))
        return false;
    query->downwards = query->sort[0] == '-';
    return !found ||
           (kind->sorts ? has_word(kind->sorts, query->sort)
                        : is_field(kind->language, query->sort + query->downwards)) ||
           refuse_sort(kind, err);
}

bool list_read(struct admin_call *call, const struct list_kind *kind, struct list_query *ret,
               struct error *err)
{
    const struct request *request = call->request;
    char text[FILTER_TEXT_MAX + 1];
    bool found;
    memset(ret, 0, sizeof *ret);
    ret->call = call;
    ret->kind = kind;
    ret->now_ms = clock_utc_ms();
    if (!call_query_number(request, "limit", 1, LIST_PAGE_MAX, &ret->limit, err) ||
        !request_query(request, "after", ret->after, sizeof ret->after, &found, err) ||
        !read_sort(ret, err) || !request_query(request, "q", text, sizeof text, &found, err))
        return false;
    if (filter_parse(slice_of(text), kind->language, &ret->filter, err))
        return true;
    err->code = ERROR_BAD_REQUEST; /* in a query a wrong filter is 400 */
    return false;
}

bool list_refuse_after(struct error *err)
{
    return error_set(err, ERROR_BAD_REQUEST, "after is not the cursor of a page of this list");
}

bool list_read_after(const struct list_query *query, int64_t *ret, struct error *err)
{
    uint64_t number;
    if (!query->after[0])
        return true;
    if (!slice_u64(slice_of(query->after), &number) || number > INT64_MAX)
        return list_refuse_after(err);
    *ret = (int64_t)number;
    return true;
}

bool list_selects(const struct list_query *query, const json_t *item)
{
    struct list_item subject = {.kind = query->kind, .json = item};
    return filter_selects(&query->filter, &subject, query->now_ms);
}

/* The headers */

/* Adds a part of the request's target. What cannot be in a header, or would end the URL there, is percent-encoded. */
static size_t add_part(char *to, struct slice part)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];
        if (c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '"') {
            to[used++] = (char)c;
            continue;
        }
        to[used++] = '%';
        to[used++] = digits[c >> 4];
        to[used++] = digits[c & 15];
    }
    return used;
}

/* The path of the request and its parameters, without `after` and `pinned`, each with a "&" behind it. NULL: out of
   memory. */
static char *other_parameters(const struct request *request, const char *pinned)
{
    struct slice rest = request->query, pair;
    char *target = calloc(3, request->path.len + request->query.len + 2);
    if (!target)
        return NULL;
    size_t used = add_part(target, request->path);
    target[used++] = '?';
    while (slice_split(&rest, '&', &pair)) {
        struct slice value = pair, name;
        if (!pair.len || !slice_split(&value, '=', &name) || slice_is(name, "after") ||
            (pinned && slice_is(name, pinned)))
            continue;
        used += add_part(target + used, pair);
        target[used++] = '&';
    }
    return target;
}

void list_link_pinned(const struct list_query *query, const char *name, const char *value, const char *after)
{
    const struct request *request = query->call->request;
    char origin[CLIENT_ORIGIN_SIZE], cursor[3 * LIST_CURSOR_SIZE], pinned[256] = "";
    _cleanup_(cleanup_free) char *target = other_parameters(request, name);
    if (!target || !slice_percent_encode(slice_of(after), cursor, sizeof cursor))
        return;
    if (name)
        snprintf(pinned, sizeof pinned, "%s=%s&", name, value);
    client_origin(request, origin);
    reply_header(&query->call->reply, "Link", "<%s%s%safter=%s>; rel=\"next\"", origin, target, pinned,
                 cursor);
}

void list_link(const struct list_query *query, const char *after)
{
    list_link_pinned(query, NULL, NULL, after);
}

void list_link_number(const struct list_query *query, int64_t after)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)after);
    list_link(query, text);
}

void list_total(const struct list_query *query, int64_t count)
{
    reply_header(&query->call->reply, "X-Total-Count", "%lld", (long long)count);
}
