/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/ledger/package_event.h"

#include "base/cleanup.h"
#include "server/ledger/event.h"

static const char *effort_name(enum package_effort effort)
{
    static const char *const names[] = {
        [EFFORT_NONE] = NULL, [EFFORT_QUICK] = "quick", [EFFORT_GOOD] = "good", [EFFORT_BEST] = "best"};
    return names[effort];
}

static json_t *key_to_json(const struct package_key *key)
{
    char base[SHA256_HEX_SIZE];
    return json_pack("{s:s, s:s, s:o}", "format", key->format, "from_sha256", package_key_base(key, base),
                     "to_sha256", event_hash(&key->to));
}

static bool note_oversize(struct db *db, const struct package_key *key, const struct package_made *made,
                          int64_t now_ms, struct error *err)
{
    _cleanup_(cleanup_free) struct ledger_oversize *list = NULL;
    size_t count;
    if (!ledger_oversize_list(db, &key->from, &key->to, made->size_bytes - made->uncounted_bytes, &list,
                              &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct ledger_oversize *over = &list[i];
        const struct event event = {.kind = LEDGER_PACKAGE_REFUSED,
                                    .at_ms = now_ms,
                                    .product = over->product,
                                    .firmware = over->firmware,
                                    .package = &made->sha256};
        if (!event_add(db, &event,
                       json_pack("{s:I, s:s, s:s, s:I, s:I, s:s, s:s}", "counted",
                                 (json_int_t)(made->size_bytes - made->uncounted_bytes), "format",
                                 key->format, "from", over->from, "limit", (json_int_t)over->limit_bytes,
                                 "size", (json_int_t)made->size_bytes, "to", over->to, "why", "oversize"),
                       err))
            return false;
    }
    return true;
}

bool package_event_made(struct db *db, const struct package_key *key, const struct package_made *made,
                        int64_t now_ms, struct error *err)
{
    const struct event event = {.kind = LEDGER_PACKAGE_MADE, .at_ms = now_ms, .package = &made->sha256};
    json_t *detail = key_to_json(key);
    json_object_set_new(detail, "effort", event_text(effort_name(made->effort)));
    json_object_set_new(detail, "origin", json_string(enum_name(&package_origin_names, made->origin)));
    json_object_set_new(detail, "proven", json_boolean(made->proven));
    json_object_set_new(detail, "size", json_integer((json_int_t)made->size_bytes));
    return event_add(db, &event, detail, err) && note_oversize(db, key, made, now_ms, err);
}

bool package_event_failed(struct db *db, const struct package_key *key, const char *reason, int64_t now_ms,
                          struct error *err)
{
    const struct event event = {.kind = LEDGER_PACKAGE_REFUSED, .at_ms = now_ms};
    json_t *detail = key_to_json(key);
    json_object_set_new(detail, "reason", event_text(reason));
    json_object_set_new(detail, "why", json_string("failed"));
    return event_add(db, &event, detail, err);
}
