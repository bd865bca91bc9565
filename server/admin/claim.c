/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Claims: evidence of a lower grade that contradicts the confirmed version of a device. An admin accepts
   or dismisses a claim. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/checkin/lookup.h"
#include "server/checkin/record.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"

struct settlement {
    struct admin_call *call;
    const char *version; /* that the admin saw; NULL: the claim is dismissed, whatever version it names */
    struct product product;
    struct device device;
    struct claim claim;
};

static bool find(struct settlement *settlement, struct db *db, struct error *err)
{
    struct device *device = &settlement->device;
    if (!path_params_device(settlement->call->request, db, &settlement->product, device, err))
        return false;
    settlement->claim = device->claim;
    return device->claim.version[0] ||
           error_set(err, ERROR_CLAIM_NOT_FOUND, "there is no claim about the device %s", device->device);
}

static bool note(const struct settlement *settlement, enum ledger_kind kind, struct db *db, struct error *err)
{
    const struct claim *claim = &settlement->claim;
    const struct event event = {
        .kind = kind, .product = settlement->product.product_key, .device = &settlement->device};
    return event_add(db, &event,
                     json_pack("{s:o, s:s, s:s, s:o*, s:s}", "by", event_by(settlement->call->request),
                               "evidence", enum_name(&reported_by_names, claim->by), "grade",
                               grade_name(claim->grade), "origin", event_text(claim->origin), "version",
                               claim->version),
                     err);
}

/* The evidence of the higher grade is dropped, and the claim counts as a report of its own grade. It ends only an
   attempt whose package was there when the claim was made. From now on the device follows the source of the claim; evidence of a higher grade can still replace it. */
static bool confirm(struct settlement *settlement, struct db *db, struct error *err)
{
    const struct claim *claim = &settlement->claim;
    struct device *device = &settlement->device;
    struct firmware firmware;
    struct facts facts;
    bool found;
    struct testimony testimony = {.seen_ms = claim->at_ms,
                                  .arrived_ms = claim->at_ms,
                                  .same_firmware = device->firmware_id == claim->firmware_id};
    struct report report = {
        .by = claim->by, .grade = claim->grade, .at_ms = clock_utc_ms(), .testimony = &testimony};
    if (!version_parse(slice_of(claim->version), &report.version) ||
        !firmware_by_id(db, claim->firmware_id, &firmware, &found, err))
        return false;
    testimony.version = report.version;
    device->confirmed_grade = GRADE_NONE;
    if (!lookup_device(settlement->call->daemon, db, device, &firmware, report.at_ms, &facts, err) ||
        !record_report(db, &facts, &report, err))
        return false;
    *device = facts.device;
    return true;
}

static bool accept(void *cls, struct db *db, struct error *err)
{
    struct settlement *settlement = cls;
    struct version wanted, claimed;
    if (!find(settlement, db, err))
        return false;
    if (!version_parse(slice_of(settlement->version), &wanted) ||
        !version_parse(slice_of(settlement->claim.version), &claimed) ||
        version_compare(&wanted, &claimed) != 0)
        return error_set(err, ERROR_CLAIM_CHANGED, "the claim about the device %s is %s, not %s",
                         settlement->device.device, settlement->claim.version, settlement->version);
    return note(settlement, LEDGER_CLAIM_ACCEPTED, db, err) && confirm(settlement, db, err);
}

static bool dismiss(void *cls, struct db *db, struct error *err)
{
    struct settlement *settlement = cls;
    if (!find(settlement, db, err))
        return false;
    settlement->device.claim = (struct claim){.version = ""};
    return device_update(db, &settlement->device, err) && note(settlement, LEDGER_CLAIM_DISMISSED, db, err);
}

static bool settle(struct settlement *settlement, writer_function *change, const char *event,
                   struct error *err)
{
    if (!call_change(settlement->call, change, settlement, err))
        return false;
    log_line(LOG_LEVEL_INFO, event, "product", settlement->product.product_key, "device",
             settlement->device.device, "version", settlement->claim.version, NULL);
    return admin_device_answer(settlement->call, &settlement->device, err);
}

bool admin_claim_accept(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct settlement settlement = {.call = call};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s}", "version", &settlement.version))
        return false;
    return settle(&settlement, accept, "claim-accepted", err);
}

bool admin_claim_dismiss(struct admin_call *call, struct error *err)
{
    struct settlement settlement = {.call = call};
    return settle(&settlement, dismiss, "claim-dismissed", err);
}
