/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Adds facts to the ledger. */
#ifndef DFOTA_SERVER_LEDGER_EVENT_H
#define DFOTA_SERVER_LEDGER_EVENT_H

#include <jansson.h>
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/ledger.h"

/* pointers are borrowed; NULL or 0: the fact has no such reference; the product of a device is looked up */
struct event {
    enum ledger_kind kind;
    int64_t at_ms; /* 0: now */
    const char *product, *firmware;
    const struct device *device;
    const struct identity *identity; /* a device of which only the id is known */
    int64_t attempt;
    const struct sha256 *package;
    int64_t link;      /* the link over which the fact came: it has its own budget */
    bool by_admin;     /* an admin's fact: no budget applies */
    bool *ret_counted; /* may be NULL; set to whether the fact was only counted */
};

/* Appends the fact to the ledger. Writer's thread, in the transaction of the fact. Takes over `detail`, an
   object (NULL: an empty one); texts in it come from event_text(). If the detail is too long its texts are
   cut.
   Facts that a device can cause have a budget (storage/budget.h). Beyond the budget a fact is only
   counted; a row tells the count at 1, 10, 100, … facts and at the end of the day. */
bool event_add(struct db *db, const struct event *event, json_t *detail, struct error *err)
    __attribute__((warn_unused_result));

/* Like event_add(), for an attempt: product, firmware, device and package are looked up; `from` and `to`
   are added to the detail. */
bool event_attempt(struct db *db, enum ledger_kind kind, int64_t at_ms, const struct attempt *attempt,
                   json_t *detail, struct error *err) __attribute__((warn_unused_result));

/* The attempt has ended: its state before, and the event that ended it. */
bool event_attempt_ended(struct db *db, const struct attempt *attempt, enum attempt_state before,
                         enum attempt_event event, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Adds the rows for budgets of past days, at most 500 in one call. *ret_more: call again. */
bool note_budgets(struct db *db, int64_t now_ms, bool *ret_more, struct error *err)
    __attribute__((warn_unused_result));

/* A text for the detail: control characters become spaces, invalid UTF-8 becomes '?'. Returns NULL for ""
   and NULL; the format "o*" of json_pack() leaves it out. */
json_t *event_text(const char *text);
/* Adds a reason (upgrade/reason.h) to the detail: `name`, the reason in English; and `name`_code and `name`_params
   unless it is plain text. Adds nothing for "". name: at most 20 bytes. */
void event_reason(json_t *detail, const char *name, const char *reason);
/* The parameters of a reason that is no plain text, as a list of strings. A nested reason in it is
   {"code":…,"params":[…]}. */
json_t *event_reason_params(const char *reason);
json_t *event_hash(const struct sha256 *hash); /* in hex */

#endif
