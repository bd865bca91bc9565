/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange as the plainest module does it: a request in one piece, an answer read by a parser that
   knows only what the worst client in the field knows. What such a client would stumble over (another
   spelling of Content-Length, chunks, a redirect, a head in two segments, a connection left open) ends the
   exchange as FETCH_BROKEN with the reason. Blocking. */
#ifndef DFOTA_SIM_FETCH_H
#define DFOTA_SIM_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "delta/bytes.h"
#include "sim/url.h"

struct fetch_order {
    const struct url *url;
    struct slice request;    /* head and body */
    uint64_t keep_max_bytes; /* of a larger 200 or 206 nothing is kept, but all of it is read */
    uint64_t cut_bytes;      /* hang up once so many bytes of the body are there; UINT64_MAX: never */
};

enum fetch_result {
    FETCH_DONE,    /* the whole answer, and the server closed */
    FETCH_CUT,     /* we hung up after cut_bytes */
    FETCH_NOTHING, /* no connection, or it ended or stayed silent before an answer began */
    FETCH_LOST,    /* the connection ended in the middle of the body */
    FETCH_BROKEN   /* the answer breaks a rule that real modules depend on */
};

struct fetch_answer {
    int status;              /* 0 until the head is there */
    bool is_json;            /* Content-Type says so */
    uint64_t length_bytes;   /* Content-Length */
    uint64_t received_bytes; /* of the body */
    uint64_t first, total;   /* of the file: offset of the first byte sent, and its size */
    struct buffer body;      /* what was kept; the caller frees it */
    char why[160];           /* one phrase unless FETCH_DONE or FETCH_CUT */
};

enum fetch_result fetch_run(const struct fetch_order *order, struct fetch_answer *ret);

#endif
