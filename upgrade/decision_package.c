/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision_package.h"

#include <inttypes.h>
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
        return question_answer(q, ANSWER_NO_BASE, "%s is a full package for core %s, but %s has another core",
                               target, q->known->target_core, base);
    return q->known->base_full &&
           question_answer(q, ANSWER_NO_BASE,
                           "only a full package of %s is stored, not its image: no delta can be made from it",
                           base);
}

static bool check_images(struct question *q, const char *base)
{
    if (!q->known->format_set)
        return question_answer(
            q, ANSWER_NOT_ALLOWED,
            "no package format is set for this firmware: set the format that its modules apply");
    if (!q->known->base_known)
        return question_answer(q, ANSWER_NO_BASE,
                               "the image of %s is missing on the server: no package can be made from it",
                               base);
    return false;
}

bool decision_package_check_versions(struct question *q)
{
    const struct snapshot *known = q->known;
    char base[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];

    if (known->target.count == 0)
        return question_answer(q, ANSWER_UP_TO_DATE, "no target is set for this firmware");
    if (known->base.count == 0)
        return question_answer(q, ANSWER_NO_BASE,
                               q->checkin->source == CHECKIN_LINK
                                   ? "the link contains no version, and no version was reported"
                                   : "the request contains no valid version");
    version_format(&known->base, base);
    version_format(&known->target, target);
    int order = version_compare(&known->base, &known->target);
    if (order == 0)
        return question_answer(q, ANSWER_UP_TO_DATE, "%s is the target", base);
    if (order > 0 && !known->downgrades)
        return question_answer(q, ANSWER_UP_TO_DATE,
                               "%s is newer than the target %s, and downgrades are not allowed", base,
                               target);
    return !known->package_full && (check_full(q, base, target) || check_images(q, base));
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
    char hop[QUESTION_HOP_SIZE], when[32];

    if (q->checkin->source != CHECKIN_LINK || known->link_deliveries == 0)
        return false;
    question_hop_text(known, hop);
    if (known->link_deliveries >= q->limits->link_offers) {
        q->decision->notice_stale_link = true;
        return question_answer(
            q, ANSWER_UP_TO_DATE,
            "the package %s was delivered %u times over this link, and no version was reported since", hop,
            known->link_deliveries);
    }
    if (!clock_is_within(known->link_delivered_ms, gap_ms, now_ms))
        return false;
    return question_answer(
        q, ANSWER_UP_TO_DATE,
        "the package %s was delivered over this link, and no version was reported since: the link offers it "
        "again from %s",
        hop, minute_text(clock_clamp(known->link_delivered_ms, now_ms) + gap_ms, when));
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
        return question_answer(q, ANSWER_NOT_ALLOWED, "%s", known->plan_reason);
    if (known->plan == PLAN_PATH)
        return false;
    continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    return question_answer(q, ANSWER_WAIT, "%s", known->plan_reason);
}

bool decision_package_wait_for_package(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[QUESTION_HOP_SIZE];

    if (known->package == PACKAGE_READY || known->package == PACKAGE_UNPROVEN ||
        known->package == PACKAGE_FAILED || known->package == PACKAGE_QUARANTINED)
        return false;
    continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked || known->package == PACKAGE_NONE;
    return question_answer(q, ANSWER_WAIT,
                           known->package == PACKAGE_GENERATING ? "the package %s is being generated"
                                                                : "the package %s is queued to be generated",
                           question_hop_text(known, hop));
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
            q, ANSWER_LOOP,
            "%u downloads from this version were begun within 24 hours, the limit is %u; two modules seem "
            "to use "
            "the same id",
            known->begun_last_day, allowed);
    q->decision->block = true;
    return question_answer(
        q, ANSWER_LOOP,
        "the device began %u downloads within 24 hours, the limit is %u: the loop guard blocks it",
        known->begun_last_day, allowed);
}

bool decision_package_check(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[QUESTION_HOP_SIZE];
    question_hop_text(known, hop);

    if (known->package == PACKAGE_FAILED)
        return question_answer(q, ANSWER_NOT_ALLOWED, "the package %s could not be made: %s", hop,
                               known->package_error);
    if (known->package == PACKAGE_UNPROVEN)
        return question_answer(
            q, ANSWER_NOT_ALLOWED,
            "the package %s is unproven, because this server could not apply it: an admin must release it "
            "first",
            hop);
    if (known->package_size > known->max_package_bytes)
        return question_answer(q, ANSWER_NOT_ALLOWED,
                               "the package %s is oversize: %" PRIu64 " bytes, the limit is %" PRIu64, hop,
                               known->package_size, known->max_package_bytes);
    return false;
}

/* The report in this very request says that the device did not apply the package. */
static bool fails_now(const struct question *q)
{
    if (q->known->late_failed)
        return q->decision->confirm;
    return q->decision->end_attempt && q->decision->attempt_event == EVENT_SAW_OLD &&
           q->state == ATTEMPT_NOT_APPLIED && q->known->attempt_same_firmware &&
           question_is_same(&q->known->attempt_to, question_hop(q->known));
}

/* Other devices get the package once the canary has confirmed it. */
bool decision_package_check_canary(struct question *q)
{
    const struct snapshot *known = q->known;
    struct trial trial = known->trial;
    char hop[QUESTION_HOP_SIZE];
    question_hop_text(known, hop);

    if (known->package == PACKAGE_QUARANTINED || trial.quarantined)
        return question_answer(q, ANSWER_NOT_ALLOWED, "the package %s is out of service: %s", hop,
                               known->package_quarantine);
    if (fails_now(q)) {
        trial.not_applied += !known->trial_own_failed;
        if (canary_quarantines(&trial, &known->trial_limits))
            return question_answer(
                q, ANSWER_NOT_ALLOWED,
                "the device came back with the old version: the package %s goes out of service", hop);
    }
    return canary_decide(&trial, &known->trial_limits) == CANARY_OTHER &&
           question_answer(q, ANSWER_UP_TO_DATE,
                           "no device has confirmed the package %s yet, and %s tries it first", hop,
                           known->canary_device);
}

bool decision_package_check_address(struct question *q)
{
    return q->checkin->offer && q->known->no_address &&
           question_answer(
               q, ANSWER_NOT_ALLOWED,
               "the server does not know the URL under which devices reach it: set the config key "
               "public_device_url");
}

bool decision_package_serve(struct question *q)
{
    const struct snapshot *known = q->known;
    char hop[QUESTION_HOP_SIZE], trust[QUESTION_TRUST_SIZE];

    if (q->state == ATTEMPT_DELIVERED || q->state == ATTEMPT_HANDED_OVER ||
        (q->checkin->source == CHECKIN_LINK && !known->attempt_by_link))
        begin_attempt(q);
    else
        continue_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    question_hop_text(known, hop);
    question_trust_text(known->package_released_by, trust);
    if (q->checkin->offer)
        return question_answer(q, ANSWER_FULL, "the package %s of %" PRIu64 " bytes is offered%s", hop,
                               known->package_size, trust);
    question_choose_bytes(q, known->package_size);
    q->decision->unpin = false; /* the new download is pinned */
    q->decision->begun = true;
    return question_answer(q, q->checkin->range.present ? ANSWER_PART : ANSWER_FULL,
                           known->package_full ? "the full package %s of %" PRIu64
                                                 " bytes is sent; this server did not apply it%s"
                                               : "the package %s of %" PRIu64 " bytes is sent%s",
                           hop, known->package_size, trust);
}
