/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/parameters.h"

#include <stdio.h>

#include "server/http/router.h"

/* The place of the name in the list, from 0; if it is not there, the place after the last one. */
static bool find(const char *names, struct slice name, unsigned *ret)
{
    struct slice rest = slice_of(names), one;
    for (*ret = 0; slice_split(&rest, ' ', &one); ++*ret)
        if (name.len && slice_equal(one, name))
            return true;
    return false;
}

/* "after, limit, by" */
static void tell(const char *names, bool changes, char *out, size_t out_size)
{
    struct slice rest = slice_of(names), one;
    size_t used = 0;
    out[0] = '\0';
    while (slice_split(&rest, ' ', &one))
        if (one.len && used < out_size)
            used += (size_t)snprintf(out + used, out_size - used, "%s%.*s", used ? ", " : "", (int)one.len,
                                     one.ptr);
    if (changes && used < out_size)
        snprintf(out + used, out_size - used, "%sby", used ? ", " : "");
}

static bool refuse(struct slice name, const char *what, const char *names, bool changes, struct error *err)
{
    char taken[256];
    tell(names, changes, taken, sizeof taken);
    return error_set(err, ERROR_BAD_REQUEST, "the parameter '%.*s' %s; this call takes %s%s",
                     name.len < 40 ? (int)name.len : 40, name.ptr, what, taken[0] ? "the parameters " : "",
                     taken[0] ? taken : "no parameters");
}

static bool check_names(const struct request *request, const char *names, bool changes, struct error *err)
{
    struct slice query = request->query, pair, name;
    uint64_t seen = 0; /* a bit for each place */
    while (slice_split(&query, '&', &pair)) {
        unsigned place;
        if (!pair.len || !slice_split(&pair, '=', &name))
            continue;
        if (!find(names, name, &place) && !(changes && slice_is(name, "by")))
            return refuse(name, "is not known", names, changes, err);
        if (seen >> place & 1)
            return refuse(name, "is given twice", names, changes, err);
        seen |= (uint64_t)1 << place;
    }
    return true;
}

bool parameters_check(const struct request *request, const char *names, struct error *err)
{
    const struct route *route = request->route;
    bool changes = strcmp(route->method, "GET") != 0;
    if (!check_names(request, names, changes, err))
        return false;
    return route->body_limit || route->stream || request->body_length == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "this call takes no body%s",
                     changes ? ": nothing was changed" : "");
}
