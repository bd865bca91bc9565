/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/idempotency.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/call.h"
#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "server/http/router.h"

#define HEADER "Idempotency-Key"

/* The calls that run, so that a repeated call does not overtake the first one. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct idempotency *running;

/* POST calls that create nothing, or whose answer must not be kept. Uploads and calls without a token take no key
   either. */
static const char *const without_key[] = {
    "/api/v1/session/once",  "/api/v1/webhooks/{}/test", "/api/v1/backup",
    "/api/v1/backup/result", "/api/v1/ledger/prune", /* many transactions */
};

static bool takes_key(const struct request *request)
{
    const struct route *route = request->route;
    if (!slice_is(request->method, "POST") || route->stream || (route->flags & ROUTE_OPEN))
        return false;
    for (size_t i = 0; i < sizeof without_key / sizeof *without_key; i++)
        if (strcmp(route->pattern, without_key[i]) == 0)
            return false;
    return true;
}

bool idempotency_check_none(const struct request *request, struct error *err)
{
    struct slice value;
    return !request_header(request, HEADER, &value) ||
           error_set(err, ERROR_BAD_REQUEST, "this call takes no " HEADER ": nothing was changed");
}

static bool read_key(const struct request *request, struct slice value, char out[IDEMPOTENCY_KEY_SIZE],
                     struct error *err)
{
    struct slice second;
    bool ok = !request_header_at(request, HEADER, 1, &second) && value.len &&
              slice_copy(value, out, IDEMPOTENCY_KEY_SIZE);
    for (size_t i = 0; ok && i < value.len; i++)
        ok = value.ptr[i] > ' ' && value.ptr[i] <= '~';
    return ok || error_set(err, ERROR_BAD_REQUEST,
                           HEADER " must be 1 to %d visible ASCII characters without blanks, and sent once",
                           IDEMPOTENCY_KEY_SIZE - 1);
}

static void add_part(struct sha256_state *state, struct slice part)
{
    uint64_t len = part.len; /* so that no two requests have the same bytes */
    sha256_add(state, &len, sizeof len);
    if (part.len)
        sha256_add(state, part.ptr, part.len);
}

static void make_fingerprint(const struct request *request, char out[SHA256_HEX_SIZE])
{
    struct sha256_state *state = sha256_begin();
    struct sha256 hash;
    add_part(state, request->method);
    add_part(state, request->path);
    add_part(state, request->query);
    add_part(state, request->body);
    sha256_end(state, &hash);
    sha256_hex(&hash, out);
}

static bool refuse_reuse(struct error *err)
{
    return error_set(err, ERROR_IDEMPOTENCY_KEY_REUSED,
                     "this " HEADER
                     " was sent with another call (method, path, query and body must be the same): "
                     "nothing was changed");
}

/* False: a call with this key runs. */
static bool claim(struct idempotency *mine, struct error *err)
{
    bool ok = true;
    pthread_mutex_lock(&mutex);
    for (const struct idempotency *other = running; other && ok; other = other->next) {
        if (other->token_id != mine->token_id || strcmp(other->key, mine->key) != 0)
            continue;
        ok = strcmp(other->fingerprint, mine->fingerprint) == 0
                 ? error_set(err, ERROR_IDEMPOTENCY_IN_PROGRESS,
                             "the first call with this " HEADER " still runs: send it again in a moment")
                 : refuse_reuse(err);
    }
    if (ok) {
        mine->is_claimed = true;
        mine->next = running;
        running = mine;
    }
    pthread_mutex_unlock(&mutex);
    return ok;
}

static void release(struct idempotency *mine)
{
    pthread_mutex_lock(&mutex);
    struct idempotency **at = &running;
    while (*at != mine)
        at = &(*at)->next;
    *at = mine->next;
    pthread_mutex_unlock(&mutex);
    mine->is_claimed = false;
}

/* ---- The answer as it is stored: status, type and headers, one a line; an empty line; the body ---- */

static const char *const types[] = {"application/json", "text/csv; charset=utf-8", "text/plain"};
static const char *const headers[] = {"Cache-Control", "ETag", "Location"};

/* The same text with static storage; NULL: the text is not in the list. */
static const char *find_text(const char *const list[], size_t count, struct slice text)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(text, list[i]))
            return list[i];
    return NULL;
}

#define FIND(list, text) find_text(list, sizeof(list) / sizeof *(list), text)

static bool add_line(struct buffer *out, const char *name, const char *value, struct error *err)
{
    return buffer_add(out, name, strlen(name), err) && buffer_add(out, value, strlen(value), err) &&
           buffer_add(out, "\n", 1, err);
}

static bool write_answer(const struct reply *reply, struct buffer *out, struct error *err)
{
    char status[16];
    const char *type = reply->content_type ? reply->content_type : "";
    snprintf(status, sizeof status, "%d", reply->status);
    if (reply->fd >= 0 || (type[0] && !FIND(types, slice_of(type))))
        return error_set(err, ERROR_INTERNAL, "the answer is not of a type that is stored");
    if (reply->size > IDEMPOTENCY_BYTES_MAX / 2)
        return error_set(err, ERROR_TOO_LARGE, "the answer has more than %d bytes",
                         IDEMPOTENCY_BYTES_MAX / 2);
    if (!add_line(out, status, "", err) || !add_line(out, type, "", err))
        return false;
    for (unsigned i = 0; i < reply->header_count; i++)
        if (FIND(headers, slice_of(reply->header[i].name)) &&
            (!add_line(out, reply->header[i].name, ":", err) ||
             !add_line(out, reply->header[i].value, "", err)))
            return false;
    return add_line(out, "", "", err) && (!reply->size || buffer_add(out, reply->bytes, reply->size, err));
}

static bool take_line(struct slice *rest, struct slice *ret)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!end)
        return false;
    *ret = (struct slice){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = (struct slice){end + 1, rest->len - ret->len - 1};
    return true;
}

/* Header lines come in pairs: the name with a colon, then the value. */
static bool read_headers(struct slice *rest, struct reply *reply)
{
    struct slice name, value;
    while (take_line(rest, &name)) {
        if (!name.len)
            return true;
        const char *known = FIND(headers, ((struct slice){name.ptr, name.len - 1}));
        if (!known || !take_line(rest, &value))
            return false;
        reply_header(reply, known, "%.*s", (int)value.len, value.ptr);
    }
    return false;
}

static bool read_answer(struct slice answer, struct reply *reply, struct error *err)
{
    struct slice rest = answer, status, type;
    uint64_t number;
    if (!take_line(&rest, &status) || !slice_u64(status, &number) || number < 200 || number > 299 ||
        !take_line(&rest, &type) || (type.len && !FIND(types, type)))
        return error_set(err, ERROR_CORRUPT, "the stored answer is damaged");
    reply_init(reply, (int)number);
    if (!read_headers(&rest, reply))
        return error_set(err, ERROR_CORRUPT, "the stored answer is damaged");
    if (!type.len)
        return true;
    void *body = malloc(rest.len + 1);
    if (!body)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    memcpy(body, rest.ptr, rest.len);
    reply->content_type = FIND(types, type);
    reply->bytes = reply->release_cls = body;
    reply->size = rest.len;
    reply->release = free;
    return true;
}

/* ---- The call ---- */

static struct idempotency_call row_of(const struct idempotency *mine)
{
    return (struct idempotency_call){mine->token_id, mine->key, mine->fingerprint};
}

static void free_answer(struct idempotency_found *found)
{
    if (found->answer.ptr)
        explicit_bzero((char *)found->answer.ptr, found->answer.len);
    free((char *)found->answer.ptr);
}

static bool replay(struct admin_call *call, struct error *err)
{
    struct idempotency *mine = &call->idempotency;
    const struct idempotency_call row = row_of(mine);
    _cleanup_(free_answer) struct idempotency_found first = {.is_same = false};
    bool found;
    if (!idempotency_find(call->db, &row, clock_utc_ms(), &first, &found, err))
        return false;
    if (!found)
        return true;
    if (!first.is_same)
        return refuse_reuse(err);
    if (!first.has_answer)
        return error_set(err, ERROR_IDEMPOTENCY_ANSWER_LOST,
                         "the first call with this " HEADER
                         " was carried out, and its answer is not known: look "
                         "at what is there before you send it with another key");
    if (!first.answer.ptr)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!read_answer(first.answer, &call->reply, err))
        return false;
    reply_header(&call->reply, "Idempotency-Replayed", "true");
    mine->is_replayed = true;
    return true;
}

bool idempotency_begin(struct admin_call *call, struct error *err)
{
    struct idempotency *mine = &call->idempotency;
    struct slice value;
    if (!request_header(call->request, HEADER, &value))
        return true;
    if (!takes_key(call->request))
        return idempotency_check_none(call->request, err);
    if (!read_key(call->request, value, mine->key, err))
        return false;
    mine->token_id = call->request->actor.token_id;
    make_fingerprint(call->request, mine->fingerprint);
    return claim(mine, err) && replay(call, err);
}

bool idempotency_note(struct admin_call *call, struct db *db, struct error *err)
{
    struct idempotency *mine = &call->idempotency;
    const struct idempotency_call row = row_of(mine);
    if (!mine->is_claimed || mine->row || mine->goes_on)
        return true;
    return idempotency_add(db, &row, clock_utc_ms(), &mine->row, err);
}

struct storing {
    struct admin_call *call;
    struct buffer answer;
};

static bool store(void *cls, struct db *db, struct error *err)
{
    struct storing *storing = cls;
    storing->call->idempotency.goes_on = false;
    /* A call that changed nothing has no row yet. */
    return idempotency_note(storing->call, db, err) &&
           idempotency_answer(db, storing->call->idempotency.row,
                              (struct slice){(const char *)storing->answer.ptr, storing->answer.len}, err);
}

static void keep_answer(struct admin_call *call)
{
    struct storing storing = {.call = call};
    struct error err;
    stop_point("idempotency-answer");
    if (!write_answer(&call->reply, &storing.answer, &err) ||
        !writer_call(call->daemon->writer, store, &storing, &err))
        log_line(LOG_LEVEL_WARN, "idempotency-answer-lost", "error", err.text, NULL);
    if (storing.answer.ptr)
        explicit_bzero(storing.answer.ptr, storing.answer.len);
    buffer_free(&storing.answer);
}

void idempotency_end(struct admin_call *call, bool ok)
{
    struct idempotency *mine = &call->idempotency;
    if (!mine->is_claimed)
        return;
    if (ok && !mine->is_replayed && call->reply.status < 300)
        keep_answer(call);
    release(mine);
}
