/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The common part of a check-in, whatever its answer looks like: who asks, the decision, its record and its log line. */
#ifndef DFOTA_SERVER_CHECKIN_CHECKIN_TASK_H
#define DFOTA_SERVER_CHECKIN_CHECKIN_TASK_H

#include "server/checkin/facts.h"
#include "server/context.h"
#include "server/http/request.h"

struct checkin_task { /* first member of the caller's task */
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    int64_t began_us;              /* boot clock */
    bool record;                   /* false for HEAD: decided in the same way, and nothing is stored */
    struct client_identity client; /* the caller fills client and checkin */
    struct checkin checkin;
    struct facts facts;
    struct decision decision;
};

/* The limits that the rules go by. */
struct decision_limits checkin_limits(const struct config *config);

/* What the address of the peer says of the client. */
void checkin_take_peer(const struct request *request, struct client_identity *client);

/* True: the request is answered as the same one before, from memory. Loop's thread. */
bool checkin_answer_unchanged(struct request *request, const struct client_identity *client,
                              const struct checkin *checkin);
/* Fills the rest of a zeroed task, whose client and checkin are complete. A reader runs it at once in the loop's
   thread, which also calls `done`; when something must be stored, or the reader cannot decide, the task goes to the
   writer. So `run` may run twice, and before its first write it changes nothing outside of the task. Loop's thread. */
void checkin_task_begin(struct checkin_task *task, struct request *request, writer_task_function *run,
                        writer_task_done *done);
/* With a reader or in the writer's thread: loads the facts and decides. */
bool checkin_task_decide(struct checkin_task *task, struct db *db, struct error *err)
    __attribute__((warn_unused_result));
/* As above: stores the decision, unless the request is HEAD. */
bool checkin_task_record(struct checkin_task *task, struct db *db, struct error *err)
    __attribute__((warn_unused_result));
/* After the commit: counts the check-in, notes what is refused and logs the answer. */
void checkin_task_tell(const struct checkin_task *task, const char *over, int code);
/* Answers with err. The log has the details of what is the server's fault. */
void checkin_task_fail(const struct checkin_task *task, const struct error *err);
/* There is no memory for a task. */
void checkin_task_refuse(struct request *request);

#endif
