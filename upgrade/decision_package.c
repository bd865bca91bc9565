/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_package.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

/* ---- Target, package format and images ---- */

/* A package that an admin uploaded for these two versions is used even if no delta can be made. */
static bool check_full(struct question *q, const char *base, const char *target)
{
    if (q->known->package != PACKAGE_NONE)
        return false;
    if (q->known->target_core[0])
        return question_answer(
            q, ANSWER_NO_BASE,
            REASON(REASON_OTHER_CORE, R_TEXT(target), R_TEXT(q->known->target_core), R_TEXT(base)));
    return q->known->base_full &&
           question_answer(q, ANSWER_NO_BASE, REASON(REASON_NO_DELTA_FROM_FULL, R_TEXT(base)));
}

static bool answer_several(struct question *q, const char *base)
{
    return question_answer(q, ANSWER_NO_BASE,
                           REASON(REASON_SEVERAL_BUILDS, R_TEXT(base), R_TEXT(q->known->base_builds)));
}

/* A module checks nothing of where a script goes, so a package for other builds of its core may overwrite the core. A full
   package of CSDK holds all that it needs. */
static bool check_script(struct question *q, const char *base)
{
    if (q->known->package_whole)
        return false;
    if (q->known->build_doubt[0])
        return question_answer_with(q, ANSWER_NO_BASE, q->known->build_doubt);
    if (q->known->base_gone)
        return question_answer(q, ANSWER_NO_BASE, REASON(REASON_BUILD_MISSING, R_TEXT(base)));
    return q->known->places_differ && answer_several(q, base);
}

static bool check_images(struct question *q, const char *base)
{
    if (!q->known->format_set)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_FORMAT_MISSING));
    if (!q->known->base_known && q->known->build_doubt[0])
        return question_answer_with(q, ANSWER_NO_BASE, q->known->build_doubt);
    if (!q->known->base_known && q->known->base_gone)
        return question_answer(q, ANSWER_NO_BASE, REASON(REASON_BUILD_MISSING, R_TEXT(base)));
    if (!q->known->base_known && q->known->base_builds[0])
        return answer_several(q, base);
    if (!q->known->base_known)
        return question_answer(q, ANSWER_NO_BASE, REASON(REASON_IMAGE_MISSING, R_TEXT(base)));
    /* With a change of the core, the module compares the core before it writes the script. */
    return q->known->places_differ &&
           question_is_script(q->known->package_size, q->known->package_uncounted) && answer_several(q, base);
}

bool decision_package_check_versions(struct question *q)
{
    const struct snapshot *known = q->known;
    char base[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];

    if (known->target.count == 0)
        return question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_TARGET_MISSING));
    if (known->base.count == 0)
        return question_answer(q, ANSWER_NO_BASE,
                               REASON(q->checkin->source == CHECKIN_LINK ? REASON_LINK_WITHOUT_VERSION
                                                                         : REASON_VERSION_MISSING));
    version_format(&known->base, base);
    version_format(&known->target, target);
    int order = version_compare(&known->base, &known->target);
    if (order == 0)
        return question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_UP_TO_DATE, R_TEXT(base)));
    if (order > 0 && !known->downgrades)
        return question_answer(q, ANSWER_UP_TO_DATE, REASON(REASON_DOWNGRADE, R_TEXT(base), R_TEXT(target)));
    return known->package_full ? check_script(q, base) : check_full(q, base, target) || check_images(q, base);
}

/* ---- Offers over a link ---- */

/* "2026-11-23 18:02 UTC", rounded up to a minute. */
static const char *minute_text(int64_t ms, char out[32])
{
    time_t seconds = (time_t)((ms + MINUTE_MS - 1) / MINUTE_MS * 60);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        snprintf(out, 32, "later");
    return out;
}

bool decision_package_check_offers(struct question *q)
{
    const struct snapshot *known = q->known;
    int64_t now_ms = q->checkin->now_ms, gap_ms = q->limits->link_offer_gap_ms;
    char hop[REASON_SIZE], when[32];

    if (q->checkin->source != CHECKIN_LINK || known->link_deliveries == 0)
        return false;
    question_hop(known, hop);
    if (known->link_deliveries >= q->limits->link_offers) {
        q->decision->notice_stale_link = true;
        return question_answer(q, ANSWER_UP_TO_DATE,
                               REASON(REASON_LINK_USED_UP, R_TEXT(hop), R_NUMBER(known->link_deliveries)));
    }
    if (!clock_is_within(known->link_delivered_ms, gap_ms, now_ms))
        return false;
    return question_answer(
        q, ANSWER_UP_TO_DATE,
        REASON(REASON_LINK_PAUSES, R_TEXT(hop),
               R_TEXT(minute_text(clock_clamp(known->link_delivered_ms, now_ms) + gap_ms, when))));
}

/* ---- The attempt ---- */

/* The attempt waits for a path to this target, over another hop. */
static bool attempt_can_be_aimed(const struct question *q)
{
    const struct snapshot *known = q->known;
    return q->open && q->state == ATTEMPT_WAITING && known->attempt_same_firmware &&
           question_is_same(&known->attempt_from, &known->base) && known->attempt_target.count > 0 &&
           question_is_same(&known->attempt_target, &known->target);
}

static void begin_attempt(struct question *q)
{
    if (q->open)
        question_end_attempt(q, EVENT_SUPERSEDE);
    q->decision->unpin = false;
    q->decision->open_attempt = true;
}

static void continue_or_begin(struct question *q)
{
    if (question_is_for_hop(q))
        return;
    if (attempt_can_be_aimed(q))
        q->decision->aim_attempt = true;
    else
        begin_attempt(q);
}

/* ---- Waiting ---- */

bool decision_package_wait_for_path(struct question *q)
{
    const struct snapshot *known = q->known;

    if (known->plan == PLAN_NONE)
        return question_answer_with(q, ANSWER_NOT_ALLOWED, known->plan_reason);
    if (known->plan == PLAN_PATH)
        return false;
    continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    return question_answer_with(q, ANSWER_WAIT, known->plan_reason);
}

bool decision_package_wait_for_package(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[REASON_SIZE];

    if (known->package == PACKAGE_READY || known->package == PACKAGE_UNPROVEN ||
        known->package == PACKAGE_FAILED || known->package == PACKAGE_QUARANTINED)
        return false;
    continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked || known->package == PACKAGE_NONE;
    return question_answer(
        q, ANSWER_WAIT,
        REASON(known->package == PACKAGE_GENERATING ? REASON_PACKAGE_GENERATING : REASON_PACKAGE_QUEUED,
               R_TEXT(question_hop(known, hop))));
}

/* ---- Sending ---- */

/* Several hops that were each confirmed are not a loop. The same hop again and again is a loop. */
bool decision_package_check_loop(struct question *q)
{
    const struct snapshot *known = q->known;
    bool completed_now = q->decision->end_attempt && q->decision->attempt_event == EVENT_SAW_TARGET;
    unsigned allowed = q->limits->loop_guard_per_day + known->hops_completed + completed_now;

    if (known->begun_last_day < allowed)
        return false;
    if (known->shared) /* the downloads are counted for this version only: do not block the other module */
        return question_answer(
            q, ANSWER_LOOP, REASON(REASON_LOOP_SHARED, R_NUMBER(known->begun_last_day), R_NUMBER(allowed)));
    q->decision->block = true;
    return question_answer(q, ANSWER_LOOP,
                           REASON(REASON_LOOP_GUARD, R_NUMBER(known->begun_last_day), R_NUMBER(allowed)));
}

bool decision_package_check(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[REASON_SIZE];
    question_hop(known, hop);

    if (known->package == PACKAGE_FAILED)
        return question_answer(q, ANSWER_NOT_ALLOWED,
                               REASON(REASON_PACKAGE_FAILED, R_TEXT(hop), R_TEXT(known->package_error)));
    if (known->package == PACKAGE_UNPROVEN)
        return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_PACKAGE_UNPROVEN, R_TEXT(hop)));
    uint64_t counted = known->package_size - known->package_uncounted;
    if (counted > known->max_package_bytes)
        return question_answer(
            q, ANSWER_NOT_ALLOWED,
            REASON(known->package_uncounted ? REASON_PACKAGE_CORE_OVERSIZE : REASON_PACKAGE_OVERSIZE,
                   R_TEXT(hop), R_NUMBER(counted), R_NUMBER(known->max_package_bytes)));
    return false;
}

/* The report in this very request says that the device did not apply the package. */
static bool fails_now(const struct question *q)
{
    if (q->known->late_failed)
        return q->decision->confirm;
    return q->decision->end_attempt && q->decision->attempt_event == EVENT_SAW_OLD &&
           q->state == ATTEMPT_NOT_APPLIED && q->known->attempt_same_firmware &&
           !q->known->attempt_other_package &&
           question_is_same(&q->known->attempt_to, question_hop_version(q->known));
}

/* Other devices get the package once the canary has confirmed it. */
bool decision_package_check_canary(struct question *q)
{
    const struct snapshot *known = q->known;
    struct trial trial = known->trial;
    char hop[REASON_SIZE];
    question_hop(known, hop);

    if (known->package == PACKAGE_QUARANTINED || trial.quarantined)
        return question_answer(
            q, ANSWER_NOT_ALLOWED,
            REASON(REASON_PACKAGE_QUARANTINED, R_TEXT(hop), R_TEXT(known->package_quarantine)));
    if (fails_now(q)) {
        trial.not_applied += !known->trial_own_failed;
        if (canary_quarantines(&trial, &known->trial_limits))
            return question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_PACKAGE_NOT_APPLIED, R_TEXT(hop)));
    }
    return canary_decide(&trial, &known->trial_limits) == CANARY_OTHER &&
           question_answer(q, ANSWER_UP_TO_DATE,
                           REASON(REASON_PACKAGE_ON_TRIAL, R_TEXT(hop), R_TEXT(known->canary_device)));
}

bool decision_package_check_address(struct question *q)
{
    return q->checkin->offer && q->known->no_address &&
           question_answer(q, ANSWER_NOT_ALLOWED, REASON(REASON_ADDRESS_MISSING));
}

bool decision_package_serve(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[REASON_SIZE], trust[REASON_SIZE];

    if (q->state == ATTEMPT_DELIVERED || q->state == ATTEMPT_HANDED_OVER ||
        (q->checkin->source == CHECKIN_LINK && !known->attempt_by_link))
        begin_attempt(q);
    else
        continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    question_hop(known, hop);
    question_trust(known->package_released_by, trust);
    if (q->checkin->offer)
        return question_answer(
            q, ANSWER_FULL,
            REASON(REASON_PACKAGE_OFFERED, R_TEXT(hop), R_NUMBER(known->package_size), R_TEXT(trust)));
    question_choose_bytes(q, known->package_size);
    q->decision->unpin = false; /* the new download is pinned */
    q->decision->begun = true;
    return question_answer(q, q->checkin->range.present ? ANSWER_PART : ANSWER_FULL,
                           REASON(known->package_whole  ? REASON_WHOLE_PACKAGE_SENT
                                  : known->package_full ? REASON_FULL_PACKAGE_SENT
                                                        : REASON_PACKAGE_SENT,
                                  R_TEXT(hop), R_NUMBER(known->package_size), R_TEXT(trust)));
}
