/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The outbox: events that wait to be sent to a webhook, and those that could not be delivered. A row is added in the
   transaction of the fact that the event tells. Rows of one webhook with the same order key are sent in the order in which
   they came: only the first that waits has a time of its next try. */
#ifndef DFOTA_STORAGE_OUTBOX_H
#define DFOTA_STORAGE_OUTBOX_H

#include "storage/db.h"

#define OUTBOX_WAITING_MAX    100000 /* rows of a webhook; beyond that the oldest is given up */
#define OUTBOX_FAILED_MAX     10000  /* beyond that the oldest is removed and counted as lost */
#define OUTBOX_EVENT_ID_SIZE  33     /* 128 random bits in hex and NUL */
#define OUTBOX_KIND_SIZE      32
#define OUTBOX_ORDER_KEY_SIZE 48
#define OUTBOX_FACTS_SIZE     4096
#define OUTBOX_ERROR_SIZE     201

struct outbox_row {
    int64_t id, webhook_id;
    char event_id[OUTBOX_EVENT_ID_SIZE];
    char kind[OUTBOX_KIND_SIZE];
    char order_key[OUTBOX_ORDER_KEY_SIZE]; /* "device:12", "firmware:3", "campaign:5" */
    char facts[OUTBOX_FACTS_SIZE];         /* a JSON object */
    int64_t since_ms;                      /* when it began to wait: came, or was sent again by an admin */
    int64_t tries;
    int64_t next_try_ms;           /* 0: others of its order key go first, or it was given up */
    char error[OUTBOX_ERROR_SIZE]; /* of the last try, "": none */
    int64_t gave_up_ms;            /* 0: it waits */
};

/* Writer's thread. The first six fields behind `id` are stored; ret->id is set. *ret_full: the webhook had
   OUTBOX_WAITING_MAX rows, and its oldest was given up. */
bool outbox_add(struct db *db, struct outbox_row *row, bool *ret_full, struct error *err)
    __attribute__((warn_unused_result));

/* Any thread: rows that are to be sent by now, longest due first, at most `limit`. *ret is the caller's (free). */
bool outbox_due(struct db *db, int64_t webhook_id, int64_t now_ms, int64_t limit, struct outbox_row **ret,
                size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* The latest time of a next try of the webhook; 0: none. */
bool outbox_latest(struct db *db, int64_t webhook_id, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Stores how a try ended. Writer's thread. Does nothing when the row was deleted or given up meanwhile. */
bool outbox_delivered(struct db *db, int64_t id, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));
bool outbox_put_off(struct db *db, int64_t id, int64_t next_try_ms, const char *error, struct error *err)
    __attribute__((warn_unused_result));
bool outbox_give_up(struct db *db, int64_t id, const char *error, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Rows that wait for a time after latest_ms (the clock was set back) are due at now_ms. Writer's thread. */
bool outbox_clamp(struct db *db, int64_t webhook_id, int64_t latest_ms, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Those with id > after, in order of id. *ret is the caller's (free). */
bool outbox_list(struct db *db, int64_t webhook_id, bool failed, int64_t after, int64_t limit,
                 struct outbox_row **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
/* Failed rows wait again: the one with this id, or with id 0 all. ERROR_EVENT_NOT_FOUND when `id` is not a failed row of
   this webhook. Writer's thread. */
bool outbox_resend(struct db *db, int64_t webhook_id, int64_t id, int64_t now_ms, int64_t *ret_count,
                   struct error *err) __attribute__((warn_unused_result));
/* Removes one row, waiting or failed; with id 0 all failed ones. ERROR_EVENT_NOT_FOUND. Writer's thread. */
bool outbox_forget(struct db *db, int64_t webhook_id, int64_t id, int64_t now_ms, int64_t *ret_count,
                   struct error *err) __attribute__((warn_unused_result));

#endif
