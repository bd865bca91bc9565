/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists of the admin API: GET answers {"items":[…]} in pages, with the parameters limit, after, sort and q, and
   the headers Link and X-Total-Count.

   A short list is made whole by its handler, and list_answer() selects, sorts and cuts it. Of a long one the
   handler reads a bounded number of rows from where `after` says; it uses the same parameters and headers. */
#ifndef DFOTA_SERVER_ADMIN_LIST_H
#define DFOTA_SERVER_ADMIN_LIST_H

#include "server/admin/call.h"
#include "upgrade/filter.h"

#define LIST_PAGE_DEFAULT 100 /* items of a page of a long list */
#define LIST_PAGE_MAX     1000
#define LIST_CURSOR_SIZE  2048

struct list_kind { /* static storage */
    const struct filter_language *language;
    /* Of a short list: the fields that it is sorted by when nothing else is asked for, "-" for downwards, with a
       blank between them. The last ones tell any two items apart. */
    const char *order;
    /* Of a long list: the values that `sort` takes, with a blank between them. NULL: any field of the language. */
    const char *sorts;
};

/* For the language of items in JSON: a field is the member with its name. A flag is true for true and for an
   object, tags are an array of texts. */
void list_read_item(const void *subject, unsigned field, struct filter_value *ret);

struct list_item { /* the subject */
    const struct list_kind *kind;
    const json_t *json;
    char tags[512]; /* used by list_read_item() */
};

struct list_query { /* what the request asks for */
    struct admin_call *call;
    const struct list_kind *kind;
    uint64_t limit;               /* 0: not given */
    char after[LIST_CURSOR_SIZE]; /* "": from the beginning */
    char sort[64];                /* "": not given; else it is valid */
    bool downwards;               /* the sort begins with "-" */
    struct filter filter;
    int64_t now_ms;
};

/* ERROR_BAD_REQUEST for a wrong parameter. */
bool list_read(struct admin_call *call, const struct list_kind *kind, struct list_query *ret,
               struct error *err) __attribute__((warn_unused_result));

/* Of a long list: `after` as a number; *ret is unchanged without one. ERROR_BAD_REQUEST. */
bool list_read_after(const struct list_query *query, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));
/* ERROR_BAD_REQUEST: `after` is not of this list. Returns false. */
bool list_refuse_after(struct error *err);

/* Whether q selects the item. */
bool list_selects(const struct list_query *query, const json_t *item);

/* Names the next page in the header Link: the URL of the request with another `after`. */
void list_link(const struct list_query *query, const char *after);
/* The same with the parameter name=value, which the request did not have: all pages must be for the same value. */
void list_link_pinned(const struct list_query *query, const char *name, const char *value, const char *after);
void list_link_number(const struct list_query *query, int64_t after);

/* The header X-Total-Count: the number of items that are selected, on all pages. */
void list_total(const struct list_query *query, int64_t count);

/* Answers with a page of a short list: the items that q selects, sorted, after the cursor, at most `limit`, or all
   when no limit is given. Takes over `items`, also when it fails. ERROR_BAD_REQUEST. */
bool list_answer(struct admin_call *call, const struct list_kind *kind, json_t *items, struct error *err)
    __attribute__((warn_unused_result));

#endif
