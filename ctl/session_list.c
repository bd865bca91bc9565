/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists of the server: --filter, --sort and --limit for all commands, and their pages. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/session.h"

#define PAGE_MAX 1000 /* items */

/* Handles one page; *path, owned by the caller, is replaced by the path of the next page, or NULL. */
static bool walk_page(struct session *session, char **path, session_page *handle, void *cls,
                      struct failure *fail)
{
    struct client_answer answer = {0};
    /* The first page is quick: the progress is that of a long list. */
    struct client_call call = {
        .method = "GET", .path = *path, .label = strstr(*path, "after=") ? "list" : NULL};
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    const json_t *items = json_object_get(answer.json, "items");
    bool ok = true;
    if (!json_is_array(items))
        ok = failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
    else if (answer.next && strcmp(answer.next, *path) == 0)
        ok = failure_set(fail, EXIT_UNREACHABLE, "the list from the server does not end");
    ok = ok && handle(cls, answer.json, fail);
    free(*path);
    *path = answer.next;
    answer.next = NULL;
    client_answer_clear(&answer);
    return ok;
}

bool session_walk(struct session *session, const char *path, session_page *handle, void *cls,
                  struct failure *fail)
{
    _cleanup_(cleanup_free) char *next = strdup(path);
    bool ok = next || failure_set(fail, EXIT_USAGE, "out of memory");
    while (ok && next)
        ok = walk_page(session, &next, handle, cls, fail);
    return ok;
}

bool session_add_condition(struct session *session, struct failure *fail, const char *format, ...)
{
    size_t used = strlen(session->condition);
    if (used)
        used += (size_t)snprintf(session->condition + used, sizeof session->condition - used, " and ");
    va_list args;
    va_start(args, format);
    int len = used < sizeof session->condition
                  ? vsnprintf(session->condition + used, sizeof session->condition - used, format, args)
                  : -1;
    va_end(args);
    return (len >= 0 && (size_t)len < sizeof session->condition - used) ||
           failure_set(fail, EXIT_USAGE, "the filter is too long");
}

/* --filter and the condition of the command. */
static bool add_filter(const struct session *session, struct client_path *path, struct failure *fail)
{
    const char *filter = session->options->filter, *condition = session->condition;
    char both[1024];
    if (!filter || !filter[0])
        return !condition[0] || client_path_query(path, "q", condition, fail);
    if (!condition[0])
        return client_path_query(path, "q", filter, fail);
    int len = snprintf(both, sizeof both, "(%s) and %s", filter, condition);
    return (len < (int)sizeof both || failure_set(fail, EXIT_USAGE, "the filter is too long")) &&
           client_path_query(path, "q", both, fail);
}

struct fetch {
    json_t *first; /* the first answer, which gets the items of the others; NULL at first */
    uint64_t most; /* items; 0: all */
    bool full;
};

static bool add_page(void *cls, const json_t *answer, struct failure *fail)
{
    struct fetch *fetch = cls;
    if (!fetch->first)
        fetch->first = json_deep_copy(answer);
    else if (json_array_extend(json_object_get(fetch->first, "items"), json_object_get(answer, "items")) != 0)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    if (!fetch->first)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    json_t *items = json_object_get(fetch->first, "items");
    fetch->full = fetch->most && json_array_size(items) >= fetch->most;
    while (fetch->most && json_array_size(items) > fetch->most)
        json_array_remove(items, json_array_size(items) - 1);
    return true;
}

static bool begin_list(const struct session *session, const char *path, struct client_path *ret,
                       struct failure *fail)
{
    const struct ctl_options *options = session->options;
    char limit[24];
    uint64_t most = options->limit && options->limit < PAGE_MAX ? options->limit : PAGE_MAX;
    *ret = (struct client_path){.len = strlen(path)};
    if (ret->len >= sizeof ret->text)
        return failure_set(fail, EXIT_USAGE, "the path is too long");
    memcpy(ret->text, path, ret->len + 1);
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)most);
    return add_filter(session, ret, fail) &&
           (!options->sort || client_path_query(ret, "sort", options->sort, fail)) &&
           client_path_query(ret, "limit", limit, fail);
}

bool session_fetch_pages(struct session *session, const char *path, json_t **ret, struct failure *fail)
{
    struct fetch fetch = {.most = session->options->limit};
    struct client_path begin;
    if (!begin_list(session, path, &begin, fail))
        return false;
    _cleanup_(cleanup_free) char *next = strdup(begin.text);
    bool ok = next || failure_set(fail, EXIT_USAGE, "out of memory");
    while (ok && next && !fetch.full)
        ok = walk_page(session, &next, add_page, &fetch, fail);
    session->condition[0] = '\0';
    if (!ok)
        json_decref(fetch.first);
    else
        *ret = fetch.first;
    return ok;
}

bool session_list(struct session *session, const char *path, const struct table_view *view,
                  struct failure *fail)
{
    json_t *answer = NULL;
    if (!session_fetch_pages(session, path, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, view, fail);
    json_decref(answer);
    return ok;
}
