/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Live events: streams of server-sent events (GET /events in doc/api.md), served by one thread.

   The events are the rows of the ledger. The thread reads each new row once, for all streams, when the writer has
   committed it. A stream that continues from an earlier row reads its rows in pages until it has caught up. Hints
   about rows that are not in the ledger are sent at most once a second. While there is no stream, the thread sleeps. */
#ifndef DFOTA_SERVER_CONSOLE_LIVE_H
#define DFOTA_SERVER_CONSOLE_LIVE_H

#include "server/config/origin_list.h"
#include "server/db/reader_pool.h"
#include "upgrade/name.h"

#define LIVE_CONTENT_TYPE "text/event-stream"
#define LIVE_STREAMS_MAX  32
#define LIVE_FROM_NOW     (-1)

struct live;
struct sessions;

struct live_wish { /* what a stream is for */
    struct sha256 token;
    bool has_session;
    struct sha256 session;          /* with has_session: the hash of its secret */
    char product[PRODUCT_KEY_SIZE]; /* rows of this product; "": all rows */
    char origin[WEB_ORIGIN_SIZE];   /* of a page of another site that may read (CORS); "": none */
    bool varies;                    /* the answer depends on the origin */
    int64_t after;                  /* rows with a greater seq, or LIVE_FROM_NOW */
};

/* `sessions` is borrowed. */
bool live_open(struct sessions *sessions, struct live **ret, struct error *err)
    __attribute__((warn_unused_result));
/* Starts the thread. `reader_pool` is borrowed. */
bool live_start(struct live *live, struct reader_pool *reader_pool, struct error *err)
    __attribute__((warn_unused_result));

/* Takes over the socket, on which a whole request waits to be read. ERROR_UNAVAILABLE: there are LIVE_STREAMS_MAX
   streams, or the server stops. Any thread, quick. */
bool live_take(struct live *live, const struct live_wish *wish, int socket, struct error *err)
    __attribute__((warn_unused_result));
/* Rows of these sorts were committed (DB_TOUCHED_…). Any thread, quick. */
void live_wake(struct live *live, unsigned touched);
/* A session or a token has ended: ends its streams. Any thread, quick. */
void live_check(struct live *live);

/* Ends the thread and all streams; live_take() refuses from now on. NULL, and before live_start(), is fine. */
void live_stop(struct live *live);
void live_close(struct live *live); /* after live_stop(), when no other thread uses it; NULL is fine */

#endif
