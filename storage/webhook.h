/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: URLs that are told of events. The events that wait for them are in storage/outbox.h. */
#ifndef DFOTA_STORAGE_WEBHOOK_H
#define DFOTA_STORAGE_WEBHOOK_H

#include "storage/db.h"
#include "storage/firmware.h"
#include "upgrade/name.h"

/* Kind, its name, the facts that an event of it carries besides `id`, `event`, `at` and `summary`. A row of
   doc/webhooks.md each. */
#define WEBHOOK_KINDS(X)                                                                                     \
    X(WEBHOOK_PACKAGE_READY, "package-ready", "product firmware device attempt from to size url")            \
    X(WEBHOOK_CONFIRMED, "confirmed", "product firmware device attempt from to state")                       \
    X(WEBHOOK_NOT_APPLIED, "not-applied", "product firmware device attempt from to state")                   \
    X(WEBHOOK_PACKAGE_OVERSIZE, "package-oversize", "product firmware from to size counted limit")           \
    X(WEBHOOK_PACKAGE_QUARANTINED, "package-quarantined", "product firmware from to why device reason")      \
    X(WEBHOOK_STAGE_DONE, "stage-done",                                                                      \
      "product firmware campaign name target stage stages confirmed failed silent")                          \
    X(WEBHOOK_CAMPAIGN_PAUSED, "campaign-paused",                                                            \
      "product firmware campaign name target stage stages reason gate gate_stage devices count")             \
    X(WEBHOOK_CAMPAIGN_FINISHED, "campaign-finished",                                                        \
      "product firmware campaign name target stage stages confirmed failed silent")                          \
    X(WEBHOOK_NEEDS_PERSON, "needs-person",                                                                  \
      "product firmware device from to campaign name target stage stages why notice")                        \
    X(WEBHOOK_TEST, "test", "name")

enum webhook_kind {
#define X(kind, name, facts) kind,
    WEBHOOK_KINDS(X)
#undef X
        WEBHOOK_KIND_COUNT
};

const char *webhook_kind_name(enum webhook_kind kind);
bool webhook_kind_is_known(struct slice name);

#define WEBHOOKS_MAX          16
#define WEBHOOK_NAME_SIZE     101
#define WEBHOOK_URL_SIZE      501
#define WEBHOOK_SECRET_SIZE   201
#define WEBHOOK_KINDS_SIZE    256
#define WEBHOOK_TEMPLATE_SIZE 4097

struct webhook {
    int64_t id, product_id; /* product_id 0: events of all products */
    char product_key[PRODUCT_KEY_SIZE];
    char name[WEBHOOK_NAME_SIZE];
    char url[WEBHOOK_URL_SIZE];
    char secret[WEBHOOK_SECRET_SIZE];     /* "": requests are not signed */
    char kinds[WEBHOOK_KINDS_SIZE];       /* names, a blank between; "": all kinds */
    char template[WEBHOOK_TEMPLATE_SIZE]; /* "": the facts are the body */
    bool enabled;
    int64_t created_ms;
    char created_by[ADMIN_NAME_SIZE];
    int64_t waiting, failed; /* rows of the outbox */
    int64_t lost;            /* failed rows that were removed because there were too many */
};

/* Fills webhook->id. ERROR_WEBHOOK_EXISTS where the name is taken, ERROR_INVALID where there are WEBHOOKS_MAX. */
bool webhook_add(struct db *db, struct webhook *webhook, struct error *err)
    __attribute__((warn_unused_result));
/* Stores name, url, secret, kinds, template and enabled. ERROR_WEBHOOK_EXISTS. */
bool webhook_update(struct db *db, const struct webhook *webhook, struct error *err)
    __attribute__((warn_unused_result));
/* With its rows of the outbox. */
bool webhook_remove(struct db *db, int64_t id, struct error *err) __attribute__((warn_unused_result));
/* ERROR_WEBHOOK_NOT_FOUND. */
bool webhook_get(struct db *db, int64_t id, struct webhook *ret, struct error *err)
    __attribute__((warn_unused_result));
/* In order of creation; *ret is the caller's (free). */
bool webhook_list(struct db *db, struct webhook **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
/* Ids of the enabled webhooks that want this kind from this product (0: from any). */
bool webhook_listening(struct db *db, int64_t product_id, enum webhook_kind kind, int64_t ret[WEBHOOKS_MAX],
                       unsigned *ret_count, struct error *err) __attribute__((warn_unused_result));

#endif
