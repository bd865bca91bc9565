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

static bool check_secret(struct question *q)
{
    switch (q->known->secret) {
    case SECRET_WRONG_PATH:
        return question_answer(q, ANSWER_NO_PATH, REASON(REASON_SECRET_WRONG));
    case SECRET_WRONG_KEY:
        return question_answer(q, ANSWER_BAD_PRODUCT, REASON(REASON_SECRET_WRONG));
    case SECRET_MISSING:
        return question_answer(q, ANSWER_BAD_PRODUCT, REASON(REASON_SECRET_MISSING));
    default:
        return false;
    }
}

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
    enum reason_code asks;
} rules[] = {
    {check_secret, REASON_RULE_SECRET},
    {check_link, REASON_RULE_LINK},
    {check_names, REASON_RULE_NAMES},
    {check_admission, REASON_RULE_ADMISSION},
    {take_report, REASON_RULE_REPORT},
    {end_pin, REASON_RULE_FROM_START},
    {check_state, REASON_RULE_STATE},
    {check_block, REASON_RULE_BLOCK},
    {decision_range_check, REASON_RULE_RANGE},
    {decision_campaign_check_transfer, REASON_RULE_TRANSFER},
    {decision_range_continue, REASON_RULE_CONTINUE},
    {decision_package_check_versions, REASON_RULE_VERSIONS},
    {decision_campaign_check, REASON_RULE_CAMPAIGN},
    {decision_package_check_offers, REASON_RULE_OFFERS},
    {decision_package_wait_for_path, REASON_RULE_PATH},
    {decision_package_wait_for_package, REASON_RULE_MADE},
    {decision_package_check, REASON_RULE_USABLE},
    {decision_package_check_canary, REASON_RULE_CANARY},
    {decision_package_check_loop, REASON_RULE_LOOP},
    {decision_allowance_check, REASON_RULE_ALLOWANCE},
    {decision_package_check_address, REASON_RULE_ADDRESS},
    {decision_package_serve, REASON_RULE_SERVE},
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

enum reason_code decision_rule(unsigned rule)
{
    return rules[rule].asks;
}

bool decision_report(const struct version *reported, const struct snapshot *snapshot, enum attempt_event *ret)
{
    return find_event(snapshot, reported, ret);
}
