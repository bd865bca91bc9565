/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Sends what waits in the outbox: one thread, several requests at once, but only one of each webhook and order key. A row
   leaves the outbox only after its delivery was recorded, so a server that is killed sends an event again, with the same
   id, and loses none. */
#ifndef DFOTA_SERVER_WEBHOOK_SENDER_H
#define DFOTA_SERVER_WEBHOOK_SENDER_H

#include "server/db/reader_pool.h"
#include "server/db/writer.h"

struct sender;

struct sender_config {
    struct reader_pool *reader_pool;
    struct writer *writer;
    /* Called in the sender's thread, about once in half a second, while a webhook wants package-ready: adds the events that
       are not added where their fact is stored. True: there are more, call again soon. */
    bool (*find_ready)(void *cls);
    void *cls;
};

bool sender_start(const struct sender_config *config, struct sender **ret, struct error *err)
    __attribute__((warn_unused_result));
/* Any thread: webhooks have changed, or rows wait again. */
void sender_wake(struct sender *sender);
/* Waits at most SENDER_END_MS for answers that are under way. Before the end of the writer and the readers; NULL is fine. */
#define SENDER_END_MS 3000
void sender_stop(struct sender *sender);

#endif
