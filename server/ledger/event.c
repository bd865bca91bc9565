/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/ledger/event.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/slice.h"
#include "storage/budget.h"
#include "storage/product.h"

#define CUT_TO       64  /* bytes that are kept of each text if the detail is too long */
#define TOLD_AT_ONCE 500 /* rows in one call: check-ins wait for it */

json_t *event_text(const char *text)
{
    if (!text || !text[0])
        return NULL;
    size_t len = strlen(text);
    char *copy = strdup(text);
    if (!copy)
        return NULL;
    for (size_t i = 0, step; i < len; i += step) {
        for (step = 1; step <= 4 && i + step <= len; step++)
            if (slice_is_clean_utf8((struct slice){copy + i, step}))
                break;
        if (step <= 4 && i + step <= len)
            continue;
        step = 1;
        copy[i] = (unsigned char)copy[i] < ' ' || copy[i] == 0x7F ? ' ' : '?';
    }
    json_t *json = json_stringn(copy, len);
    free(copy);
    return json;
}

static json_t *params_of(const json_t *array)
{
    json_t *params = json_array(), *param;
    size_t i;
    json_array_foreach ((json_t *)array, i, param) {
        if (i == 0)
            continue; /* the code */
        if (json_is_array(param))
            json_array_append_new(params, json_pack("{s:O, s:o}", "code", json_array_get(param, 0), "params",
                                                    params_of(param)));
        else
            json_array_append(params, param);
    }
    return params;
}

json_t *event_reason_params(const char *reason)
{
    json_t *array = json_loads(reason, 0, NULL);
    json_t *params = params_of(array);
    json_decref(array);
    return params;
}

void event_reason(json_t *detail, const char *name, const char *reason)
{
    char text[REASON_TEXT_SIZE], key[32];
    struct reason parsed;
    if (!reason[0])
        return;
    json_object_set_new(detail, name, event_text(reason_text(reason, REASON_ENGLISH, text)));
    if (!reason_parse(slice_of(reason), &parsed))
        return;
    snprintf(key, sizeof key, "%s_code", name);
    json_object_set_new(detail, key, json_string(reason_code_name(parsed.code)));
    snprintf(key, sizeof key, "%s_params", name);
    json_object_set_new(detail, key, event_reason_params(reason));
}

json_t *event_hash(const struct sha256 *hash)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(hash, hex);
    return json_string(hex);
}

static void cut_texts(json_t *detail)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(detail, next, name, value)
    {
        size_t len = json_string_length(value);
        if (json_is_object(value))
            cut_texts(value);
        if (!json_is_string(value) || len <= CUT_TO)
            continue;
        const char *text = json_string_value(value);
        for (len = CUT_TO; len && (text[len] & 0xC0) == 0x80; len--)
            ;
        json_object_set_new(detail, name, json_stringn(text, len));
    }
}

static bool write_detail(const json_t *detail, char out[LEDGER_DETAIL_SIZE])
{
    size_t len = json_dumpb(detail, out, LEDGER_DETAIL_SIZE - 1, JSON_COMPACT | JSON_SORT_KEYS);
    if (len == 0 || len >= LEDGER_DETAIL_SIZE)
        return false;
    out[len] = '\0';
    return true;
}

static bool take_detail(json_t *detail, char out[LEDGER_DETAIL_SIZE], struct error *err)
{
    if (write_detail(detail, out))
        return true;
    json_object_del(detail, "reason_params"); /* the English text is left */
    cut_texts(detail);
    return write_detail(detail, out) || error_set(err, ERROR_INTERNAL, "a row for the ledger is too long");
}

static void take_references(const struct event *event, struct ledger_row *row)
{
    snprintf(row->kind, sizeof row->kind, "%s", ledger_kind_name(event->kind));
    snprintf(row->product, sizeof row->product, "%s", event->product ? event->product : "");
    snprintf(row->firmware, sizeof row->firmware, "%s", event->firmware ? event->firmware : "");
    if (event->device)
        snprintf(row->device, sizeof row->device, "%s:%s", identity_kind_name(event->device->id_kind),
                 event->device->device);
    if (event->identity)
        snprintf(row->device, sizeof row->device, "%s:%s", identity_kind_name(event->identity->kind),
                 event->identity->id);
    if (event->package)
        sha256_hex(event->package, row->package);
}

static bool name_product(struct db *db, const struct event *event, struct ledger_row *row, struct error *err)
{
    struct product product = {.id = 0};
    bool found;
    if (event->product || !event->device)
        return true;
    if (!product_by_id(db, event->device->product_id, &product, &found, err))
        return false;
    memcpy(row->product, product.product_key, sizeof row->product);
    return true;
}

/* Budgets */

static bool has_budget(enum ledger_kind kind, bool *ret_moves)
{
    *ret_moves = kind == LEDGER_VERSION_REPORTED || kind == LEDGER_ATTEMPT_ENDED ||
                 kind == LEDGER_BYTES_DELIVERED || kind == LEDGER_BYTES_HANDED_OVER;
    return *ret_moves || kind == LEDGER_CHECK_IN || kind == LEDGER_TRANSCRIPT_RECEIVED ||
           kind == LEDGER_RESULT_TOLD || kind == LEDGER_BYTES_INTERRUPTED || kind == LEDGER_EVENT_UNFIT ||
           kind == LEDGER_VERSION_CLAIMED || kind == LEDGER_ASKED_ELSEWHERE;
}

/* Adds one row with the number of facts that were only counted on that day so far. */
static bool record_budget(struct db *db, struct budget *budget, int64_t now_ms, struct error *err)
{
    struct ledger_row row = {.at_ms = now_ms};
    json_t *counts = json_loads(budget->counts, 0, NULL);
    json_t *detail =
        json_pack("{s:o*, s:I, s:s, s:I}", "counts", counts, "day", (json_int_t)budget->day, "of",
                  enum_name(&budget_subject_names, budget->subject), "total", (json_int_t)budget->unstored);
    bool ok = take_detail(detail, row.detail, err);
    json_decref(detail);
    snprintf(row.kind, sizeof row.kind, "%s", ledger_kind_name(LEDGER_FACTS_COUNTED));
    snprintf(row.product, sizeof row.product, "%s", budget->product);
    snprintf(row.firmware, sizeof row.firmware, "%s", budget->firmware);
    snprintf(row.device, sizeof row.device, "%s", budget->device);
    budget->told = budget->unstored;
    return ok && ledger_add(db, &row, err);
}

static bool is_power_of_ten(int64_t number)
{
    while (number % 10 == 0)
        number /= 10;
    return number == 1;
}

static void count_kind(struct budget *budget, const char *kind)
{
    json_t *counts = json_loads(budget->counts, 0, NULL);
    json_int_t before = json_integer_value(json_object_get(counts, kind));
    json_object_set_new(counts, kind, json_integer(before + 1));
    size_t len = json_dumpb(counts, budget->counts, sizeof budget->counts - 1, JSON_COMPACT | JSON_SORT_KEYS);
    budget->counts[len < sizeof budget->counts ? len : 0] = '\0';
    json_decref(counts);
}

/* Uses one fact of the budget. *ret_spent: the budget was used up, and the fact is only counted. */
static bool spend(struct db *db, const struct ledger_row *row, enum budget_subject subject, int64_t id,
                  int64_t most, bool *ret_spent, struct error *err)
{
    struct budget budget, left;
    *ret_spent = false;
    if (!budget_load(db, subject, id, row->at_ms / DAY_MS, &budget, &left, err) ||
        (left.unstored && !record_budget(db, &left, row->at_ms, err)))
        return false;
    *ret_spent = budget.facts >= most;
    if (!*ret_spent) {
        budget.facts++;
        return budget_store(db, &budget, err);
    }
    budget.unstored++;
    count_kind(&budget, row->kind);
    memcpy(budget.product, row->product, sizeof budget.product);
    if (subject != BUDGET_PRODUCT) {
        memcpy(budget.firmware, row->firmware, sizeof budget.firmware);
        memcpy(budget.device, row->device, sizeof budget.device);
    }
    return (!is_power_of_ten(budget.unstored) || record_budget(db, &budget, row->at_ms, err)) &&
           budget_store(db, &budget, err);
}

/* Uses the budget of the device or of the link. A device that is new today also uses the budget of its
   product, so that many new devices together are limited too. */
static bool spend_all(struct db *db, const struct event *event, const struct ledger_row *row, bool *ret_spent,
                      struct error *err)
{
    const struct device *device = event->device;
    bool moves;
    *ret_spent = false;
    if (!device || event->by_admin || !has_budget(event->kind, &moves))
        return true;
    int64_t most = BUDGET_ROWS + (moves ? BUDGET_ROWS_LAST : 0);
    if (!spend(db, row, event->link ? BUDGET_LINK : BUDGET_DEVICE, event->link ? event->link : device->id,
               most, ret_spent, err))
        return false;
    bool is_new = !device->first_seen_ms || device->first_seen_ms / DAY_MS == row->at_ms / DAY_MS;
    return *ret_spent || !is_new ||
           spend(db, row, BUDGET_PRODUCT, device->product_id, BUDGET_NEW_DEVICES, ret_spent, err);
}

bool note_budgets(struct db *db, int64_t now_ms, bool *ret_more, struct error *err)
{
    _cleanup_(cleanup_free) struct budget *list = NULL;
    size_t count;
    if (!budget_untold(db, now_ms / DAY_MS, TOLD_AT_ONCE, &list, &count, err))
        return false;
    *ret_more = count == TOLD_AT_ONCE;
    for (size_t i = 0; i < count; i++)
        if (!record_budget(db, &list[i], now_ms, err) || !budget_store(db, &list[i], err))
            return false;
    return *ret_more || budget_remove(db, now_ms / DAY_MS, err);
}

bool event_add(struct db *db, const struct event *event, json_t *detail, struct error *err)
{
    struct ledger_row row = {.at_ms = event->at_ms ? event->at_ms : clock_utc_ms(),
                             .attempt = event->attempt};
    if (!detail)
        detail = json_object();
    bool ok = take_detail(detail, row.detail, err);
    json_decref(detail);
    bool spent = false;
    take_references(event, &row);
    ok = ok && name_product(db, event, &row, err) && spend_all(db, event, &row, &spent, err) &&
         (spent || ledger_add(db, &row, err));
    if (event->ret_counted)
        *event->ret_counted = spent;
    return ok;
}

bool event_attempt(struct db *db, enum ledger_kind kind, int64_t at_ms, const struct attempt *attempt,
                   json_t *detail, struct error *err)
{
    struct device device = {.id = 0};
    struct firmware firmware = {.id = 0};
    bool found;
    if (!device_by_id(db, attempt->device_id, &device, &found, err) ||
        !firmware_by_id(db, attempt->firmware_id, &firmware, &found, err)) {
        json_decref(detail);
        return false;
    }
    const struct event event = {.kind = kind,
                                .at_ms = at_ms,
                                .firmware = firmware.name,
                                .device = &device,
                                .attempt = attempt->id,
                                .link = attempt->link_id,
                                .package = attempt->size_bytes ? &attempt->package_sha256 : NULL};
    if (!detail)
        detail = json_object();
    json_object_set_new(detail, "from", json_string(attempt->from));
    json_object_set_new(detail, "to", json_string(attempt->to));
    return event_add(db, &event, detail, err);
}

bool event_attempt_ended(struct db *db, const struct attempt *attempt, enum attempt_state before,
                         enum attempt_event event, int64_t at_ms, struct error *err)
{
    json_t *detail = json_pack("{s:s, s:s, s:s}", "before", attempt_state_name(before), "event",
                               attempt_event_name(event), "state", attempt_state_name(attempt->state));
    if (attempt->delivered_ms)
        json_object_set_new(detail, "delay_ms",
                            json_integer((json_int_t)(at_ms - clock_clamp(attempt->delivered_ms, at_ms))));
    return event_attempt(db, LEDGER_ATTEMPT_ENDED, at_ms, attempt, detail, err);
}
