/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Events as rows of the outbox: what each kind of event shares. */
#ifndef DFOTA_SERVER_WEBHOOK_NOTIFY_ROW_H
#define DFOTA_SERVER_WEBHOOK_NOTIFY_ROW_H

#include <jansson.h>
#include "storage/outbox.h"
#include "storage/webhook.h"

#define NOTIFY_SUMMARY_SIZE 800

/* Fills kind, event_id and facts of a row that the caller sends: `facts` is taken over, `id`, `event`, `at` and `summary`
   are put before them. */
bool notify_make_row(enum webhook_kind kind, int64_t at_ms, const char *summary, json_t *facts,
                     struct outbox_row *ret, struct error *err) __attribute__((warn_unused_result));

/* Whether a webhook wants this kind, of any product. Asked before anything is looked up for an event: most servers have
   no webhook. */
bool notify_is_wanted(struct db *db, enum webhook_kind kind, bool *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Adds the event to the outbox of each webhook that wants it. Events with the same order ("device") and order_id are sent
   one after the other. Takes over `facts`. Writer's thread, in the transaction of the fact. */
bool notify_add(struct db *db, enum webhook_kind kind, int64_t product_id, const char *order,
                int64_t order_id, int64_t at_ms, const char *summary, json_t *facts, struct error *err)
    __attribute__((warn_unused_result));

#endif
