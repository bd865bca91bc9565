/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One connection with its request, from accept to close. A kept connection (keep.h) has one request after the other.
   Internal to the http folder.

   Four places. At the gate: the head is incomplete, our own epoll watches the socket. With libmicrohttpd: body, handler,
   answer. Direct: handler and answer without libmicrohttpd (direct.h); our epoll watches for room to send. Lingering: the
   answer is sent, but the peer may still be sending.
   What the peer sends then is dropped until the peer closes: a close with unread bytes would reset the
   connection and destroy the answer.

   A connection belongs to the thread of its loop. Only the answer may come from another thread. */
#ifndef DFOTA_SERVER_HTTP_CONNECTION_H
#define DFOTA_SERVER_HTTP_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include "server/http/head.h"
#include "server/http/loop_state.h"
#include "server/http/request.h"

struct transfer;
struct MHD_Connection;

enum place { PLACE_GATE, PLACE_DAEMON, PLACE_DIRECT, PLACE_LINGER, PLACE_DEAD };

/* How far the request is: request_answer() must wake the loop only for STAGE_WAITING. */
enum answer_stage {
    STAGE_TAKING,   /* the request is still being read */
    STAGE_HANDLING, /* the handler is being called; the connection is not suspended yet */
    STAGE_WAITING,  /* suspended */
    STAGE_ANSWERED  /* `reply` is set */
};

struct connection {
    struct request request; /* first member: a pointer to the request is one to the connection */
    struct loop *loop;
    enum place place;
    int fd;           /* libmicrohttpd closes it while PLACE_DAEMON, the transfer while PLACE_DIRECT */
    uint32_t watched; /* events for which the loop's epoll watches the socket; 0: it does not */
    bool counted;     /* in the listener's connections */
    bool beyond;      /* not counted: the limit is reached, and its head is awaited all the same */

    struct crowd_member member; /* of the loop's crowd */

    TAILQ_ENTRY(connection) in_deadlines;
    enum deadline deadline;
    int64_t due_ms;

    size_t scanned; /* bytes of the head that were scanned */
    bool some;      /* at least one byte has come */
    bool more;      /* bytes after the head have come, or the end */
    char *text;     /* the whole head, owned */
    size_t head_size;
    struct head head;
    bool resume;           /* the request continues a download: a refusal is a bare head */
    int64_t taken_us;      /* when the head was complete: boot clock */
    struct error *vetting; /* not NULL while vet() runs; the error of vet(). Owned */
    bool vetted;           /* the result of vet() */
    uint64_t reserved;     /* bytes, counted against the listener's limit of bodies */

    struct MHD_Connection *mhd; /* NULL unless PLACE_DAEMON */
    bool begun;                 /* the stream's end() must still be called */
    bool linger;                /* answered without libmicrohttpd: lingers when libmicrohttpd has closed */
    char *body;
    size_t body_used, body_size;
    uint64_t taken; /* bytes of the body so far */

    _Atomic int stage;
    struct reply reply;
    struct transfer *transfer; /* NULL when the answer has ended */
    uint64_t piece;            /* bytes that may be sent before it asks for more (pacing.h) */
    TAILQ_ENTRY(connection) in_paused;
    bool is_paused;          /* is in loop.paused */
    int64_t paused_until_ms; /* boot clock */
    bool followed;  /* PLACE_DAEMON: a transfer has a dup of the socket, so our close is not the last one */
    uint64_t acked; /* bytes acknowledged when the current idle_timeout_ms began */
    unsigned looks; /* checks in the current idle_timeout_ms */

    char *out; /* PLACE_DIRECT: the head of the answer, owned */
    size_t out_size;
    uint64_t sent; /* bytes of head and body that the kernel has taken */
    bool paced;    /* the body has a limited rate */

    uint64_t earlier; /* bytes of the requests before this one; from keep_decide() on with this one */
    bool keeps;       /* the answer does not close the connection */
    int own;       /* a duplicate of the socket while libmicrohttpd sends an answer that keeps it; else -1 */
    bool returned; /* `fd` is ours again, and libmicrohttpd closes another socket in its place */

    struct connection *next; /* in the loop's list `answered` or `dead` */
};

/* For a struct of zeros: the fields that do not begin with 0. */
void connection_init(struct connection *connection);
/* Sets the deadline: the time limit of its kind, from now. DEADLINE_NONE: no deadline. */
void connection_set_deadline(struct connection *connection, enum deadline kind);
/* Any thread: the loop continues with the connection in its next turn. */
void connection_answered(struct connection *connection);
/* The connection leaves loop.paused; fine when it is not there. */
void connection_unpause(struct connection *connection);
/* The connection no longer counts against the limit. */
void connection_count_out(struct connection *connection);

/* Our own epoll watches the socket. It also tells of what has come before, but not when the socket is watched for these
   events already: unwatch it first then. False: it cannot be watched. */
bool connection_watch(struct connection *connection, uint32_t events);
void connection_unwatch(struct connection *connection);

/* Renders err as the listener does, with the headers that the http folder adds. `allow` may be NULL. */
void connection_render(const struct connection *connection, const struct error *err, const char *allow,
                       struct reply *reply);
/* Each answer, just before it is written: adds what all answers of the listener have. */
void connection_finish_reply(const struct connection *connection, struct reply *reply);
/* Writes err in place of libmicrohttpd, between two answers. False: not all of it could be written. */
bool connection_refuse(struct connection *connection, const struct error *err, const char *allow);
/* The same in the middle of the body, where libmicrohttpd cannot answer: libmicrohttpd then only closes. */
void connection_refuse_body(struct connection *connection, const struct error *err);
/* The same for a body that is too slow or is dropped at the limit: makes libmicrohttpd close. */
void connection_give_up_body(struct connection *connection, const struct error *err);

/* True: the answer is firmware, and the acknowledgements of the peer are watched. */
bool connection_is_transfer(const struct connection *connection);

/* For the end of an answer: the connection gives up its transfer, and the socket if the transfer owns that. NULL: there is
   no transfer. */
struct transfer *connection_leave_transfer(struct connection *connection);
/* Frees what it holds, not the socket; the loop frees the connection itself. */
void connection_release(struct connection *connection);
/* No longer counted, freed at the end of the turn. Closes fd unless it is libmicrohttpd's. */
void connection_bury(struct connection *connection);
/* Releases and buries it, answered or not. Not while libmicrohttpd has it. */
void connection_end(struct connection *connection);
/* The answer has been sent: reads and drops what the peer still sends, for a bounded time. */
void connection_linger(struct connection *connection);

#endif
