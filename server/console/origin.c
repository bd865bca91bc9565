/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/origin.h"

#include <string.h>
#include <strings.h>

static struct slice skip_blanks(struct slice text)
{
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = (struct slice){text.ptr + 1, text.len - 1};
    return text;
}

bool origin_cookie(const struct request *request, struct slice *ret)
{
    static const char name[] = SESSION_COOKIE "=";
    struct slice rest, part;
    if (!request_header(request, "Cookie", &rest))
        return false;
    while (slice_split(&rest, ';', &part)) {
        part = skip_blanks(part);
        if (!slice_starts(part, name))
            continue;
        *ret = (struct slice){part.ptr + sizeof name - 1, part.len - (sizeof name - 1)};
        return true;
    }
    return false;
}

/* Whether `origin` is http:// or https:// and the host. */
static bool names_host(struct slice origin, struct slice host)
{
    static const char *const scheme[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++) {
        size_t len = strlen(scheme[i]);
        if (slice_starts(origin, scheme[i]) && origin.len - len == host.len && host.len > 0 &&
            strncasecmp(origin.ptr + len, host.ptr, host.len) == 0)
            return true;
    }
    return false;
}

bool origin_check_site(const struct request *request, struct error *err)
{
    struct slice site, origin, host;
    bool same = true;
    if (request_header(request, "Sec-Fetch-Site", &site))
        same = slice_is(site, "same-origin");
    else if (request_header(request, "Origin", &origin))
        same = request_header(request, "Host", &host) && names_host(origin, host);
    return same || error_set(err, ERROR_FORBIDDEN,
                             "a page of another site sent this request; use the console, or a token");
}

bool origin_check_change(const struct request *request, struct error *err)
{
    struct slice value;
    if (!request_header(request, "X-Dfota-Console", &value) || !slice_is(value, "1"))
        return error_set(err, ERROR_FORBIDDEN,
                         "with the session of a browser, a change needs the header X-Dfota-Console: 1");
    return origin_check_site(request, err);
}

bool origin_is_secure(const struct request *request)
{
    struct slice origin;
    return request_header(request, "Origin", &origin) && slice_starts(origin, "https://");
}
