/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/record.h"

#include <stdio.h>

#include "base/clock.h"
#include "server/campaign/move.h"
#include "server/campaign/place.h"
#include "server/checkin/record_attempt.h"
#include "server/checkin/record_guard.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/webhook/notify.h"
#include "storage/image_package.h"

static bool note_version(struct db *db, struct facts *facts, const char *before, const struct sha256 *build,
                         struct error *err)
{
    const struct device *device = &facts->device;
    const struct event event = {.kind = LEDGER_VERSION_REPORTED,
                                .at_ms = facts->checkin.now_ms,
                                .firmware = facts->firmware.name,
                                .device = device,
                                .link = facts->link.id,
                                .ret_counted = &facts->spent,
                                .by_admin = device->confirmed_grade == GRADE_ADMIN};
    json_t *detail =
        json_pack("{s:b, s:o*, s:o*, s:s, s:s, s:s}", "authenticated", (int)device_is_authenticated(device),
                  "before", event_text(before), "build_sha256", build ? event_hash(build) : NULL, "evidence",
                  enum_name(&reported_by_names, device->confirmed_by), "grade",
                  grade_name(device->confirmed_grade), "version", device->confirmed_version);
    if (device->confirmed_ms != facts->checkin.now_ms)
        json_object_set_new(detail, "since", json_integer((json_int_t)device->confirmed_ms));
    return event_add(db, &event, detail, err);
}

/* Removes the claim: it was made against older evidence. */
static void confirm(struct device *device, const struct version *version, enum reported_by by,
                    enum grade grade, int64_t now_ms)
{
    version_format(version, device->confirmed_version);
    device->confirmed_by = by;
    device->confirmed_grade = grade;
    device->confirmed_ms = now_ms;
    device->claim = (struct claim){.version = ""};
    if (!device->blocked)
        device->notice[0] = '\0';
}

/* The build of the confirmed version: that of the package that was delivered, or the one that was known before. A version
   that came in another way may be any build. */
static bool take_build(struct db *db, struct facts *facts, const struct device *before, struct error *err)
{
    struct device *device = &facts->device;
    const struct attempt *attempt = &facts->attempt;
    bool same = before->firmware_id == device->firmware_id &&
                strcmp(before->confirmed_version, device->confirmed_version) == 0;
    bool by_us = facts->snapshot.attempt_open && facts->slot == SLOT_MAIN && attempt->delivered_ms &&
                 attempt->firmware_id == device->firmware_id &&
                 strcmp(attempt->to, device->confirmed_version) == 0;
    bool found = false;
    if (by_us && !image_package_to(db, device->firmware_id, attempt->to, &attempt->package_sha256,
                                   &device->build, &found, err))
        return false;
    if (!found && !same)
        device->build = (struct sha256){{0}};
    return true;
}

/* Stored once: a repeated claim is ignored. */
static bool take_claim(struct db *db, struct facts *facts, const struct version *version, enum reported_by by,
                       enum grade grade, struct error *err)
{
    struct claim *claim = &facts->device.claim;
    char text[VERSION_TEXT_SIZE];
    version_format(version, text);
    if (strcmp(claim->version, text) == 0 && claim->firmware_id == facts->firmware.id && claim->by == by &&
        claim->grade == grade)
        return true;
    *claim = (struct claim){
        .firmware_id = facts->firmware.id, .at_ms = facts->checkin.now_ms, .by = by, .grade = grade};
    memcpy(claim->version, text, sizeof claim->version);
    memcpy(claim->origin, facts->peer, sizeof claim->origin);
    const struct event event = {.kind = LEDGER_VERSION_CLAIMED,
                                .at_ms = facts->checkin.now_ms,
                                .firmware = facts->firmware.name,
                                .device = &facts->device};
    return event_add(db, &event,
                     json_pack("{s:s, s:s, s:s, s:s, s:o*, s:s}", "confirmed",
                               facts->device.confirmed_version, "confirmed_grade",
                               grade_name(facts->device.confirmed_grade), "evidence",
                               enum_name(&reported_by_names, by), "grade", grade_name(claim->grade), "origin",
                               event_text(claim->origin), "version", claim->version),
                     err);
}

/* Over the dialect a device reports its version at every check-in. The time of the first report is kept,
   so that a repeated report needs no write. A report that ends an attempt counts as a new one. True: a
   new report. */
static bool take_report(struct facts *facts, const struct decision *decision)
{
    struct device *device = &facts->device;
    char version[VERSION_TEXT_SIZE];
    version_format(&facts->checkin.version, version);
    bool news = decision->end_attempt || (device->notice[0] && !device->blocked) ||
                device->firmware_id != facts->firmware.id ||
                strcmp(device->confirmed_version, version) != 0 ||
                device->confirmed_by != REPORTED_BY_CHECK_IN || device->confirmed_grade != facts->grade;
    if (news)
        confirm(device, &facts->checkin.version, REPORTED_BY_CHECK_IN, facts->grade, facts->checkin.now_ms);
    device->firmware_id = facts->firmware.id;
    return news;
}

/* Stores how the device asks, so that `explain` can ask in the same way. A link from turnkey_fota does
   not count: the device asks turnkey_fota. A request in another slot than the main one, or whose version
   is a claim, may come from another sender. */
static void take_way(struct facts *facts, const struct client_identity *client,
                     const struct decision *decision)
{
    struct device *device = &facts->device;
    bool over_link = facts->checkin.source == CHECKIN_LINK;
    if (over_link && facts->link.handed_out)
        return;
    if (decision->claim || facts->slot != SLOT_MAIN)
        return;
    device->asked_over = over_link                   ? ASKED_OVER_LINK
                         : facts->checkin.offer      ? ASKED_OVER_TURNKEY
                         : facts->checkin.core_leads ? ASKED_OVER_CORE
                                                     : ASKED_OVER_DIALECT;
    device->asked_link = over_link ? facts->link.id : 0;
    device->asked_said[0] = '\0';
    if (facts->named.count)
        version_format(&facts->named, device->asked_said);
    snprintf(device->asked_firmware, sizeof device->asked_firmware, "%s", over_link ? "" : client->firmware);
}

static void take_answer(struct facts *facts, const struct decision *decision)
{
    struct device *device = &facts->device;
    int code = answer_code(decision->answer);
    if (!device->first_seen_ms)
        device->first_seen_ms = facts->checkin.now_ms;
    if (facts->snapshot.base.count && !decision->claim)
        version_format(&facts->snapshot.base, device->asked_version);
    if (decision->block)
        device->blocked = true;
    if (decision->block)
        record_guard_notice(facts, device->notice);
    if (decision->notice_stale_link)
        snprintf(device->notice, sizeof device->notice,
                 "stale link or refused package: report the version or set a new link");
    if (device->last_code == code && strcmp(device->last_reason, decision->reason) == 0)
        return;
    device->last_code = code;
    snprintf(device->last_reason, sizeof device->last_reason, "%s", decision->reason);
    device->last_answer_ms = facts->checkin.now_ms;
}

/* For a check-in that changes something. Others are counted by device and day (counters.c). */
static bool note_checkin(struct db *db, struct facts *facts, const struct decision *decision,
                         struct error *err)
{
    const struct attempt *attempt = &facts->attempt;
    const struct version *said = &facts->checkin.version;
    bool with_attempt = decision->open_attempt || facts->snapshot.attempt_open;
    char version[VERSION_TEXT_SIZE] = "";
    if (said->count)
        version_format(said, version);
    const struct event event = {.kind = LEDGER_CHECK_IN,
                                .at_ms = facts->checkin.now_ms,
                                .product = facts->product.product_key,
                                .firmware = facts->firmware.name,
                                .device = &facts->device,
                                .attempt = with_attempt ? attempt->id : 0,
                                .link = facts->link.id,
                                .ret_counted = &facts->spent,
                                .package = decision->send ? &attempt->package_sha256 : NULL};
    json_t *detail =
        json_pack("{s:i, s:o*, s:s, s:o*}", "code", answer_code(decision->answer), "guard",
                  event_text(facts->guard_why), "over",
                  facts->checkin.source == CHECKIN_LINK ? "link" : "dialect", "version", event_text(version));
    event_reason(detail, "reason", decision->reason);
    if (decision->send && decision->first)
        json_object_set_new(detail, "offset", json_integer((json_int_t)decision->first));
    if (decision->open_attempt)
        json_object_set_new(detail, "to", json_string(attempt->to));
    return event_add(db, &event, detail, err);
}

/* A check-in without a row in the ledger is counted for its day instead. */
static bool count_instead(struct facts *facts)
{
    facts->noted = !facts->spent;
    return true;
}

static bool touches_attempt(const struct decision *decision)
{
    return decision->end_attempt || decision->unpin || decision->aim_attempt || decision->open_attempt ||
           decision->send;
}

/* Tells the admin, once a day and network, that devices are refused. */
static bool record_admission(struct daemon *daemon, struct db *db, const struct client_identity *client,
                             struct facts *facts, const struct decision *decision, struct error *err)
{
    if (facts->admission == ADMISSION_OPEN || facts->admission_told || decision->answer != ANSWER_NOT_ALLOWED)
        return true;
    facts->tells_admission = true;
    return admission_tell(db, &facts->product, client->network, facts->checkin.now_ms, facts->admission,
                          daemon->config->max_new_devices_per_day, err);
}

static bool tell_person(struct db *db, const struct facts *facts, const struct device *before,
                        const struct decision *decision, struct error *err)
{
    const struct device *device = &facts->device;
    int64_t now_ms = facts->checkin.now_ms;
    bool is_stale = decision->notice_stale_link && strcmp(before->notice, device->notice) != 0;
    return (!decision->block ||
            notify_needs_person(db, device, &facts->firmware, "loop-guard", device->notice, now_ms, err)) &&
           (!is_stale ||
            notify_needs_person(db, device, &facts->firmware, "stale-link", device->notice, now_ms, err)) &&
           (!facts->newly_shared || notify_needs_person(db, device, &facts->firmware, "shared-id",
                                                        "two modules seem to share this id", now_ms, err));
}

static bool admit(struct db *db, const struct client_identity *client, struct facts *facts, struct error *err)
{
    const struct admission_place place = {facts->product.id, client->network, facts->checkin.now_ms / DAY_MS};
    return device_add(db, facts->product.id, &client->identity, facts->firmware.id, &facts->device, err) &&
           admission_take(db, &place, err);
}

/* The device may have left a firmware, and come to another. After its attempt has ended: that a package made another
   firmware of the module is a failure. */
static bool tell_move(struct db *db, const struct facts *facts, const struct device *before,
                      struct error *err)
{
    return before->firmware_id == facts->device.firmware_id ||
           campaign_device_changed(db, facts->device.id, facts->checkin.now_ms, err);
}

/* The confirmed version of the device is the reported one. */
static bool tell_campaign(struct db *db, const struct facts *facts, bool reported, struct error *err)
{
    return !reported || campaign_version_reported(db, &facts->member, facts->device.confirmed_version,
                                                  facts->checkin.now_ms, err);
}

static bool store_device(struct db *db, struct facts *facts, const struct device *before, struct error *err)
{
    facts->counted =
        device_check_in(db, facts->clamped ? NULL : before, &facts->device, facts->checkin.now_ms, err);
    return facts->counted;
}

bool record_decision(struct daemon *daemon, struct db *db, const struct client_identity *client,
                     struct facts *facts, const struct decision *decision, struct error *err)
{
    if (decision->admit && !admit(db, client, facts, err))
        return false;
    if (!facts->device.id)
        return record_admission(daemon, db, client, facts, decision, err);
    struct device before = facts->device;
    if (decision->hold) {
        facts->device.state = DEVICE_HELD;
        facts->device.state_ms = facts->checkin.now_ms;
    }
    if (decision->claim &&
        !take_claim(db, facts, &facts->checkin.version, REPORTED_BY_CHECK_IN, facts->grade, err))
        return false;
    if (decision->block && !record_guard_close(db, facts, decision, err))
        return false;
    if (decision->confirm && take_report(facts, decision) &&
        (!take_build(db, facts, &before, err) ||
         !note_version(db, facts, before.confirmed_version, NULL, err)))
        return false;
    facts->said.device_id = facts->device.id;
    if (facts->said_changed && !said_set(db, &facts->said, err))
        return false;
    if (facts->newly_shared)
        log_line(LOG_LEVEL_WARN, "device-shared", "product", facts->product.product_key, "device",
                 facts->device.device, "version", facts->said.version, "before", facts->said.before, NULL);
    take_answer(facts, decision);
    if (!tell_person(db, facts, &before, decision, err))
        return false;
    take_way(facts, client, decision);
    bool changed = !device_equal(&before, &facts->device);
    if (decision->confirm && !record_attempt_late_news(db, facts, &facts->checkin.version, NULL, err))
        return false;
    facts->noted = facts->noted || changed || decision->admit || touches_attempt(decision);
    return ((!changed && !facts->clamped) || store_device(db, facts, &before, err)) &&
           record_attempt(daemon, db, facts, decision, err) && tell_move(db, facts, &before, err) &&
           tell_campaign(db, facts, decision->confirm, err) &&
           (!facts->noted || (note_checkin(db, facts, decision, err) && count_instead(facts)));
}

/* A report of what is known already gets no row in the ledger. */
static bool says_more(const struct device *before, const struct device *after)
{
    return strcmp(before->confirmed_version, after->confirmed_version) != 0 ||
           before->confirmed_by != after->confirmed_by || before->confirmed_grade != after->confirmed_grade ||
           before->firmware_id != after->firmware_id || !sha256_equal(&before->build, &after->build) ||
           strcmp(before->notice, after->notice) != 0;
}

bool record_report(struct db *db, struct facts *facts, const struct report *report, struct error *err)
{
    const struct device before = facts->device;
    if (!facts_counts(facts, report->grade)) {
        bool is_same = facts->snapshot.confirmed.count &&
                       version_compare(&report->version, &facts->snapshot.confirmed) == 0;
        return is_same || (take_claim(db, facts, &report->version, report->by, report->grade, err) &&
                           device_update(db, &facts->device, err));
    }
    confirm(&facts->device, &report->version, report->by, report->grade, report->at_ms);
    facts->device.firmware_id = facts->firmware.id;
    if (!take_build(db, facts, &before, err))
        return false;
    if (report->build)
        facts->device.build = *report->build;
    facts->noted = says_more(&before, &facts->device);
    if (!device_update(db, &facts->device, err) ||
        (facts->noted && !note_version(db, facts, before.confirmed_version, report->build, err)))
        return false;
    if (!record_attempt_late_news(db, facts, &report->version, report->testimony, err))
        return false;
    return record_attempt_report(db, facts, &report->version, report->testimony, err) &&
           tell_move(db, facts, &before, err) && tell_campaign(db, facts, true, err);
}
