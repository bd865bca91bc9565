/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange, as the simplest module does it: the request is sent in one piece, and the parser of
   the answer is as strict as the most limited client in the field. An answer that this client cannot handle
   (other spelling of Content-Length, chunks, a redirect, a head in two segments, a connection that stays
   open) ends the exchange as FETCH_BROKEN, with the reason. Blocks; any thread. */
#ifndef DFOTA_SIM_FETCH_H
#define DFOTA_SIM_FETCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/buffer.h"
#include "sim/url.h"

struct fetch_order {
    const struct url *url;
    struct slice request;    /* head and body */
    uint64_t keep_max_bytes; /* the body of a larger 200 or 206 is read but not kept */
    uint64_t cut_bytes;      /* close the connection after so many bytes of the body; UINT64_MAX: never */
    unsigned cut_percent;    /* … after this share of the body of a 200 or 206; 0: never */
    bool resumes;            /* asks for the rest of a package */
    int64_t timeout_ms;      /* for the whole exchange; 0: only a silence of 60 s ends it */
};

enum fetch_result {
    FETCH_DONE,    /* the whole answer arrived, and the server closed the connection */
    FETCH_CUT,     /* the module closed the connection after cut_bytes */
    FETCH_NOTHING, /* no connection, or no byte of an answer */
    FETCH_LOST,    /* the connection was lost in the middle of the body */
    FETCH_BROKEN   /* the answer breaks a rule that real modules depend on */
};

struct fetch_answer {
    bool connected;
    int status;              /* 0: no head arrived */
    bool is_json;            /* by Content-Type */
    uint64_t length_bytes;   /* Content-Length */
    uint64_t received_bytes; /* bytes of the body that arrived */
    uint64_t first, total;   /* of the file: offset of the first byte in this answer; size */
    struct buffer body;      /* the bytes that were kept; the caller frees it */
    char why[160];           /* reason in words; empty with FETCH_DONE and FETCH_CUT */
};

enum fetch_result fetch_run(const struct fetch_order *order, struct fetch_answer *ret);

#endif
