/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/record_attempt.h"

#include <stdio.h>

#include "base/clock.h"
#include "server/campaign/move.h"
#include "server/checkin/base_build.h"
#include "server/checkin/trial.h"
#include "server/ledger/event.h"
#include "server/webhook/notify.h"
#include "storage/budget.h"
#include "storage/guard.h"
#include "storage/trial.h"

/* Adds a row to the ledger when the event ends the attempt, and when the event does not fit and changes
   nothing. */
static bool set_state(struct db *db, struct attempt *attempt, enum attempt_event event, int64_t now_ms,
                      struct error *err)
{
    enum attempt_state before = attempt->state, state = before;
    if (!attempt_apply(&state, event))
        return event_attempt(db, LEDGER_EVENT_UNFIT, now_ms, attempt,
                             json_pack("{s:s, s:s}", "event", attempt_event_name(event), "state",
                                       attempt_state_name(attempt->state)),
                             err);
    attempt->state = state;
    if (attempt_is_open(state))
        return true;
    attempt->ended_ms = now_ms;
    if (state == ATTEMPT_NOT_APPLIED && !base_build_explain(db, attempt, err))
        return false;
    return event_attempt_ended(db, attempt, before, event, now_ms, err) &&
           notify_attempt_ended(db, attempt, now_ms, err);
}

static bool end_attempt(struct db *db, struct attempt *attempt, enum attempt_event event, int64_t now_ms,
                        struct error *err)
{
    return set_state(db, attempt, event, now_ms, err) && attempt_update(db, attempt, err) &&
           trial_end(db, attempt, now_ms, err) && campaign_attempt_ended(db, attempt, now_ms, err);
}

/* A device that has used up its rows of the ledger for the day gets no more attempts either: the new one
   replaces one that ended before a byte was sent. */
static bool add_attempt(struct db *db, struct facts *facts, struct error *err)
{
    struct attempt *attempt = &facts->attempt;
    bool spent, in_place = false;
    if (!budget_is_spent(db, facts->device.id, facts->link.id, facts->checkin.now_ms / DAY_MS, &spent, err) ||
        (spent && !attempt_add_in_place(db, attempt, &in_place, err)))
        return false;
    return in_place || attempt_add(db, attempt, err);
}

static void open_attempt(struct facts *facts, const struct decision *decision)
{
    struct attempt *attempt = &facts->attempt;
    *attempt = (struct attempt){.device_id = facts->device.id,
                                .firmware_id = facts->firmware.id,
                                .link_id = facts->link.id,
                                .campaign_id = facts->member.campaign.id,
                                .state = ATTEMPT_WAITING,
                                .beside = facts->slot == SLOT_BESIDE,
                                .created_ms = facts->checkin.now_ms};
    version_format(&facts->snapshot.base, attempt->from);
    snprintf(attempt->to, sizeof attempt->to, "%s", facts->planned.hop.version);
    snprintf(attempt->target, sizeof attempt->target, "%s", facts->firmware.target);
    snprintf(attempt->reason, sizeof attempt->reason, "%s", decision->reason);
}

static bool aim_attempt(struct db *db, struct facts *facts, const struct decision *decision,
                        struct error *err)
{
    struct attempt *attempt = &facts->attempt;
    if (strcmp(attempt->to, facts->planned.hop.version) != 0)
        attempt->ready_ms = 0; /* it waits for another package */
    snprintf(attempt->to, sizeof attempt->to, "%s", facts->planned.hop.version);
    snprintf(attempt->reason, sizeof attempt->reason, "%s", decision->reason);
    return attempt_update(db, attempt, err);
}

/* Another origin asks for bytes that one origin has begun: a module at a new address, or a stranger. One
   row in the ledger per other origin. */
static bool note_elsewhere(struct db *db, struct facts *facts, struct attempt *begun, struct error *err)
{
    if (!begun->id || !begun->origin[0] || !facts->origin[0] || strcmp(begun->origin, facts->origin) == 0 ||
        strcmp(begun->elsewhere, facts->origin) == 0)
        return true;
    memcpy(begun->elsewhere, facts->origin, sizeof begun->elsewhere);
    return attempt_update(db, begun, err) &&
           event_attempt(db, LEDGER_ASKED_ELSEWHERE, facts->checkin.now_ms, begun,
                         json_pack("{s:s, s:s}", "begun_by", begun->origin, "origin", facts->origin), err);
}

static void begin_bytes(struct facts *facts)
{
    struct attempt *attempt = &facts->attempt;
    const struct package *package = &facts->planned.package;
    attempt->fetches++;
    attempt->package_sha256 = package->sha256;
    attempt->size_bytes = package->size_bytes;
    attempt->proven = package->proven;
    snprintf(attempt->released_by, sizeof attempt->released_by, "%s", package->released_by);
    snprintf(attempt->format, sizeof attempt->format, "%s", package->key.format);
    memcpy(attempt->origin, facts->origin, sizeof attempt->origin);
    attempt->elsewhere[0] = '\0';
    attempt->by_proxy = false;
    attempt->acked[0] = '\0'; /* a new start: the module drops the bytes that it had */
    attempt->bytes_acked = 0;
    attempt->delivered_ms = 0;
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
    if (decision->begun)
        begin_bytes(facts);
    if (facts->by_proxy)
        attempt->by_proxy = true;
    return true;
}

/* A new attempt whose bytes begin at once is stored once. */
static bool open_and_send(struct db *db, struct facts *facts, const struct decision *decision,
                          struct error *err)
{
    if (decision->open_attempt)
        open_attempt(facts, decision);
    if (decision->send && !send_bytes(db, facts, decision, err))
        return false;
    if (decision->open_attempt ? !add_attempt(db, facts, err)
                               : decision->send && !attempt_update(db, &facts->attempt, err))
        return false;
    return !decision->send || !decision->begun ||
           (guard_add_begun(db, facts->device.id, facts->guard.origin, facts->checkin.now_ms, err) &&
            trial_begin_anew(db, facts->attempt.id, err));
}

/* An attempt that began before the campaign, or for another target, goes on in it. */
static bool admit(struct db *db, struct facts *facts, const struct decision *decision, struct error *err)
{
    bool goes_on = decision->aim_attempt || decision->begun;
    if (!campaign_trusts(&facts->device, facts->slot == SLOT_BESIDE))
        return true;
    if (goes_on && !decision->open_attempt) {
        facts->attempt.campaign_id = facts->member.campaign.id;
        snprintf(facts->attempt.target, sizeof facts->attempt.target, "%s", facts->firmware.target);
    }
    return !(goes_on || decision->open_attempt) ||
           campaign_admit(db, &facts->member, facts->device.id, facts->checkin.now_ms, err);
}

/* A new attempt replaces a delivered one without a report. The device was heard of: it is not silent. */
static bool is_replaced(const struct decision *decision)
{
    return decision->open_attempt && decision->attempt_event == EVENT_SUPERSEDE;
}

bool record_attempt(struct daemon *daemon, struct db *db, struct facts *facts,
                    const struct decision *decision, struct error *err)
{
    if (decision->send &&
        !note_elsewhere(db, facts, facts->slot == SLOT_BESIDE ? &facts->main : &facts->attempt, err))
        return false;
    if (decision->end_attempt &&
        !set_state(db, &facts->attempt, decision->attempt_event, facts->checkin.now_ms, err))
        return false;
    if (decision->unpin)
        facts->attempt.active_ms = 0;
    if ((decision->end_attempt || decision->unpin) && !attempt_update(db, &facts->attempt, err))
        return false;
    if (decision->end_attempt && (!trial_end(db, &facts->attempt, facts->checkin.now_ms, err) ||
                                  (!is_replaced(decision) &&
                                   !campaign_attempt_ended(db, &facts->attempt, facts->checkin.now_ms, err))))
        return false;
    if (!admit(db, facts, decision, err))
        return false;
    if (decision->queue_packages && !plan_cache_ask(daemon, db, &facts->planned, facts->checkin.now_ms, err))
        return false;
    if (decision->aim_attempt && !aim_attempt(db, facts, decision, err))
        return false;
    return open_and_send(db, facts, decision, err);
}

bool record_attempt_is_told(const struct attempt *attempt, const struct testimony *testimony)
{
    struct version from = {.count = 0};
    if (testimony->proven_ms && !attempt->beside)
        return true;
    version_parse(slice_of(attempt->from), &from);
    return testimony_tells_result(testimony, attempt->sent_ms ? attempt->sent_ms : attempt->created_ms,
                                  attempt->delivered_ms, version_compare(&testimony->version, &from) > 0);
}

bool record_attempt_late_news(struct db *db, struct facts *facts, const struct version *said,
                              const struct testimony *testimony, struct error *err)
{
    struct snapshot known = {.attempt_open = true, .attempt_state = ATTEMPT_SILENT};
    struct attempt last;
    enum attempt_event event;
    bool found;
    if (facts->snapshot.attempt_open || !facts->device.id || !facts->traces.silent)
        return true;
    if (!attempt_silent_of(db, facts->device.id, &last, &found, err))
        return false;
    if (found)
        attempt_clamp(&last, facts->checkin.now_ms);
    if (!found || (testimony && !record_attempt_is_told(&last, testimony)))
        return true;
    version_parse(slice_of(last.from), &known.attempt_from);
    version_parse(slice_of(last.to), &known.attempt_to);
    known.attempt_same_firmware = last.firmware_id == facts->firmware.id;
    if (!decision_report(said, &known, &event))
        return true;
    facts->noted = true;
    return end_attempt(db, &last, event, facts->checkin.now_ms, err);
}

/* Ends one open attempt when the reported version tells its outcome. */
static bool end_reported(struct db *db, struct facts *facts, struct attempt *attempt,
                         const struct version *version, const struct testimony *testimony, struct error *err)
{
    struct snapshot known = {.attempt_open = true, .attempt_state = attempt->state};
    enum attempt_event event;
    if (testimony && !record_attempt_is_told(attempt, testimony))
        return true;
    version_parse(slice_of(attempt->from), &known.attempt_from);
    version_parse(slice_of(attempt->to), &known.attempt_to);
    known.attempt_same_firmware = attempt->firmware_id == facts->firmware.id;
    return !decision_report(version, &known, &event) ||
           end_attempt(db, attempt, event, facts->checkin.now_ms, err);
}

static bool end_beside(struct db *db, struct facts *facts, const struct version *version,
                       const struct testimony *testimony, struct error *err)
{
    struct attempt beside;
    bool open;
    if (!attempt_open_of(db, facts->device.id, true, &beside, &open, err))
        return false;
    attempt_clamp(&beside, facts->checkin.now_ms);
    return !open || end_reported(db, facts, &beside, version, testimony, err);
}

bool record_attempt_report(struct db *db, struct facts *facts, const struct version *version,
                           const struct testimony *testimony, struct error *err)
{
    return (!facts->snapshot.attempt_open ||
            end_reported(db, facts, &facts->attempt, version, testimony, err)) &&
           end_beside(db, facts, version, testimony, err);
}
