/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/decision.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* One check-in on its way through the rules. */
struct question {
    const struct checkin *checkin;
    const struct snapshot *known;
    const struct decision_limits *limits;
    struct decision *decision;
    bool open; /* an attempt is open still, after what the device reported */
    enum attempt_state state;
};

#define HOP_SIZE (2 * VERSION_TEXT_SIZE + 4)

/* Answers. The reason is cut at a character's border when too long. Returns true: it is decided. */
static bool answer(struct question *q, enum answer answer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool answer(struct question *q, enum answer answer, const char *format, ...)
{
    char text[REASON_SIZE + 64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t end = strnlen(text, REASON_SIZE - 1);
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(q->decision->reason, text, end);
    q->decision->reason[end] = '\0';
    q->decision->answer = answer;
    return true;
}

static const char *hop_text(const struct version *from, const struct version *to, char out[HOP_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    version_format(from, a);
    version_format(to, b);
    snprintf(out, HOP_SIZE, "%s→%s", a, b);
    return out;
}

#define TRUST_SIZE (RELEASER_SIZE + 32)

/* Behind the sentence that sends a package which nothing here could apply. */
static const char *trust_text(const char *released_by, char out[TRUST_SIZE])
{
    snprintf(out, TRUST_SIZE, released_by[0] ? " (unproven, released by %s)" : "%s", released_by);
    return out;
}

static bool is_same(const struct version *a, const struct version *b)
{
    return version_compare(a, b) == 0;
}

/* ---- the hop ---- */

#define WAY_SIZE (HOP_SIZE + VERSION_TEXT_SIZE + 24)

static const struct version *hop_of(const struct snapshot *known)
{
    return known->hop.count ? &known->hop : &known->target;
}

/* "1138→1147 (on the way to 1162)", "1138→1162" */
static const char *way_text(const struct snapshot *known, char out[WAY_SIZE])
{
    char hop[HOP_SIZE], target[VERSION_TEXT_SIZE];
    hop_text(&known->base, hop_of(known), hop);
    version_format(&known->target, target);
    if (is_same(hop_of(known), &known->target))
        snprintf(out, WAY_SIZE, "%s", hop);
    else
        snprintf(out, WAY_SIZE, "%s (on the way to %s)", hop, target);
    return out;
}

/* ---- who asks ---- */

static bool check_link(struct question *q)
{
    if (q->checkin->source != CHECKIN_LINK)
        return false;
    if (q->known->link_unknown)
        return answer(q, ANSWER_BAD_DEVICE, "there is no such link");
    if (q->known->link_revoked)
        return answer(q, ANSWER_NOT_ALLOWED, "this link is revoked");
    return false;
}

static bool check_names(struct question *q)
{
    if (q->checkin->source != CHECKIN_DIALECT)
        return false;
    if (!q->known->product_known)
        return answer(q, ANSWER_BAD_PRODUCT, "the project_key is missing or unknown");
    if (!q->known->id_usable)
        return answer(q, ANSWER_BAD_DEVICE, "no usable imei, mac or uid was sent");
    if (!q->known->firmware_named)
        return answer(q, ANSWER_BAD_FIRMWARE, "no usable firmware_name was sent");
    if (q->known->firmware_known)
        return false;
    if (q->known->firmware_elsewhere)
        return answer(q, ANSWER_NOT_TOGETHER, "the firmware belongs to another product");
    return answer(q, ANSWER_BAD_FIRMWARE, "the product has no firmware of this name");
}

/* A link's device is known: an admin made the link. */
static bool check_admission(struct question *q)
{
    if (q->checkin->source != CHECKIN_DIALECT || q->known->device_known)
        return false;
    if (q->known->admission_network_full)
        return answer(q, ANSWER_NOT_ALLOWED,
                      "its network has brought its share of the product's new devices of the day");
    if (q->known->admission_full)
        return answer(q, ANSWER_NOT_ALLOWED, "the product has taken its daily number of new devices");
    q->decision->admit = true;
    return false;
}

/* ---- what it says that it runs ---- */

static bool ends_attempt(const struct snapshot *known, const struct version *reported,
                         enum attempt_event *ret)
{
    enum attempt_event event = EVENT_SAW_OTHER; /* versions of two firmwares do not compare */
    enum attempt_state state = known->attempt_state;

    if (!known->attempt_open || reported->count == 0)
        return false;
    if (known->attempt_same_firmware && is_same(reported, &known->attempt_to))
        event = EVENT_SAW_TARGET;
    else if (known->attempt_same_firmware && is_same(reported, &known->attempt_from))
        event = EVENT_SAW_OLD;
    if (!attempt_apply(&state, event) || state == known->attempt_state)
        return false;
    *ret = event;
    return true;
}

static void end_attempt(struct question *q, enum attempt_event event)
{
    q->decision->end_attempt = true;
    q->decision->attempt_event = event;
    attempt_apply(&q->state, event);
    q->open = attempt_is_open(q->state);
}

/* The proxy had all of it and the module had not: asking for the rest it says nothing yet. */
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
            q->known->confirmed.count == 0 || !is_same(&q->checkin->version, &q->known->confirmed);
        return false;
    }
    q->decision->confirm = true;
    if (ends_attempt(q->known, &q->checkin->version, &event) && !continues_behind_proxy(q, event))
        end_attempt(q, q->known->shared && event == EVENT_SAW_OTHER ? EVENT_SUPERSEDE : event);
    return false;
}

/* A module that asks from the start has nothing to continue, whatever it is answered. */
static bool end_pin(struct question *q)
{
    const struct range *range = &q->checkin->range;
    q->decision->unpin = !q->checkin->offer && q->open && q->state != ATTEMPT_WAITING &&
                         q->state != ATTEMPT_DELIVERED && q->known->attempt_active_ms != 0 && !range->bad &&
                         (!range->present || range->first == 0);
    return false;
}

static bool check_block(struct question *q)
{
    return q->known->blocked &&
           answer(q, ANSWER_LOOP, "the loop guard has closed on this device: an admin must unblock it");
}

/* ---- ranges ---- */

static bool check_range(struct question *q)
{
    const struct range *range = &q->checkin->range;

    if (range->bad || (range->present && range->has_last && range->last < range->first))
        return answer(q, ANSWER_BAD_RANGE, "the Range header is not one range of bytes from a first one on");
    return false;
}

static void choose_bytes(struct question *q, uint64_t size)
{
    const struct range *range = &q->checkin->range;

    q->decision->first = range->present ? range->first : 0;
    q->decision->end = range->present && range->has_last && range->last < size ? range->last + 1 : size;
    q->decision->send = true;
}

/* A request from the middle continues the very bytes that the device has the beginning of, or gets 416: with
   any others the module would put together a file of two. The target may have moved meanwhile. */
static bool resume(struct question *q)
{
    const struct snapshot *known = q->known;
    const struct range *range = &q->checkin->range;
    char hop[HOP_SIZE], trust[TRUST_SIZE];

    if (!range->present || range->first == 0)
        return false;
    if (known->attempt_unclear)
        return answer(
            q, ANSWER_BAD_RANGE,
            "two downloads of different bytes are under way, and nothing tells which one is continued");
    if (!q->open || q->state == ATTEMPT_WAITING)
        return answer(q, ANSWER_BAD_RANGE,
                      "no package is on its way to this device, nothing can be continued");
    hop_text(&known->attempt_from, &known->attempt_to, hop);
    if (q->state == ATTEMPT_DELIVERED)
        return answer(q, ANSWER_BAD_RANGE, "the package %s was delivered whole, nothing can be continued",
                      hop);
    if (known->attempt_active_ms == 0)
        return answer(
            q, ANSWER_BAD_RANGE,
            "the package %s was begun, but asked for from the start since: nothing can be continued", hop);
    if (!known->attempt_same_firmware || !is_same(&known->attempt_from, &known->base))
        return answer(q, ANSWER_BAD_RANGE, "the package on its way, %s, is not for the version asked from",
                      hop);
    if (q->checkin->now_ms - clock_clamp(known->attempt_active_ms, q->checkin->now_ms) >
        q->limits->pin_idle_ms)
        return answer(q, ANSWER_BAD_RANGE, "the package %s was left alone too long to be continued", hop);
    if ((!known->format_set && !known->pinned_full) || !known->pinned_servable)
        return answer(q, ANSWER_BAD_RANGE, "the package %s that was begun has been withdrawn", hop);
    if (known->pinned_size > known->max_package_bytes)
        return answer(q, ANSWER_BAD_RANGE,
                      "the package %s that was begun is %" PRIu64 " bytes, the limit is %" PRIu64, hop,
                      known->pinned_size, known->max_package_bytes);
    if (range->first >= known->pinned_size)
        return answer(q, ANSWER_BAD_RANGE, "byte %" PRIu64 " was asked for, the package %s has %" PRIu64,
                      range->first, hop, known->pinned_size);
    q->decision->resume = true;
    choose_bytes(q, known->pinned_size);
    return answer(q, ANSWER_PART, "the package %s is continued at byte %" PRIu64 " of %" PRIu64 "%s", hop,
                  range->first, known->pinned_size, trust_text(known->pinned_released_by, trust));
}

/* ---- is there anywhere to go ---- */

/* No delta can be made of these two; one that was made elsewhere may be here. */
static bool check_full(struct question *q, const char *base, const char *target)
{
    if (q->known->package != PACKAGE_NONE)
        return false;
    if (q->known->target_core[0])
        return answer(q, ANSWER_NO_BASE, "%s is a full package for core %s, and %s is not of that core",
                      target, q->known->target_core, base);
    return q->known->base_full &&
           answer(q, ANSWER_NO_BASE,
                  "of %s a full package is here and no image, so no package from it can be made", base);
}

static bool check_images(struct question *q, const char *base)
{
    if (!q->known->format_set)
        return answer(q, ANSWER_NOT_ALLOWED,
                      "no package format is set for this firmware: set the one that its modules apply");
    if (!q->known->base_known)
        return answer(q, ANSWER_NO_BASE, "the image of %s is not here, so no package from it can be made",
                      base);
    return false;
}

static bool check_hop(struct question *q)
{
    const struct snapshot *known = q->known;
    char base[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];

    if (known->target.count == 0)
        return answer(q, ANSWER_UP_TO_DATE, "no target is set for this firmware");
    if (known->base.count == 0)
        return answer(q, ANSWER_NO_BASE,
                      q->checkin->source == CHECKIN_LINK
                          ? "the link names no version and none has been reported"
                          : "the request names no version that can be read");
    version_format(&known->base, base);
    version_format(&known->target, target);
    int order = version_compare(&known->base, &known->target);
    if (order == 0)
        return answer(q, ANSWER_UP_TO_DATE, "%s is the target", base);
    if (order > 0 && !known->downgrades)
        return answer(q, ANSWER_UP_TO_DATE, "%s is above the target %s", base, target);
    return !known->package_full && (check_full(q, base, target) || check_images(q, base));
}

/* "2026-11-23 18:02 UTC", the minute not before ms. */
static const char *minute_text(int64_t ms, char out[32])
{
    time_t seconds = (time_t)((ms + 59999) / 60000 * 60);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        snprintf(out, 32, "later");
    return out;
}

/* Over a link a module that has upgraded and one that refused the package ask alike. So what was delivered,
   and nobody reported on, is offered again only now and then, and only so often. */
static bool check_offers(struct question *q)
{
    const struct snapshot *known = q->known;
    char way[WAY_SIZE], when[32];

    if (q->checkin->source != CHECKIN_LINK || known->link_deliveries == 0)
        return false;
    way_text(known, way);
    if (known->link_deliveries >= q->limits->link_offers) {
        q->decision->notice_stale_link = true;
        return answer(
            q, ANSWER_UP_TO_DATE,
            "the package %s was delivered %u times over this link and nobody reported a version since", way,
            known->link_deliveries);
    }
    if (clock_is_within(known->link_delivered_ms, q->limits->link_offer_gap_ms, q->checkin->now_ms))
        return answer(
            q, ANSWER_UP_TO_DATE,
            "the package %s was delivered over this link and nobody reported a version since: it is offered "
            "again from %s",
            way,
            minute_text(clock_clamp(known->link_delivered_ms, q->checkin->now_ms) +
                            q->limits->link_offer_gap_ms,
                        when));
    return false;
}

/* ---- the package ---- */

static bool attempt_is_for_hop(const struct question *q)
{
    return q->open && q->known->attempt_same_firmware && is_same(&q->known->attempt_from, &q->known->base) &&
           is_same(&q->known->attempt_to, hop_of(q->known));
}

/* It waits for a way to this target, which was looked for elsewhere before. */
static bool attempt_can_be_aimed(const struct question *q)
{
    const struct snapshot *known = q->known;
    return q->open && q->state == ATTEMPT_WAITING && known->attempt_same_firmware &&
           is_same(&known->attempt_from, &known->base) && known->attempt_target.count > 0 &&
           is_same(&known->attempt_target, &known->target);
}

static void begin_attempt(struct question *q)
{
    if (q->open)
        end_attempt(q, EVENT_SUPERSEDE);
    q->decision->unpin = false;
    q->decision->open_attempt = true;
}

static void go_on_or_begin(struct question *q)
{
    if (attempt_is_for_hop(q))
        return;
    if (attempt_can_be_aimed(q))
        q->decision->aim_attempt = true;
    else
        begin_attempt(q);
}

static bool wait_for_way(struct question *q)
{
    const struct snapshot *known = q->known;

    if (known->plan == PLAN_NONE)
        return answer(q, ANSWER_NOT_ALLOWED, "%s", known->plan_reason);
    if (known->plan == PLAN_PATH)
        return false;
    go_on_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    return answer(q, ANSWER_WAIT, "%s", known->plan_reason);
}

static bool wait_for_package(struct question *q)
{
    const struct snapshot *known = q->known;
    char way[WAY_SIZE];

    if (known->package == PACKAGE_READY || known->package == PACKAGE_UNPROVEN ||
        known->package == PACKAGE_FAILED)
        return false;
    go_on_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked || known->package == PACKAGE_NONE;
    way_text(known, way);
    if (known->package == PACKAGE_GENERATING)
        return answer(q, ANSWER_WAIT, "the package %s is being generated", way);
    return answer(q, ANSWER_WAIT, "the package %s is queued to be generated", way);
}

/* The packages of hops that were gone are no loop; the same hop over and over is. */
static bool check_loop(struct question *q)
{
    const struct snapshot *known = q->known;
    bool gone_now = q->decision->end_attempt && q->decision->attempt_event == EVENT_SAW_TARGET;
    unsigned allowed = q->limits->loop_guard_per_day + known->hops_gone + gone_now;

    if (known->begun_last_day < allowed)
        return false;
    if (known->shared) /* counted for this version alone, and the other module is not shut out */
        return answer(
            q, ANSWER_LOOP,
            "%u packages were begun from this version within 24 hours, %u are allowed; two modules seem to share "
            "this id",
            known->begun_last_day, allowed);
    q->decision->block = true;
    return answer(
        q, ANSWER_LOOP,
        "%u packages were begun to this device within 24 hours, %u are allowed: the loop guard closes",
        known->begun_last_day, allowed);
}

static bool check_package(struct question *q)
{
    const struct snapshot *known = q->known;
    char way[WAY_SIZE];
    way_text(known, way);

    if (known->package == PACKAGE_FAILED)
        return answer(q, ANSWER_NOT_ALLOWED, "the package %s could not be made: %s", way,
                      known->package_error);
    if (known->package == PACKAGE_UNPROVEN)
        return answer(q, ANSWER_NOT_ALLOWED,
                      "the package %s could not be applied here and is unproven: it goes out once an admin "
                      "has released it",
                      way);
    if (known->package_size > known->max_package_bytes)
        return answer(q, ANSWER_NOT_ALLOWED,
                      "the package %s is oversize: %" PRIu64 " bytes, the limit is %" PRIu64, way,
                      known->package_size, known->max_package_bytes);
    return check_loop(q);
}

static bool check_address(struct question *q)
{
    return q->checkin->offer && q->known->no_address &&
           answer(q, ANSWER_NOT_ALLOWED,
                  "there is no address to fetch a package from: set the config key public_device_url");
}

/* An attempt goes on when its package is fetched again from the start, but not once that was delivered. And
   what goes over a link is counted by link, so another's attempt, or the dialect's, is not continued over
   this one. */
static bool serve(struct question *q)
{
    const struct snapshot *known = q->known;
    char way[WAY_SIZE], trust[TRUST_SIZE];

    if (q->state == ATTEMPT_DELIVERED || q->state == ATTEMPT_HANDED_OVER ||
        (q->checkin->source == CHECKIN_LINK && !known->attempt_by_link))
        begin_attempt(q);
    else
        go_on_or_begin(q);
    q->decision->queue_packages = known->pairs_unasked;
    if (q->checkin->offer)
        return answer(q, ANSWER_FULL, "the package %s of %" PRIu64 " bytes is offered%s",
                      way_text(known, way), known->package_size,
                      trust_text(known->package_released_by, trust));
    choose_bytes(q, known->package_size);
    q->decision->unpin = false; /* it is pinned anew */
    q->decision->begun = true;
    return answer(q, q->checkin->range.present ? ANSWER_PART : ANSWER_FULL,
                  known->package_full ? "the full package %s of %" PRIu64
                                        " bytes is sent; it was not applied here%s"
                                      : "the package %s of %" PRIu64 " bytes is sent%s",
                  way_text(known, way), known->package_size, trust_text(known->package_released_by, trust));
}

/* In this order; the first that returns true has answered. Each with what it asks, for `explain`. */
static const struct {
    bool (*run)(struct question *q);
    const char *asks;
} rules[] = {
    {check_link, "a link: is it known, and not revoked?"},
    {check_names, "the dialect: are product, device and firmware known, and of one?"},
    {check_admission, "a new device: has the product room for it today?"},
    {take_report, "what it says that it runs is recorded, or kept as a claim"},
    {end_pin, "asked from the start: what was begun is not continued any more"},
    {check_block, "has the loop guard closed on it?"},
    {check_range, "is the Range header one plain range?"},
    {resume, "asked from the middle: can the bytes that were begun be continued?"},
    {check_hop, "a target above it, a package format, and the image that it runs?"},
    {check_offers, "a link: was it delivered over it, and nobody reported since?"},
    {wait_for_way, "is there a way to the target, or may one still be found?"},
    {wait_for_package, "is the package still to be made?"},
    {check_package, "is the package proven or released, within the limit; no loop guard?"},
    {check_address, "asked where to fetch: is there an address to hand out?"},
    {serve, "the package is sent"},
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
        ret->rule++; /* the last one always answers */
}

const char *decision_rule(unsigned rule)
{
    return rule < sizeof rules / sizeof *rules ? rules[rule].asks : NULL;
}

bool decision_report(const struct version *reported, const struct snapshot *snapshot, enum attempt_event *ret)
{
    return ends_attempt(snapshot, reported, ret);
}
