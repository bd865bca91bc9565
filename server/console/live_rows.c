/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/live_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/access/cors.h"
#include "server/core/json_times.h"
#include "server/core/log.h"
#include "server/http/wire.h"
#include "server/ledger/row_json.h"

#define AGAIN_MS  2000                 /* after the database could not be read */
#define ROWS      256                  /* that are read at once for all streams */
#define PAGE_ROWS 64                   /* … for a stream that catches up */
#define ROWS_ROOM ((size_t)192 * 1024) /* of LIVE_BUFFER_MAX: the rest is for hints */
#define PAGE_ROOM ((size_t)64 * 1024)  /* a stream that catches up gets a page when fewer bytes wait */

static char *row_text(const struct ledger_row *row, int *ret_len)
{
    json_t *json = row_json_make(row);
    char *plain = json ? json_dumps(json, JSON_COMPACT) : NULL, *text = NULL;
    size_t len;
    char *data = plain ? json_times_add(plain, strlen(plain), &len) : NULL;
    *ret_len =
        data ? asprintf(&text, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)row->seq, row->kind, data)
             : -1;
    json_decref(json);
    free(plain);
    free(data);
    return *ret_len < 0 ? NULL : text;
}

static bool has_room(const struct live_stream *stream, size_t len)
{
    return live_stream_waiting(stream) + len <= ROWS_ROOM;
}

/* A row for the streams that have caught up. One without room for the row falls behind, and reads the row later. */
static bool add_row(struct live *live, const struct ledger_row *row)
{
    int len;
    _cleanup_(cleanup_free) char *text = row_text(row, &len);
    if (!text)
        return false;
    for (unsigned i = live->stream_count; i-- > 0;) {
        struct live_stream *stream = &live->stream[i];
        if (stream->after < live->seq || stream->after >= row->seq)
            continue;
        bool wanted = live_stream_wants(stream, row->product);
        if (wanted && (!has_room(stream, (size_t)len) || !live_stream_add(stream, text, (size_t)len)))
            continue;
        stream->after = row->seq;
        if (wanted)
            stream->told = row->seq;
    }
    live->seq = row->seq;
    return true;
}

/* A row for a stream that catches up. False: it has no room now. */
static bool catch_up_row(struct live_stream *stream, const struct ledger_row *row)
{
    int len;
    _cleanup_(cleanup_free) char *text = row_text(row, &len);
    if (!text || !has_room(stream, (size_t)len) || !live_stream_add(stream, text, (size_t)len))
        return false;
    stream->after = stream->told = row->seq;
    return true;
}

static bool read_new_rows(struct live *live, struct db *db, struct error *err)
{
    size_t count = ROWS;
    while (count == ROWS) {
        _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
        const struct ledger_filter filter = {.after = live->seq};
        if (!ledger_list(db, &filter, ROWS, &rows, &count, NULL, err))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!add_row(live, &rows[i]))
                return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    live->rows_due = false;
    return true;
}

static bool catch_up(struct live *live, struct live_stream *stream, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
    struct ledger_filter filter = {.after = stream->after};
    int64_t until;
    size_t count, i = 0;
    snprintf(filter.product, sizeof filter.product, "%s", stream->wish.product);
    if (!ledger_list(db, &filter, PAGE_ROWS, &rows, &count, &until, err))
        return false;
    while (i < count && catch_up_row(stream, &rows[i]))
        i++;
    if (i < count)
        return true;
    if (until == INT64_MAX)
        until = live->seq; /* it has all rows that were read for the others, and maybe later ones */
    if (stream->after < until)
        stream->after = until;
    return true;
}

static bool is_behind(const struct live *live, const struct live_stream *stream)
{
    return stream->after < live->seq && live_stream_waiting(stream) < PAGE_ROOM;
}

bool live_rows_anyone_behind(const struct live *live)
{
    bool any = false;
    for (unsigned i = 0; i < live->stream_count; i++)
        any |= is_behind(live, &live->stream[i]);
    return any;
}

/* One page for each stream that is behind, so that they take turns. */
static bool catch_up_all(struct live *live, struct db *db, struct error *err)
{
    for (unsigned i = 0; i < live->stream_count; i++)
        if (is_behind(live, &live->stream[i]) && !catch_up(live, &live->stream[i], db, err))
            return false;
    return true;
}

/* ---- Newcomers ---- */

static bool greet(struct live *live, struct live_stream *stream)
{
    struct reply reply;
    char first[64];
    size_t head_size;
    reply_init(&reply, 200);
    reply.content_type = LIVE_CONTENT_TYPE;
    reply_header(&reply, "Cache-Control", "no-store");
    reply_header(&reply, "X-Accel-Buffering", "no");
    if (stream->wish.varies)
        cors_add_origin(stream->wish.origin, &reply);
    _cleanup_(cleanup_free) char *head = wire_endless_head(&reply, &head_size);
    reply_free(&reply);
    /* The id is set before the first event, so that a stream that is cut before it also continues without a gap. */
    bool ahead = stream->wish.after > live->seq; /* the database is an older one than before */
    stream->after = stream->wish.after == LIVE_FROM_NOW || ahead ? live->seq : stream->wish.after;
    stream->told = stream->after;
    int len = snprintf(first, sizeof first, "retry: 2000\nid: %lld\n\n", (long long)stream->after);
    if (ahead)
        live->hints = LIVE_HINTS;
    return live_stream_add(stream, head, head_size) && live_stream_add(stream, first, (size_t)len);
}

static unsigned take_newcomers(struct live *live, struct newcomer out[LIVE_STREAMS_MAX])
{
    pthread_mutex_lock(&live->mutex);
    unsigned count = live->newcomer_count;
    memcpy(out, live->newcomer, count * sizeof *out);
    live->newcomer_count = 0;
    pthread_mutex_unlock(&live->mutex);
    return count;
}

/* The rows are up to date then: what is committed later comes to the newcomer too. */
static bool welcome(struct live *live, struct db *db, struct error *err)
{
    struct newcomer newcomer[LIVE_STREAMS_MAX];
    struct ledger_row head = {0};
    unsigned count = take_newcomers(live, newcomer);
    bool ok = !count || (live->stream_count ? read_new_rows(live, db, err) : ledger_head(db, &head, err));
    if (ok && count && !live->stream_count)
        live->seq = head.seq;
    for (unsigned i = 0; i < count; i++) {
        struct live_stream *stream = &live->stream[live->stream_count++];
        live_stream_begin(stream, newcomer[i].socket, &newcomer[i].wish, live->now_ms);
        if (!ok || !greet(live, stream))
            live_drop(live, live->stream_count - 1, NULL);
    }
    return ok;
}

static bool read_database(struct live *live, struct error *err)
{
    struct db *db = NULL;
    bool ok = reader_pool_take(live->reader_pool, &db, err) && welcome(live, db, err) &&
              (!live->rows_due || read_new_rows(live, db, err)) && catch_up_all(live, db, err);
    reader_pool_give(live->reader_pool, db);
    return ok;
}

static bool has_newcomers(struct live *live)
{
    pthread_mutex_lock(&live->mutex);
    bool any = live->newcomer_count > 0;
    pthread_mutex_unlock(&live->mutex);
    return any;
}

void live_rows_look(struct live *live)
{
    struct error err;
    if (live->now_ms < live->again_ms ||
        !(has_newcomers(live) || live->rows_due || live_rows_anyone_behind(live)))
        return;
    if (read_database(live, &err))
        return;
    live->again_ms = live->now_ms + AGAIN_MS;
    log_line(LOG_LEVEL_WARN, "events-failed", "error", err.text, NULL);
}
