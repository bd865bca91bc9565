/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/notify_row.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "server/core/log.h"
#include "server/ledger/event.h"

static bool make_id(char out[OUTBOX_EVENT_ID_SIZE], struct error *err)
{
    unsigned char random[(OUTBOX_EVENT_ID_SIZE - 1) / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for an event");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(out + 2 * i, 3, "%02x", random[i]);
    return true;
}

bool notify_make_row(enum webhook_kind kind, int64_t at_ms, const char *summary, json_t *facts,
                     struct outbox_row *ret, struct error *err)
{
    *ret = (struct outbox_row){.since_ms = at_ms};
    snprintf(ret->kind, sizeof ret->kind, "%s", webhook_kind_name(kind));
    bool ok = make_id(ret->event_id, err);
    json_t *body = json_pack("{s:s, s:s, s:I, s:o}", "id", ret->event_id, "event", ret->kind, "at",
                             (json_int_t)at_ms, "summary", event_text(summary));
    json_object_update(body, facts);
    size_t size = json_dumpb(body, ret->facts, sizeof ret->facts - 1, JSON_COMPACT);
    json_decref(body);
    json_decref(facts);
    return ok && ((size > 0 && size < sizeof ret->facts) ||
                  error_set(err, ERROR_INTERNAL, "an event for webhooks is too long"));
}

static void tell_full(int64_t webhook_id)
{
    struct log_number number;
    log_line(LOG_LEVEL_WARN, "webhook-outbox-full", "webhook", log_i64(&number, webhook_id), "then",
             "its oldest event was given up", NULL);
}

bool notify_add(struct db *db, enum webhook_kind kind, int64_t product_id, const char *order,
                int64_t order_id, int64_t at_ms, const char *summary, json_t *facts, struct error *err)
{
    int64_t ids[WEBHOOKS_MAX];
    unsigned count;
    struct outbox_row row;
    if (!notify_make_row(kind, at_ms, summary, facts, &row, err) ||
        !webhook_listening(db, product_id, kind, ids, &count, err))
        return false;
    snprintf(row.order_key, sizeof row.order_key, "%s:%" PRId64, order, order_id);
    for (unsigned i = 0; i < count; i++) {
        bool full;
        row.webhook_id = ids[i];
        if (!outbox_add(db, &row, &full, err))
            return false;
        if (full)
            tell_full(ids[i]);
    }
    return true;
}

bool notify_is_wanted(struct db *db, enum webhook_kind kind, bool *ret, struct error *err)
{
    int64_t ids[WEBHOOKS_MAX];
    unsigned count;
    if (!webhook_listening(db, 0, kind, ids, &count, err))
        return false;
    *ret = count > 0;
    return true;
}
