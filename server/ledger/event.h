/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Facts for the ledger, as the server's parts know them. */
#ifndef DFOTA_SERVER_LEDGER_EVENT_H
#define DFOTA_SERVER_LEDGER_EVENT_H

#include <jansson.h>
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/ledger.h"

struct event { /* borrowed; NULL and 0 for what it does not refer to; the product of a device is looked up */
    enum ledger_kind kind;
    int64_t at_ms; /* 0: now */
    const char *product, *firmware;
    const struct device *device;
    const struct identity *identity; /* of a device, where that is all there is */
    int64_t attempt;
    const struct sha256 *package;
    int64_t link;      /* over which the fact came: it has a budget of its own */
    bool by_admin;     /* no budget holds for it */
    bool *ret_counted; /* NULL, or set where the fact was only counted */
};

/* Writer's thread, in the transaction of the fact: appends it to the ledger. Takes over `detail`, an object
   (NULL: an empty one); texts in it come from event_text(). A detail that is too long has its texts cut.
   What a device can cause has a budget (storage/budget.h): beyond it the fact is counted, and a row says so once there are
   1, 10, 100, … of them, and at the end of the day. */
bool event_add(struct db *db, const struct event *event, json_t *detail, struct error *err)
    __attribute__((warn_unused_result));

/* The same of an attempt, whose product, firmware, device and package are looked up; `from` and `to` go into
   the detail. */
bool event_attempt(struct db *db, enum ledger_kind kind, int64_t at_ms, const struct attempt *attempt,
                   json_t *detail, struct error *err) __attribute__((warn_unused_result));

/* It has ended: in which state it was, and what ended it. */
bool event_attempt_ended(struct db *db, const struct attempt *attempt, enum attempt_state before,
                         enum attempt_event event, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

/* The rows for budgets of days that are over, at most 500 at a call. *ret_more: call again. */
bool note_budgets(struct db *db, int64_t now_ms, bool *ret_more, struct error *err)
    __attribute__((warn_unused_result));

/* A text for the detail: control characters become blanks, what is no UTF-8 becomes '?'. NULL for "" and
   NULL, which the format "o*" of json_pack() leaves out. */
json_t *event_text(const char *text);
json_t *event_hash(const struct sha256 *hash); /* in hex */

#endif
