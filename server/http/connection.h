/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One connection with its one request, from accept to close. Internal to the http folder.

   Where it is: at the gate (its head is awaited, our own epoll watches the socket), with libmicrohttpd (body,
   handler, answer), or lingering (answered, but the peer may still be sending: what comes is thrown away
   until it has read the answer and closes, because a close with unread bytes would reset the connection and
   destroy the answer). It belongs to its loop's thread; only the answer may come from elsewhere. */
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

enum place { PLACE_GATE, PLACE_DAEMON, PLACE_LINGER, PLACE_DEAD };

/* Who has the request: decides whether request_answer() must wake the loop. */
enum answer_stage {
    STAGE_TAKING,   /* the request is still being read */
    STAGE_HANDLING, /* the handler is being called; the connection is not suspended yet */
    STAGE_WAITING,  /* suspended */
    STAGE_ANSWERED  /* `reply` is there */
};

struct connection {
    struct request request; /* first: a request is a connection */
    struct loop *loop;
    enum place place;
    int fd;       /* libmicrohttpd's to close while PLACE_DAEMON */
    bool watched; /* in the loop's epoll */
    bool counted; /* in the listener's connections */
    bool beyond;  /* not counted: its head is awaited beyond the limit */

    struct crowd_member member; /* of the loop's crowd */

    TAILQ_ENTRY(connection) in_deadlines;
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

    struct MHD_Connection *mhd; /* NULL unless PLACE_DAEMON */
    bool begun;                 /* the stream's end() is owed */
    bool linger;                /* answered by ourselves: linger when libmicrohttpd lets go */
    char *body;
    size_t body_used, body_size;
    uint64_t taken; /* bytes of body seen */

    _Atomic int stage;
    struct reply reply;
    struct transfer *transfer; /* until libmicrohttpd is done with the answer */
    bool followed;             /* a transfer has a dup of the socket, so our close is not the last */
    uint64_t acked;            /* when the present idle_timeout_ms began */
    unsigned looks;            /* in it */

    struct connection *next; /* in the loop's list of answered, or of dead ones */
};

/* The time of its kind from now; DEADLINE_NONE: no deadline. */
void connection_set_deadline(struct connection *connection, enum deadline kind);
/* Any thread: the loop goes on with the connection in its next turn. */
void connection_answered(struct connection *connection);
/* Its place is free for another connection. */
void connection_count_out(struct connection *connection);

/* Our own epoll watches the socket. False: it cannot. */
bool connection_watch(struct connection *connection, uint32_t events);
void connection_unwatch(struct connection *connection);

/* Renders err as the listener does, with the headers that the http folder adds. `allow` may be NULL. */
void connection_render(const struct connection *connection, const struct error *err, const char *allow,
                       struct reply *reply);
/* Writes err in place of libmicrohttpd, on a socket that nothing was written to. */
void connection_refuse(struct connection *connection, const struct error *err, const char *allow);
/* The same in the middle of the body: libmicrohttpd then only closes. */
void connection_refuse_body(struct connection *connection, const struct error *err);
/* The same for a body that comes too slowly or has to make room: libmicrohttpd is made to close. */
void connection_give_up_body(struct connection *connection, const struct error *err);

/* Its answer is firmware, and what the peer acknowledges is watched. */
bool connection_is_transfer(const struct connection *connection);

/* Frees what it holds, not the socket; the loop frees the connection itself. */
void connection_release(struct connection *connection);
/* No longer counted, freed at the end of the turn. Closes fd unless it is libmicrohttpd's. */
void connection_bury(struct connection *connection);
/* Releases and buries it, answered or not. Not while libmicrohttpd has it. */
void connection_end(struct connection *connection);
/* The answer has been sent: reads and drops what the peer still sends, for a bounded time. */
void connection_linger(struct connection *connection);

#endif
