/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One connection with its one request, from accept to close. Internal to the http folder.

   Where it is: at the gate (its head is awaited, our own epoll watches the socket), with libmicrohttpd (body,
   handler, answer), or lingering (answered, but the peer may still be sending: what comes is thrown away
   until it has read the answer and closes, because a close with unread bytes would reset the connection and
   destroy the answer). It belongs to its loop's thread; only the answer may come from elsewhere. */
#ifndef DFOTA_SERVER_HTTP_EXCHANGE_H
#define DFOTA_SERVER_HTTP_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <microhttpd.h>
#include <sys/queue.h>
#include "server/http/crowd.h"
#include "server/http/head.h"
#include "server/http/request.h"

struct loop;
struct transfer;

enum deadline {
    DEADLINE_NONE,
    DEADLINE_HEAD,   /* the head is whole by then */
    DEADLINE_BODY,   /* a body kept in memory is whole by then */
    DEADLINE_STREAM, /* more of a streamed body came by then */
    DEADLINE_ANSWER, /* time to look whether the peer has acknowledged more of its answer */
    DEADLINE_LINGER, /* the peer has closed by then */
    DEADLINES
};

enum place { PLACE_GATE, PLACE_DAEMON, PLACE_LINGER, PLACE_DEAD };

/* Who has the request: decides whether request_answer() must wake the loop. */
enum answer_stage {
    STAGE_TAKING,   /* the request is still being read */
    STAGE_HANDLING, /* the handler is being called; the connection is not suspended yet */
    STAGE_WAITING,  /* suspended */
    STAGE_ANSWERED  /* `reply` is there */
};

struct exchange {
    struct request request; /* first: a request is an exchange */
    struct loop *loop;
    enum place place;
    int fd;       /* libmicrohttpd's to close while PLACE_DAEMON */
    bool watched; /* in the loop's epoll */
    bool counted; /* in the listener's connections */
    bool beyond;  /* not counted: its head is awaited beyond the limit */

    struct crowd_key crowd_key;
    struct crowd_address *crowd_address; /* NULL: not in the crowd */
    TAILQ_ENTRY(exchange) in_crowd;

    TAILQ_ENTRY(exchange) in_deadlines;
    enum deadline deadline;
    int64_t due_ms;

    size_t scanned; /* of the head so far */
    bool some;      /* a byte has come */
    char *text;     /* the whole head, owned */
    struct head head;
    bool resume;           /* a refusal leaves as a bare head */
    struct error *vetting; /* vet() has it; what it said. Owned */
    bool vetted;           /* vet() let it pass */
    uint64_t reserved;     /* of the listener's room for bodies */

    struct MHD_Connection *connection;
    bool begun;  /* the stream's end() is owed */
    bool linger; /* answered by ourselves: linger when libmicrohttpd lets go */
    char *body;
    size_t body_used, body_size;
    uint64_t taken; /* bytes of body seen */

    _Atomic int stage;
    struct reply reply;
    struct transfer *transfer; /* until libmicrohttpd is done with the answer */
    bool followed;             /* a transfer has a dup of the socket, so our close is not the last */
    uint64_t acked;            /* when the present idle_timeout_ms began */
    unsigned looks;            /* in it */

    struct exchange *next; /* in the loop's list of answered, or of dead ones */
};

/* libmicrohttpd's callbacks; cls is the loop. */
enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request_cls);
void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                           enum MHD_RequestTerminationCode code);
void exchange_on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);

/* Its body, its stream, or its answer has taken too long. Loop's thread. */
void exchange_late(struct exchange *exchange);
/* Gives up a body that is under way, to make room. */
void exchange_crowd_out(struct exchange *exchange, const struct error *err);
/* DEADLINE_ANSWER came: cuts the connection when the peer has acknowledged too little in idle_timeout_ms. */
void exchange_check(struct exchange *exchange);

/* Frees what it holds (not the socket); the loop frees the exchange itself. */
void exchange_release(struct exchange *exchange);

/* Renders err as the listener does, headers of the dispatcher included (allow may be NULL). */
/* Answers with err in place of libmicrohttpd, on a socket that nothing was written to. */
void exchange_refuse(struct exchange *exchange, const struct error *err, const char *allow);
void exchange_render(const struct exchange *exchange, const struct error *err, const char *allow,
                     struct reply *reply);

#endif
