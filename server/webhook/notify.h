/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Events for webhooks. Each function runs in the writer's thread, in the transaction of the fact that it tells, and adds a row
   to the outbox of each webhook that wants this kind of event; without one it does nothing. What each kind tells is in
   doc/webhooks.md. */
#ifndef DFOTA_SERVER_WEBHOOK_NOTIFY_H
#define DFOTA_SERVER_WEBHOOK_NOTIFY_H

#include "storage/attempt.h"
#include "storage/db.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/ready.h"

/* The attempt has ended by a report: `confirmed` or `not-applied`. Other ends tell nothing, and so does a device that has
   spent its rows of the ledger for the day (storage/budget.h): strangers must not fill the outbox. */
bool notify_attempt_ended(struct db *db, const struct attempt *attempt, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

/* why: "loop-guard", "stale-link", "shared-id"; notice: one sentence. */
bool notify_needs_person(struct db *db, const struct device *device, const struct firmware *firmware,
                         const char *why, const char *notice, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

/* How small a package is, and how hard dfota tried to make it so. */
struct notify_size {
    int64_t size_bytes; /* 0: it was not made yet */
    int64_t tried;      /* enum package_effort */
};
/* The package is over the limit of a firmware, and no further effort of dfota can change that: `now` says so, and `before`
   did not. Only for packages that a plan or an admin asked for. */
bool notify_oversize(struct db *db, const struct package *package, const struct notify_size *before,
                     const struct notify_size *now, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

struct notify_ready { /* a package that devices of one version waited for */
    const struct product *product;
    const struct firmware *firmware;
    const char *from, *to;
    int64_t size_bytes;
    const char *device_url; /* that links begin with, "": none */
};
bool notify_ready(struct db *db, const struct notify_ready *ready, const struct ready_device *device,
                  int64_t at_ms, struct error *err) __attribute__((warn_unused_result));

struct notify_quarantine {
    int64_t firmware_id;
    const char *from, *to; /* versions; from "": a full package */
    const char *why;       /* "canary", "devices", "admin" */
    const char *reason;    /* one sentence */
    int64_t device_id;     /* the device that came back with the old version; 0: an admin said so */
};
/* A package is out of service: `package-quarantined`, and `needs-person`. */
bool notify_quarantined(struct db *db, const struct notify_quarantine *quarantine, int64_t at_ms,
                        struct error *err) __attribute__((warn_unused_result));

#endif
