/* What a decision changes, stored. */
#include <stdio.h>

#include "server/facts.h"
#include "server/log.h"
#include "server/note.h"

/* What ends the attempt, and what does not fit it and changes nothing, is noted. */
static bool set_state(struct db *db, struct attempt *attempt, enum attempt_event event, int64_t now_ms,
                      struct error *err)
{
    enum attempt_state before = attempt_state_of(attempt), state = before;
    if (!attempt_apply(&state, event))
        return note_attempt(db, LEDGER_EVENT_UNFIT, now_ms, attempt,
                            json_pack("{s:s, s:s}", "event", attempt_event_name(event), "state", attempt->state), err);
    snprintf(attempt->state, sizeof attempt->state, "%s", attempt_state_name(state));
    if (attempt_is_open(state))
        return true;
    attempt->ended_ms = now_ms;
    return note_attempt_ended(db, attempt, before, event, now_ms, err);
}

static bool note_version(struct db *db, const struct facts *facts, const char *before, struct error *err)
{
    const struct device *device = &facts->device;
    const struct note note = {.kind = LEDGER_VERSION_REPORTED,
                              .at_ms = facts->checkin.now_ms,
                              .firmware = facts->firmware.name,
                              .device = device};
    json_t *detail = json_pack("{s:b, s:o*, s:s, s:s}", "authenticated", (int)device->confirmed_authenticated,
                               "before", note_text(before), "evidence", device->confirmed_by, "version",
                               device->confirmed_version);
    if (device->confirmed_ms != facts->checkin.now_ms)
        json_object_set_new(detail, "since", json_integer((json_int_t)device->confirmed_ms));
    return note_add(db, &note, detail, err);
}

static void confirm(struct device *device, const struct version *version, const char *by, bool authenticated,
                    int64_t now_ms)
{
    version_format(version, device->confirmed_version);
    snprintf(device->confirmed_by, sizeof device->confirmed_by, "%s", by);
    device->confirmed_authenticated = authenticated;
    device->confirmed_ms = now_ms;
    if (!device->blocked)
        device->notice[0] = '\0';
}

/* Over the dialect the device says what it runs at every check-in. The time of the first such report stays,
   so that a check-in that brings no news costs no write; but a report that ends an attempt is news. True for news. */
static bool take_report(struct facts *facts, const struct decision *decision)
{
    struct device *device = &facts->device;
    char version[VERSION_TEXT_SIZE];
    version_format(&facts->checkin.version, version);
    bool news =
        decision->end_attempt || (device->notice[0] && !device->blocked) || device->firmware_id != facts->firmware.id ||
        strcmp(device->confirmed_version, version) != 0 || strcmp(device->confirmed_by, "check-in") != 0;
    if (news)
        confirm(device, &facts->checkin.version, "check-in", false, facts->checkin.now_ms);
    device->firmware_id = facts->firmware.id;
    return news;
}

static void take_answer(struct facts *facts, const struct decision *decision)
{
    struct device *device = &facts->device;
    int code = answer_code(decision->answer);
    if (!device->first_seen_ms)
        device->first_seen_ms = facts->checkin.now_ms;
    if (facts->snapshot.base.count)
        version_format(&facts->snapshot.base, device->asked_version);
    if (decision->block)
        device->blocked = 1;
    if (decision->block)
        snprintf(device->notice, sizeof device->notice,
                 "loop guard: no package is sent until the device is unblocked");
    if (decision->notice_stale_link)
        snprintf(device->notice, sizeof device->notice,
                 "stale link or refused package: report the version or set a new link");
    if (device->last_code == code && strcmp(device->last_reason, decision->reason) == 0)
        return;
    device->last_code = code;
    snprintf(device->last_reason, sizeof device->last_reason, "%s", decision->reason);
    device->last_answer_ms = facts->checkin.now_ms;
}

static bool open_attempt(struct db *db, struct facts *facts, const struct decision *decision,
                         struct error *err)
{
    struct attempt *attempt = &facts->attempt;
    *attempt = (struct attempt){.device_id = facts->device.id,
                                .firmware_id = facts->firmware.id,
                                .link_id = facts->link.id,
                                .created_ms = facts->checkin.now_ms};
    version_format(&facts->snapshot.base, attempt->from);
    snprintf(attempt->to, sizeof attempt->to, "%s", facts->planned.hop.version);
    snprintf(attempt->target, sizeof attempt->target, "%s", facts->firmware.target);
    snprintf(attempt->state, sizeof attempt->state, "%s", attempt_state_name(ATTEMPT_WAITING));
    snprintf(attempt->reason, sizeof attempt->reason, "%s", decision->reason);
    return attempt_add(db, attempt, err);
}

static bool aim_attempt(struct db *db, struct facts *facts, const struct decision *decision, struct error *err)
{
    struct attempt *attempt = &facts->attempt;
    snprintf(attempt->to, sizeof attempt->to, "%s", facts->planned.hop.version);
    snprintf(attempt->reason, sizeof attempt->reason, "%s", decision->reason);
    return attempt_update(db, attempt, err);
}

static bool send_bytes(struct db *db, struct facts *facts, const struct decision *decision, struct error *err)
{
    struct attempt *attempt = &facts->attempt;
    int64_t now_ms = facts->checkin.now_ms;
    if (!set_state(db, attempt, EVENT_SEND, now_ms, err))
        return false;
    attempt->active_ms = now_ms;
    if (!attempt->sent_ms)
        attempt->sent_ms = now_ms;
    snprintf(attempt->reason, sizeof attempt->reason, "%s", decision->reason);
    if (decision->begun) {
        attempt->fetches++;
        attempt->package_sha256 = facts->planned.package.sha256;
        attempt->size_bytes = facts->planned.package.size_bytes;
        attempt->proven = facts->planned.package.proven;
        snprintf(attempt->released_by, sizeof attempt->released_by, "%s", facts->planned.package.released_by);
        snprintf(attempt->format, sizeof attempt->format, "%s", facts->planned.package.key.format);
        attempt->by_proxy = 0;
        attempt->acked[0] = '\0'; /* it begins anew: what it had is thrown away by the module */
        attempt->bytes_acked = 0;
        attempt->delivered_ms = 0;
        if (!device_begun_add(db, facts->device.id, now_ms, err))
            return false;
    }
    if (facts->by_proxy)
        attempt->by_proxy = 1;
    return attempt_update(db, attempt, err);
}

static bool record_attempt(struct daemon *daemon, struct db *db, struct facts *facts,
                           const struct decision *decision, struct error *err)
{
    if (decision->end_attempt &&
        !set_state(db, &facts->attempt, decision->attempt_event, facts->checkin.now_ms, err))
        return false;
    if (decision->unpin)
        facts->attempt.active_ms = 0;
    if ((decision->end_attempt || decision->unpin) && !attempt_update(db, &facts->attempt, err))
        return false;
    if (decision->queue_packages && !plans_ask(daemon, db, &facts->planned, facts->checkin.now_ms, err))
        return false;
    if (decision->aim_attempt && !aim_attempt(db, facts, decision, err))
        return false;
    return (!decision->open_attempt || open_attempt(db, facts, decision, err)) &&
           (!decision->send || send_bytes(db, facts, decision, err));
}

/* News of an attempt that was called silent: what became of it is known after all. */
static bool take_late_news(struct db *db, struct facts *facts, const struct version *said, int64_t seen_ms,
                           struct error *err)
{
    struct snapshot known = {.attempt_open = true, .attempt_state = ATTEMPT_SILENT};
    struct attempt last;
    enum attempt_event event;
    bool found;
    if (facts->snapshot.attempt_open || !facts->device.id)
        return true;
    if (!attempt_silent_of(db, facts->device.id, &last, &found, err))
        return false;
    if (!found || seen_ms < last.delivered_ms)
        return true;
    version_parse(slice_of(last.from), &known.attempt_from);
    version_parse(slice_of(last.to), &known.attempt_to);
    known.attempt_same_firmware = last.firmware_id == facts->firmware.id;
    if (!decision_report(said, &known, &event))
        return true;
    facts->noted = true;
    return set_state(db, &last, event, facts->checkin.now_ms, err) && attempt_update(db, &last, err);
}

/* A check-in that changes something. Others are counted by device and day (seen.c). */
static bool note_checkin(struct db *db, const struct facts *facts, const struct decision *decision, struct error *err)
{
    const struct attempt *attempt = &facts->attempt;
    const struct version *said = &facts->checkin.version;
    bool with_attempt = decision->open_attempt || facts->snapshot.attempt_open;
    char version[VERSION_TEXT_SIZE] = "";
    if (said->count)
        version_format(said, version);
    const struct note note = {.kind = LEDGER_CHECK_IN,
                              .at_ms = facts->checkin.now_ms,
                              .product = facts->product.product_key,
                              .firmware = facts->firmware.name,
                              .device = &facts->device,
                              .attempt = with_attempt ? attempt->id : 0,
                              .package = decision->send ? &attempt->package_sha256 : NULL};
    json_t *detail =
        json_pack("{s:i, s:s, s:o*, s:o*}", "code", answer_code(decision->answer), "over",
                  facts->checkin.source == CHECKIN_LINK ? "link" : "dialect", "reason", note_text(decision->reason),
                  "version", note_text(version));
    if (decision->send && decision->first)
        json_object_set_new(detail, "offset", json_integer((json_int_t)decision->first));
    if (decision->open_attempt)
        json_object_set_new(detail, "to", json_string(attempt->to));
    return note_add(db, &note, detail, err);
}

static bool touches_attempt(const struct decision *decision)
{
    return decision->end_attempt || decision->unpin || decision->aim_attempt || decision->open_attempt ||
           decision->send;
}

bool facts_record(struct daemon *daemon, struct db *db, const struct asker *asker, struct facts *facts,
                  const struct decision *decision, struct error *err)
{
    if (decision->admit &&
        (!device_add(db, facts->product.id, &asker->identity, facts->firmware.id, &facts->device, err) ||
         !product_admit(db, facts->product.id, facts->checkin.now_ms / (24LL * 3600 * 1000), err)))
        return false;
    if (!facts->device.id)
        return true;
    struct device before = facts->device;
    if (decision->confirm && take_report(facts, decision) &&
        !note_version(db, facts, before.confirmed_version, err))
        return false;
    facts->said.device_id = facts->device.id;
    if (facts->said_changed && !said_set(db, &facts->said, err))
        return false;
    if (facts->newly_shared)
        log_line(LOG_LEVEL_WARN, "device-shared", "product", facts->product.product_key, "device", facts->device.device,
                 "version", facts->said.version, "before", facts->said.before, NULL);
    take_answer(facts, decision);
    bool changed = memcmp(&before, &facts->device, sizeof before) != 0;
    if (decision->confirm &&
        !take_late_news(db, facts, &facts->checkin.version, facts->checkin.now_ms, err))
        return false;
    facts->noted = facts->noted || changed || decision->admit || touches_attempt(decision);
    return (!changed || device_update(db, &facts->device, err)) &&
           record_attempt(daemon, db, facts, decision, err) &&
           (!facts->noted || note_checkin(db, facts, decision, err));
}

bool facts_report(struct db *db, struct facts *facts, const struct report *report, struct error *err)
{
    enum attempt_event event;
    char before[VERSION_TEXT_SIZE];
    memcpy(before, facts->device.confirmed_version, sizeof before);
    confirm(&facts->device, &report->version, report->by, true, report->at_ms);
    facts->device.firmware_id = facts->firmware.id;
    if (!device_update(db, &facts->device, err) || !note_version(db, facts, before, err))
        return false;
    if (!take_late_news(db, facts, &report->version, report->at_ms, err))
        return false;
    if (!report->tells_attempt || !facts->snapshot.attempt_open ||
        !decision_report(&report->version, &facts->snapshot, &event))
        return true;
    if (!set_state(db, &facts->attempt, event, facts->checkin.now_ms, err))
        return false;
    return attempt_update(db, &facts->attempt, err);
}
