/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/request.h"

static bool decode(struct slice raw, const char *what, char *out, size_t out_size, struct error *err)
{
    size_t len;
    if (slice_percent_decode(raw, out, out_size, &len) && slice_is_clean_utf8((struct slice){out, len}))
        return true;
    if (out_size)
        out[0] = '\0';
    return error_set(err, ERROR_BAD_NAME,
                     "%s is malformed: percent-encoded UTF-8 without control characters, at most %zu bytes",
                     what, out_size ? out_size - 1 : 0);
}

bool query_raw(struct slice query, const char *name, struct slice *ret)
{
    struct slice pair;
    while (slice_split(&query, '&', &pair)) {
        struct slice value = pair, key;
        if (!slice_split(&value, '=', &key) || !slice_is(key, name))
            continue;
        *ret = value;
        return true;
    }
    *ret = (struct slice){"", 0};
    return false;
}

bool query_find(struct slice query, const char *name, char *out, size_t out_size, bool *ret_found,
                struct error *err)
{
    struct slice value;
    *ret_found = query_raw(query, name, &value);
    out[0] = '\0';
    return !*ret_found || decode(value, name, out, out_size, err);
}

bool request_query(const struct request *request, const char *name, char *out, size_t out_size,
                   bool *ret_found, struct error *err)
{
    return query_find(request->query, name, out, out_size, ret_found, err);
}

bool request_param(const struct request *request, unsigned index, char *out, size_t out_size,
                   struct error *err)
{
    return decode(request->param[index], "a part of the path", out, out_size, err);
}
