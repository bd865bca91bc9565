/* What a decision changes, stored. */
#include <stdio.h>

#include "server/facts.h"

static void set_state(struct attempt *attempt, enum attempt_event event, int64_t now_ms)
{
    enum attempt_state state = attempt_state_of(attempt);
    attempt_apply(&state, event);
    snprintf(attempt->state, sizeof attempt->state, "%s", attempt_state_name(state));
    if (!attempt_is_open(state))
        attempt->ended_ms = now_ms;
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
   so that a check-in that brings no news costs no write; but a report that ends an attempt is news. */
static void take_report(struct facts *facts, const struct decision *decision)
{
    struct device *device = &facts->device;
    char version[VERSION_TEXT_SIZE];
    version_format(&facts->checkin.version, version);
    if (decision->end_attempt || (device->notice[0] && !device->blocked) || device->firmware_id != facts->firmware.id ||
        strcmp(device->confirmed_version, version) != 0 || strcmp(device->confirmed_by, "check-in") != 0)
        confirm(device, &facts->checkin.version, "check-in", false, facts->checkin.now_ms);
    device->firmware_id = facts->firmware.id;
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
    set_state(attempt, EVENT_SEND, now_ms);
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
        attempt->acked[0] = '\0'; /* it begins anew: what it had is thrown away by the module */
        attempt->bytes_acked = 0;
        if (!device_begun_add(db, facts->device.id, now_ms, err))
            return false;
    }
    return attempt_update(db, attempt, err);
}

static bool record_attempt(struct daemon *daemon, struct db *db, struct facts *facts,
                           const struct decision *decision, struct error *err)
{
    if (decision->end_attempt)
        set_state(&facts->attempt, decision->attempt_event, facts->checkin.now_ms);
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
    if (decision->confirm)
        take_report(facts, decision);
    take_answer(facts, decision);
    if (memcmp(&before, &facts->device, sizeof before) != 0 && !device_update(db, &facts->device, err))
        return false;
    return record_attempt(daemon, db, facts, decision, err);
}

bool facts_report(struct db *db, struct facts *facts, const struct report *report, struct error *err)
{
    enum attempt_event event;
    confirm(&facts->device, &report->version, report->by, true, report->at_ms);
    facts->device.firmware_id = facts->firmware.id;
    if (!device_update(db, &facts->device, err))
        return false;
    if (!report->tells_attempt || !facts->snapshot.attempt_open ||
        !decision_report(&report->version, &facts->snapshot, &event))
        return true;
    set_state(&facts->attempt, event, facts->checkin.now_ms);
    return attempt_update(db, &facts->attempt, err);
}
