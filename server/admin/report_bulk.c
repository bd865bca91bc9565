/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reports the versions of a list of devices at once: all or none. */
#include <stdlib.h>

#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/admin/report_csv.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"
#include "server/checkin/evidence.h"
#include "server/checkin/lookup.h"

struct bulk {
    struct admin_call *call;
    struct product product;
    struct firmware firmware;
    struct report_order *orders;
    size_t count;
    int64_t now_ms;
    struct csv_faults faults;
};

static bool find_device(struct db *db, const struct firmware *firmware, const struct identity *identity,
                        struct device *ret, struct error *err)
{
    bool found;
    return device_find(db, firmware->product_id, identity, ret, &found, err) &&
           (found || device_add(db, firmware->product_id, identity, firmware->id, ret, err));
}

static bool report(struct bulk *bulk, struct db *db, struct report_order *order, struct error *err)
{
    struct device device;
    struct facts facts;
    struct verdict verdict;
    if (!find_device(db, &bulk->firmware, &order->identity, &device, err) ||
        !lookup_device(bulk->call->daemon, db, &device, &bulk->firmware, bulk->now_ms, &facts, err))
        return false;
    struct sha256 build;
    bool told;
    if (!base_build_find(db, bulk->firmware.id, &order->version, &order->build, &build, &told, err))
        return false;
    const struct testimony testimony = {
        .build = told ? &build : NULL,
        .version = order->version,
        .seen_ms = order->at_ms && order->at_ms < bulk->now_ms ? order->at_ms : bulk->now_ms,
        .arrived_ms = bulk->now_ms,
        .same_firmware = device.firmware_id == bulk->firmware.id,
    };
    const char *doubt = testify_doubt(&facts, &testimony);
    if (!evidence_version(db, &facts, &testimony, REPORTED_BY_LIST, GRADE_ADMIN, &verdict, err))
        return false;
    order->why = verdict.counts ? NULL : verdict.why;
    order->warning = verdict.counts ? doubt : NULL;
    return true;
}

static bool report_all(void *cls, struct db *db, struct error *err)
{
    struct bulk *bulk = cls;
    struct error why;
    bulk->now_ms = clock_utc_ms();
    if (!path_params_firmware(bulk->call->request, db, &bulk->product, &bulk->firmware, err))
        return false;
    for (size_t i = 0; i < bulk->count; i++)
        if (!report(bulk, db, &bulk->orders[i], &why) &&
            !csv_note_fault(&bulk->faults, bulk->orders[i].line, &why, err))
            return false;
    if (!csv_end_faults(&bulk->faults, err))
        return false;
    const struct event event = {.kind = LEDGER_REPORTS_LISTED,
                                .at_ms = bulk->now_ms,
                                .product = bulk->product.product_key,
                                .firmware = bulk->firmware.name};
    return event_add(
        db, &event,
        json_pack("{s:o, s:I}", "by", event_by(bulk->call->request), "reports", (json_int_t)bulk->count),
        err);
}

static json_t *told_of(const struct report_order *order, const char *why)
{
    char version[VERSION_TEXT_SIZE];
    version_format(&order->version, version);
    return json_pack("{s:s, s:s, s:s}", "device", order->identity.id, "version", version, "why", why);
}

/* What happened with each line. */
static json_t *lines_json(const struct bulk *bulk)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < bulk->count; i++) {
        const struct report_order *order = &bulk->orders[i];
        char version[VERSION_TEXT_SIZE];
        version_format(&order->version, version);
        json_array_append_new(
            lines, json_pack("{s:I, s:s, s:s, s:s, s:s, s:o}", "line", (json_int_t)order->line, "device",
                             order->identity.id, "id_kind", identity_kind_name(order->identity.kind),
                             "version", version, "result", order->why ? "not-counted" : "counted", "why",
                             field_text(order->why       ? order->why
                                        : order->warning ? order->warning
                                                         : "")));
    }
    return lines;
}

static void answer(struct bulk *bulk)
{
    json_t *items = json_array(), *warnings = json_array();
    struct log_number lines, counted;
    for (size_t i = 0; i < bulk->count; i++)
        if (bulk->orders[i].why)
            json_array_append_new(items, told_of(&bulk->orders[i], bulk->orders[i].why));
        else if (bulk->orders[i].warning)
            json_array_append_new(warnings, told_of(&bulk->orders[i], bulk->orders[i].warning));
    size_t left_out = json_array_size(items);
    if (json_array_size(warnings) == 0) {
        json_decref(warnings);
        warnings = NULL; /* json_pack() leaves it out */
    }
    log_line(LOG_LEVEL_INFO, "reports-taken", "product", bulk->product.product_key, "firmware",
             bulk->firmware.name, "reports", log_i64(&lines, (long long)bulk->count), "counted",
             log_i64(&counted, (long long)(bulk->count - left_out)), NULL);
    reply_json(&bulk->call->reply, 200,
               json_pack("{s:I, s:I, s:o, s:o*, s:o}", "reports", (json_int_t)bulk->count, "counted",
                         (json_int_t)(bulk->count - left_out), "not_counted", items, "warnings", warnings,
                         "items", lines_json(bulk)));
}

static bool run(struct bulk *bulk, struct error *err)
{
    struct admin_call *call = bulk->call;
    if (!path_params_firmware(call->request, call->db, &bulk->product, &bulk->firmware, err) ||
        !call_check_type(call, "text/csv", "the list of devices", err) ||
        !report_csv_parse(call->request->body, bulk->firmware.name, clock_utc_ms(), &bulk->orders,
                          &bulk->count, &bulk->faults, err))
        return false;
    call_store_counts(call); /* the time of the last check-in decides which reports count */
    if (!call_change(call, report_all, bulk, err))
        return false;
    answer(bulk);
    return true;
}

bool admin_report_add_many(struct admin_call *call, struct error *err)
{
    struct bulk bulk = {.call = call};
    bool ok = run(&bulk, err);
    if (!ok)
        call_show_faults(call, &bulk.faults);
    free(bulk.orders);
    return ok;
}
