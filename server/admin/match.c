/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/match.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "server/access/signing_key.h"
#include "server/admin/call.h"
#include "server/admin/match_resource.h"

#define SIGNED_AS "dfota-entity-tag"

/* ---- the headers ---- */

struct tag {
    struct slice text; /* without its quotes; of "*" the star */
    bool is_weak, is_any;
};

static struct slice after(struct slice text, size_t count)
{
    return (struct slice){text.ptr + count, text.len - count};
}

/* Takes the next tag from a list. False: the list is at its end, or *ret_malformed. */
static bool next_tag(struct slice *rest, struct tag *ret, bool *ret_malformed)
{
    while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t' || rest->ptr[0] == ','))
        *rest = after(*rest, 1);
    if (!rest->len)
        return false;
    *ret = (struct tag){.is_any = rest->ptr[0] == '*', .is_weak = slice_starts(*rest, "W/")};
    if (ret->is_any) {
        ret->text = (struct slice){rest->ptr, 1};
        *rest = after(*rest, 1);
        return true;
    }
    struct slice quoted = ret->is_weak ? after(*rest, 2) : *rest;
    const char *end =
        quoted.len > 1 && quoted.ptr[0] == '"' ? memchr(quoted.ptr + 1, '"', quoted.len - 1) : NULL;
    *ret_malformed = !end;
    if (!end)
        return false;
    ret->text = (struct slice){quoted.ptr + 1, (size_t)(end - quoted.ptr) - 1};
    *rest = after(quoted, ret->text.len + 2);
    return true;
}

/* For If-Match a weak tag is never the same. Only the part before the first - is compared. */
static bool names_state(const struct tag *tag, const char *state)
{
    struct slice rest = tag->text, part;
    return tag->is_any || (!tag->is_weak && slice_split(&rest, '-', &part) && slice_is(part, state));
}

static bool has_header(const struct request *request, const char *name)
{
    struct slice ignored;
    return request_header(request, name, &ignored);
}

static bool fail(const struct match_resource *resource, bool only_weak, struct error *err)
{
    if (only_weak)
        return error_set(err, ERROR_PRECONDITION_FAILED,
                         "If-Match has only weak tags, which never match: take W/ away; nothing was changed");
    return error_set(err, ERROR_PRECONDITION_FAILED,
                     "%s was changed since it was read: read it again, and decide again; nothing was changed",
                     resource->name);
}

/* `state`: S of now. */
static bool check(const struct admin_call *call, const char *state, struct error *err)
{
    bool malformed = false, only_weak = true;
    unsigned tags = 0;
    struct slice line;
    struct tag tag;
    if (!has_header(call->request, "If-Match"))
        return true;
    for (unsigned i = 0; request_header_at(call->request, "If-Match", i, &line); i++)
        while (next_tag(&line, &tag, &malformed)) {
            if (names_state(&tag, state))
                return true;
            only_weak = only_weak && tag.is_weak;
            tags++;
        }
    if (!tags || malformed)
        return error_set(err, ERROR_BAD_REQUEST,
                         "If-Match is * or a list of tags in double quotes, as the header ETag has them");
    return fail(call->match.resource, only_weak, err);
}

/* ---- S ---- */

/* Signed before it is hashed: nobody without the key can find out by trial what a webhook has as its secret. */
static bool write_state(const struct admin_call *call, const json_t *json, char out[MATCH_SIZE],
                        struct error *err)
{
    _cleanup_(cleanup_free) char *text = json_dumps(json, JSON_COMPACT);
    struct signature signature;
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    if (!text || !signature_make(call->daemon->signing_key->key, SIGNED_AS, slice_of(text), &signature))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    explicit_bzero(text, strlen(text));
    sha256_of(signature.byte, sizeof signature.byte, &hash);
    sha256_hex(&hash, hex);
    memcpy(out, hex, MATCH_SIZE - 1);
    out[MATCH_SIZE - 1] = '\0';
    return true;
}

static bool load_state(struct admin_call *call, struct db *db, struct error *err)
{
    struct match *match = &call->match;
    _cleanup_(cleanup_json) json_t *json = NULL;
    match->state[0] = '\0';
    return match->resource->load(call->request, db, &match->id, &json, err) &&
           (!json || write_state(call, json, match->state, err));
}

bool match_change(void *cls, struct db *db, struct error *err)
{
    const struct match_change *step = cls;
    struct admin_call *call = step->call;
    struct error ignored;
    if (!call->match.takes_if_match)
        return step->change(step->cls, db, err);
    if (has_header(call->request, "If-Match")) {
        call->match.id = 0; /* the path may name another one by now */
        if (!load_state(call, db, err) || !check(call, call->match.state, err))
            return false;
    }
    if (!step->change(step->cls, db, err))
        return false;
    (void)!load_state(call, db, &ignored); /* without its tag the answer is still right */
    return true;
}

/* ---- a call ---- */

static bool refuse_headers(const struct admin_call *call, struct error *err)
{
    const struct request *request = call->request;
    bool reads = slice_is(request->method, "GET") || slice_is(request->method, "HEAD");
    if (!call->match.takes_if_match && has_header(request, "If-Match"))
        return error_set(err, ERROR_BAD_REQUEST, "this call does not take If-Match: nothing was changed");
    return reads || !has_header(request, "If-None-Match") ||
           error_set(err, ERROR_BAD_REQUEST, "If-None-Match is for GET and HEAD: nothing was changed");
}

bool match_begin(struct admin_call *call, struct error *err)
{
    struct match *match = &call->match;
    struct error ignored;
    if (call->request->route)
        match->resource =
            match_resource_find(call->request->route, &match->takes_if_match, &match->answers_resource);
    if (!refuse_headers(call, err))
        return false;
    if (!match->resource)
        return true;
    if (has_header(call->request, "If-Match"))
        return load_state(call, call->db, err) && check(call, match->state, err);
    (void)!load_state(call, call->db, &ignored); /* the handler says what is wrong */
    return true;
}

/* ---- the answer ---- */

static bool is_set(const struct reply *reply, const char *name, const char *part)
{
    for (unsigned i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->header[i].name, name) == 0)
            return strstr(reply->header[i].value, part) != NULL;
    return false;
}

static bool is_known(const struct request *request, const char *tag_text)
{
    bool malformed = false;
    struct slice line;
    struct tag tag;
    for (unsigned i = 0; request_header_at(request, "If-None-Match", i, &line); i++)
        while (next_tag(&line, &tag, &malformed))
            if (tag.is_any || slice_is(tag.text, tag_text))
                return true;
    return false;
}

void match_end(struct admin_call *call)
{
    struct reply *reply = &call->reply;
    const struct match *match = &call->match;
    bool reads = call->request->route && strcmp(call->request->route->method, "GET") == 0;
    bool has_state = match->answers_resource && match->state[0];
    char hex[SHA256_HEX_SIZE], tag[2 * MATCH_SIZE];
    struct sha256 hash;
    if (reply->status != 200 || !reply->content_type ||
        strcmp(reply->content_type, "application/json") != 0 || reply->fd >= 0 || is_set(reply, "ETag", "") ||
        is_set(reply, "Cache-Control", "no-store") || (!reads && !has_state))
        return;
    sha256_of(reply->bytes, (size_t)reply->size, &hash);
    sha256_hex(&hash, hex);
    snprintf(tag, sizeof tag, "%s%s%.*s", has_state ? match->state : "", has_state ? "-" : "", MATCH_SIZE - 1,
             hex);
    reply_header(reply, "ETag", "\"%s\"", tag);
    if (!is_set(reply, "Cache-Control", ""))
        reply_header(reply, "Cache-Control", "private, no-cache");
    if (reads && is_known(call->request, tag))
        reply->status = 304; /* of the body only its size is used */
}
