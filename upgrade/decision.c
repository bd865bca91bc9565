/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision.h"

#include <string.h>

#include "upgrade/decision_allowance.h"
#include "upgrade/decision_campaign.h"
#include "upgrade/decision_package.h"
#include "upgrade/decision_range.h"
#include "upgrade/question.h"

/* ---- Who asks ---- */

static bool check_link(struct question *q)
{
    if (q->checkin->source != CHECKIN_LINK)
        return false;
    if (q->known->link_unknown)
        return question_answer(q, ANSWER_BAD_DEVICE, REASON(REASON_LINK_UNKNOWN));
    if (q->known->link_revoked)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_LINK_REVOKED));
    return false;
}

static bool check_names(struct question *q)
{
    if (q->checkin->source != CHECKIN_DIALECT)
        return false;
    if (!q->known->product_known)
        return question_answer(q, ANSWER_BAD_PRODUCT, REASON(REASON_PRODUCT_UNKNOWN));
    if (!q->known->id_usable)
        return question_answer(q, ANSWER_BAD_DEVICE, REASON(REASON_DEVICE_ID_INVALID));
    if (!q->known->firmware_named)
        return question_answer(q, ANSWER_BAD_FIRMWARE, REASON(REASON_FIRMWARE_NAME_INVALID));
    if (q->known->firmware_known)
        return false;
    if (q->known->firmware_elsewhere)
        return question_answer(q, ANSWER_NOT_TOGETHER, REASON(REASON_FIRMWARE_ELSEWHERE));
    return question_answer(q, ANSWER_BAD_FIRMWARE, REASON(REASON_FIRMWARE_UNKNOWN));
}

/* The device of a link is known: an admin made the link. */
static bool check_admission(struct question *q)
{
    if (q->checkin->source != CHECKIN_DIALECT || q->known->device_known)
        return false;
    if (q->known->refuse_new)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_DEVICE_REFUSED));
    if (q->known->admission_network_full)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_NETWORK_FULL));
    if (q->known->admission_full)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_PRODUCT_FULL));
    q->decision->admit = true;
    q->decision->hold = q->known->hold_new;
    return false;
}

/* ---- The reported version ---- */

static bool find_event(const struct snapshot *known, const struct version *reported, enum attempt_event *ret)
{
    enum attempt_event event = EVENT_SAW_OTHER; /* versions of two firmwares cannot be compared */
    enum attempt_state state = known->attempt_state;

    if (!known->attempt_open || reported->count == 0)
        return false;
    if (known->attempt_same_firmware && question_is_same(reported, &known->attempt_to))
        event = EVENT_SAW_TARGET;
    else if (known->attempt_same_firmware && question_is_same(reported, &known->attempt_from))
        event = EVENT_SAW_OLD;
    if (!attempt_apply(&state, event) || state == known->attempt_state)
        return false;
    *ret = event;
    return true;
}

/* Our proxy has all bytes, but the module asks for the rest: it has not applied the package yet. */
static bool continues_behind_proxy(const struct question *q, enum attempt_event event)
{
    const struct range *range = &q->checkin->range;
    return event == EVENT_SAW_OLD && q->state == ATTEMPT_HANDED_OVER && !range->bad && range->present &&
           range->first > 0;
}

static bool take_report(struct question *q)
{
    enum attempt_event event;

    if (q->checkin->source != CHECKIN_DIALECT || q->checkin->version.count == 0)
        return false;
    if (!grade_counts(q->known->grade, q->known->confirmed_grade)) {
        q->decision->claim =
            q->known->confirmed.count == 0 || !question_is_same(&q->checkin->version, &q->known->confirmed);
        return false;
    }
    q->decision->confirm = true;
    if (find_event(q->known, &q->checkin->version, &event) && !continues_behind_proxy(q, event))
        question_end_attempt(q, q->known->shared && event == EVENT_SAW_OTHER ? EVENT_SUPERSEDE : event);
    return false;
}

/* A module that asks from the start has thrown away the bytes it had, whatever the answer is. */
static bool end_pin(struct question *q)
{
    const struct range *range = &q->checkin->range;
    q->decision->unpin = !q->checkin->offer && q->open && q->state != ATTEMPT_WAITING &&
                         q->state != ATTEMPT_DELIVERED && q->known->attempt_active_ms != 0 && !range->bad &&
                         (!range->present || range->first == 0);
    return false;
}

static bool check_state(struct question *q)
{
    if (q->known->retired)
        return question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_DEVICE_RETIRED));
    if (q->known->held_out)
        return question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_DEVICE_HELD_OUT));
    return (q->known->held || q->decision->hold) &&
           question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_DEVICE_HELD));
}

static bool check_block(struct question *q)
{
    return q->known->blocked && question_answer(q, ANSWER_LOOP, REASON(REASON_DEVICE_BLOCKED));
}

/* ---- The rules ---- */

/* They run in this order. The first one that returns true has answered; the last one always answers. `asks`
   is for "explain". */
static const struct {
    bool (*run)(struct question *q);
    const char *asks;
} rules[] = {
    {check_link, "link: does it exist, and is it not revoked?"},
    {check_names, "check-in: are product, device id and firmware valid?"},
    {check_admission, "new device: does the product admit it, within its daily limit?"},
    {take_report, "the reported version is recorded, or kept as a claim"},
    {end_pin, "request from the start: an earlier download cannot be continued"},
    {check_state, "is the device retired, held out, or held until an admin admits it?"},
    {check_block, "has the loop guard blocked the device?"},
    {decision_range_check, "is the Range header valid?"},
    {decision_campaign_check_transfer, "request from the middle: does the campaign let downloads end?"},
    {decision_range_continue, "request from the middle: can the download be continued?"},
    {decision_package_check_versions, "is there a newer target, a package format and an image of the base?"},
    {decision_campaign_check, "is the campaign running, and has a stage admitted the device?"},
    {decision_package_check_offers, "link: was the package delivered, and no version reported since?"},
    {decision_package_wait_for_path, "is there a path to the target, or can one still be found?"},
    {decision_package_wait_for_package, "is the package made?"},
    {decision_package_check, "is the package usable: proven or released, within the limit?"},
    {decision_package_check_canary, "is the package in service, and may this device try it?"},
    {decision_package_check_loop, "loop guard: did the device begin too many downloads?"},
    {decision_allowance_check, "may a download begin now: hours, bytes of the month, transfers that run?"},
    {decision_package_check_address, "request for a URL: does the server know its own address?"},
    {decision_package_serve, "the package is sent"},
};

struct version decision_base(const struct checkin *checkin, const struct version *confirmed)
{
    if (checkin->source == CHECKIN_LINK && confirmed->count > 0 &&
        (checkin->version.count == 0 || version_compare(confirmed, &checkin->version) > 0))
        return *confirmed;
    return checkin->version;
}

void decision_make(const struct checkin *checkin, const struct snapshot *snapshot,
                   const struct decision_limits *limits, struct decision *ret)
{
    struct question q = {checkin, snapshot, limits, ret, snapshot->attempt_open, snapshot->attempt_state};

    memset(ret, 0, sizeof *ret);
    while (!rules[ret->rule].run(&q))
        ret->rule++;
}

const char *decision_rule(unsigned rule)
{
    return rule < sizeof rules / sizeof *rules ? rules[rule].asks : NULL;
}

bool decision_report(const struct version *reported, const struct snapshot *snapshot, enum attempt_event *ret)
{
    return find_event(snapshot, reported, ret);
}
