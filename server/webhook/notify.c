/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/notify.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "server/ledger/event.h"
#include "server/webhook/notify_row.h"
#include "storage/budget.h"
#include "storage/improvement.h"

#define DAY_MS   (24LL * 3600 * 1000)
#define URL_SIZE 400

struct names { /* what an event speaks of */
    struct product product;
    struct firmware firmware;
    struct device device;
    char device_text[LEDGER_DEVICE_SIZE];
};

static void name_device(enum id_kind id_kind, const char *device, char out[LEDGER_DEVICE_SIZE])
{
    snprintf(out, LEDGER_DEVICE_SIZE, "%s:%s", identity_kind_name(id_kind), device);
}

static bool find_firmware(struct db *db, int64_t firmware_id, struct names *ret, struct error *err)
{
    bool found;
    *ret = (struct names){.device_text = ""};
    return firmware_by_id(db, firmware_id, &ret->firmware, &found, err) &&
           product_by_id(db, ret->firmware.product_id, &ret->product, &found, err);
}

static bool find_names(struct db *db, int64_t device_id, int64_t firmware_id, struct names *ret,
                       struct error *err)
{
    bool found;
    if (!find_firmware(db, firmware_id, ret, err) || !device_by_id(db, device_id, &ret->device, &found, err))
        return false;
    name_device(ret->device.id_kind, ret->device.device, ret->device_text);
    return true;
}

/* Ends of attempts */

/* False: that end tells nothing. */
static bool kind_of_end(enum attempt_state state, enum webhook_kind *ret)
{
    bool is_confirmed = state == ATTEMPT_CONFIRMED || state == ATTEMPT_NOT_BY_US;
    *ret = is_confirmed ? WEBHOOK_CONFIRMED : WEBHOOK_NOT_APPLIED;
    return is_confirmed || state == ATTEMPT_NOT_APPLIED || state == ATTEMPT_DIVERGED;
}

static void summarise_end(const struct attempt *attempt, const struct names *names,
                          char out[NOTIFY_SUMMARY_SIZE])
{
    enum attempt_state state = attempt->state;
    size_t used = (size_t)snprintf(out, NOTIFY_SUMMARY_SIZE, "Device %s of product %s ", names->device_text,
                                   names->product.product_key);
    char *end = out + used;
    size_t room = NOTIFY_SUMMARY_SIZE - used;
    const char *firmware = names->firmware.name;
    if (state == ATTEMPT_NOT_APPLIED)
        snprintf(end, room, "did not apply the package to %s of %s: it still runs %s.", attempt->to, firmware,
                 attempt->from);
    else if (state == ATTEMPT_DIVERGED)
        snprintf(end, room, "was on its way from %s to %s of %s, and reports another version.", attempt->from,
                 attempt->to, firmware);
    else
        snprintf(end, room, "runs %s of %s now, before %s%s.", attempt->to, firmware, attempt->from,
                 state == ATTEMPT_NOT_BY_US ? "; dfota did not see the whole package arrive" : "");
}

static bool add_end(struct db *db, enum webhook_kind kind, const struct attempt *attempt, int64_t at_ms,
                    struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    struct names names;
    if (!find_names(db, attempt->device_id, attempt->firmware_id, &names, err))
        return false;
    summarise_end(attempt, &names, summary);
    json_t *facts =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "product", names.product.product_key, "firmware",
                  names.firmware.name, "device", names.device_text, "attempt", (json_int_t)attempt->id,
                  "from", attempt->from, "to", attempt->to, "state", attempt_state_name(attempt->state));
    return notify_add(db, kind, names.product.id, "device", attempt->device_id, at_ms, summary, facts, err);
}

bool notify_attempt_ended(struct db *db, const struct attempt *attempt, int64_t at_ms, struct error *err)
{
    enum webhook_kind kind;
    bool wanted, spent;
    if (!kind_of_end(attempt->state, &kind))
        return true;
    if (!notify_is_wanted(db, kind, &wanted, err))
        return false;
    if (!wanted)
        return true;
    return budget_is_spent(db, attempt->device_id, attempt->link_id, at_ms / DAY_MS, &spent, err) &&
           (spent || add_end(db, kind, attempt, at_ms, err));
}

/* What needs a person */

bool notify_needs_person(struct db *db, const struct device *device, const struct firmware *firmware,
                         const char *why, const char *notice, int64_t at_ms, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    struct names names;
    bool wanted;
    if (!notify_is_wanted(db, WEBHOOK_NEEDS_PERSON, &wanted, err))
        return false;
    if (!wanted)
        return true;
    if (!find_names(db, device->id, firmware->id, &names, err))
        return false;
    snprintf(summary, sizeof summary, "Device %s of product %s needs a person: %s.", names.device_text,
             names.product.product_key, notice);
    json_t *facts =
        json_pack("{s:s, s:s, s:s, s:s, s:o}", "product", names.product.product_key, "firmware",
                  names.firmware.name, "device", names.device_text, "why", why, "notice", event_text(notice));
    return notify_add(db, WEBHOOK_NEEDS_PERSON, names.product.id, "device", device->id, at_ms, summary, facts,
                      err);
}

/* Packages over the limit */

static bool is_settled(const struct notify_size *size, int64_t uncounted_bytes, int64_t limit_bytes)
{
    int64_t counted = size->size_bytes - uncounted_bytes;
    return counted > limit_bytes && !improvement_may_fit(counted, size->tried, limit_bytes);
}

static bool add_oversize(struct db *db, const struct ledger_oversize *over, int64_t size_bytes,
                         int64_t uncounted_bytes, int64_t at_ms, struct error *err)
{
    int64_t counted = size_bytes - uncounted_bytes;
    char summary[NOTIFY_SUMMARY_SIZE];
    struct product product;
    struct firmware firmware;
    if (!product_get(db, over->product, &product, err) ||
        !firmware_get(db, product.id, over->firmware, &firmware, err))
        return false;
    snprintf(summary, sizeof summary,
             "The %spackage of %s from %s to %s, product %s, has %" PRId64 " bytes; the limit is %" PRId64
             ".",
             uncounted_bytes ? "change of the core in the " : "", over->firmware, over->from, over->to,
             over->product, counted, over->limit_bytes);
    json_t *facts =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "product", over->product, "firmware", over->firmware,
                  "from", over->from, "to", over->to, "size", (json_int_t)size_bytes, "counted",
                  (json_int_t)counted, "limit", (json_int_t)over->limit_bytes);
    return notify_add(db, WEBHOOK_PACKAGE_OVERSIZE, product.id, "firmware", firmware.id, at_ms, summary,
                      facts, err);
}

bool notify_oversize(struct db *db, const struct package *package, const struct notify_size *before,
                     const struct notify_size *now, int64_t at_ms, struct error *err)
{
    _cleanup_(cleanup_free) struct ledger_oversize *list = NULL;
    struct package known = {.id = 0};
    size_t count;
    bool wanted, found;
    if (!notify_is_wanted(db, WEBHOOK_PACKAGE_OVERSIZE, &wanted, err))
        return false;
    if (!wanted)
        return true;
    if (!package_by_id(db, package->id, &known, &found, err) ||
        !ledger_oversize_list(db, &package->key.from, &package->key.to,
                              now->size_bytes - known.uncounted_bytes, &list, &count, err))
        return false;
    for (size_t i = 0; found && known.wanted && i < count; i++)
        if (is_settled(now, known.uncounted_bytes, list[i].limit_bytes) &&
            !is_settled(before, known.uncounted_bytes, list[i].limit_bytes) &&
            !add_oversize(db, &list[i], now->size_bytes, known.uncounted_bytes, at_ms, err))
            return false;
    return true;
}

/* Packages that devices waited for */

bool notify_ready(struct db *db, const struct notify_ready *ready, const struct ready_device *device,
                  int64_t at_ms, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE], url[URL_SIZE] = "", name[LEDGER_DEVICE_SIZE];
    name_device(device->id_kind, device->device, name);
    if (device->token[0] && ready->device_url[0])
        snprintf(url, sizeof url, "%s/d/%s/%s", ready->device_url, device->token, ready->from);
    snprintf(summary, sizeof summary,
             "The package of %s from %s to %s (%" PRId64 " bytes) is ready for device %s of product %s.",
             ready->firmware->name, ready->from, ready->to, ready->size_bytes, name,
             ready->product->product_key);
    json_t *facts = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:o*}", "product",
                              ready->product->product_key, "firmware", ready->firmware->name, "device", name,
                              "attempt", (json_int_t)device->attempt_id, "from", ready->from, "to", ready->to,
                              "size", (json_int_t)ready->size_bytes, "url", event_text(url));
    return notify_add(db, WEBHOOK_PACKAGE_READY, ready->product->id, "device", device->device_id, at_ms,
                      summary, facts, err);
}

/* Packages out of service */

static json_t *quarantine_facts(const struct notify_quarantine *quarantine, const struct names *names)
{
    return json_pack("{s:s, s:s, s:o*, s:s}", "product", names->product.product_key, "firmware",
                     names->firmware.name, "from", event_text(quarantine->from), "to", quarantine->to);
}

/* A person has to look at it: the devices of the hop get nothing over it until then. */
static bool ask_person(struct db *db, const struct names *names, const char *notice, int64_t at_ms,
                       json_t *facts, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    snprintf(summary, sizeof summary, "Firmware %s of product %s needs a person: %s.", names->firmware.name,
             names->product.product_key, notice);
    json_object_set_new(facts, "why", json_string("package-quarantined"));
    json_object_set_new(facts, "notice", event_text(notice));
    return notify_add(db, WEBHOOK_NEEDS_PERSON, names->product.id, "firmware", names->firmware.id, at_ms,
                      summary, facts, err);
}

bool notify_quarantined(struct db *db, const struct notify_quarantine *quarantine, int64_t at_ms,
                        struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE], notice[NOTICE_SIZE], from[VERSION_TEXT_SIZE + 8] = "";
    struct names names = {.device_text = ""};
    bool wanted, asks, found;
    if (!notify_is_wanted(db, WEBHOOK_PACKAGE_QUARANTINED, &wanted, err) ||
        !notify_is_wanted(db, WEBHOOK_NEEDS_PERSON, &asks, err))
        return false;
    if (!wanted && !asks)
        return true;
    if (quarantine->device_id)
        found = find_names(db, quarantine->device_id, quarantine->firmware_id, &names, err);
    else
        found = find_firmware(db, quarantine->firmware_id, &names, err);
    if (!found)
        return false;
    if (quarantine->from[0])
        snprintf(from, sizeof from, " from %s", quarantine->from);
    snprintf(notice, sizeof notice, "the %spackage%s to %s is out of service: %s", from[0] ? "" : "full ",
             from, quarantine->to, quarantine->reason);
    snprintf(summary, sizeof summary, "Firmware %s of product %s: %s.", names.firmware.name,
             names.product.product_key, notice);
    json_t *facts = quarantine_facts(quarantine, &names);
    json_object_set_new(facts, "why", json_string(quarantine->why));
    if (names.device_text[0])
        json_object_set_new(facts, "device", json_string(names.device_text));
    json_object_set_new(facts, "reason", event_text(quarantine->reason));
    return notify_add(db, WEBHOOK_PACKAGE_QUARANTINED, names.product.id, "firmware", names.firmware.id, at_ms,
                      summary, facts, err) &&
           ask_person(db, &names, notice, at_ms, quarantine_facts(quarantine, &names), err);
}
