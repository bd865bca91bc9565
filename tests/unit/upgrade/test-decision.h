/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of decisions: scenes, that is a request and the state of the database, and checks of
   the decision. */
#ifndef DFOTA_TESTS_UNIT_UPGRADE_TEST_DECISION_H
#define DFOTA_TESTS_UNIT_UPGRADE_TEST_DECISION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "upgrade/decision.h"

#define NOW (INT64_C(1790000000000)) /* 2026-09-21 14:13:20 UTC */

static const struct decision_limits limits = {
    .loop_guard_per_day = 6, .pin_idle_ms = DAY_MS, .link_offers = 3, .link_offer_gap_ms = DAY_MS};

static inline struct version version_of(const char *text)
{
    struct version version = {.count = 0};
    if (text && !version_parse(slice_of(text), &version))
        fail_msg("'%s' is a version", text);
    return version;
}

struct scene {
    struct checkin checkin;
    struct snapshot known;
    struct decision decision;
};

/* A known device of 1138 whose package to 1162 is ready and within the limit. */
static inline struct scene scene_of(enum checkin_source source)
{
    struct scene scene = {
        .checkin = {.source = source, .now_ms = NOW, .version = version_of("1138")},
        .known = {.product_known = true,
                  .id_usable = true,
                  .firmware_named = true,
                  .firmware_known = true,
                  .device_known = true,
                  .format_set = true,
                  .max_package_bytes = 491520,
                  .trial = {.confirmed = 1},
                  .trial_limits = {1, 2},
                  .target = version_of("1162"),
                  .base = version_of("1138"),
                  .base_known = true,
                  .package = PACKAGE_READY,
                  .package_size = 43059},
    };
    return scene;
}

/* … which has an attempt at that hop, its package as it is now. */
static inline struct scene scene_with(enum checkin_source source, enum attempt_state state)
{
    struct scene scene = scene_of(source);
    scene.known.attempt_open = true;
    scene.known.attempt_state = state;
    scene.known.attempt_from = version_of("1138");
    scene.known.attempt_to = version_of("1162");
    scene.known.attempt_same_firmware = true;
    scene.known.attempt_by_link = source == CHECKIN_LINK;
    scene.known.attempt_active_ms = NOW - HOUR_MS;
    scene.known.pinned_servable = state != ATTEMPT_WAITING;
    scene.known.pinned_size = state != ATTEMPT_WAITING ? 43059 : 0;
    return scene;
}

static inline void says(struct scene *scene, const char *version)
{
    scene->checkin.version = version_of(version);
    scene->known.base = decision_base(&scene->checkin, &scene->known.confirmed);
}

static inline void from_byte(struct scene *scene, uint64_t first)
{
    scene->checkin.range = (struct range){.present = true, .first = first};
}

/* All recorded facts in words, so that an unexpected one is seen. */
static const char *facts_of(const struct decision *decision, char out[200])
{
    static const char *const events[ATTEMPT_EVENT_COUNT] = {
        [EVENT_SEND] = "?send",         [EVENT_CUT] = "?cut",
        [EVENT_ALL_ACKED] = "?acked",   [EVENT_SAW_TARGET] = "saw-target",
        [EVENT_SAW_OLD] = "saw-old",    [EVENT_SAW_OTHER] = "saw-other",
        [EVENT_SUPERSEDE] = "supersede"};
    snprintf(out, 200, "%s%s%s%s%s%s%s%s%s%s%s%s%s", decision->admit ? " admit" : "",
             decision->hold ? " hold" : "", decision->confirm ? " confirm" : "",
             decision->end_attempt ? " " : "", decision->end_attempt ? events[decision->attempt_event] : "",
             decision->unpin ? " unpin" : "", decision->queue_packages ? " queue" : "",
             decision->open_attempt ? " open" : "", decision->aim_attempt ? " aim" : "",
             decision->send ? (decision->resume ? " resume" : " send") : "", decision->begun ? " begun" : "",
             decision->block ? " block" : "", decision->notice_stale_link ? " stale" : "");
    return out[0] ? out + 1 : out;
}

static inline void expect_at(int line, struct scene *scene, enum answer answer, const char *facts,
                             const char *reason)
{
    char text[200], words[REASON_TEXT_SIZE];
    memset(&scene->decision, 0xA5, sizeof scene->decision);
    decision_make(&scene->checkin, &scene->known, &limits, &scene->decision);
    if (scene->decision.answer != answer)
        fail_msg("line %d: answered %d instead of %d: %s", line, answer_code(scene->decision.answer),
                 answer_code(answer), scene->decision.reason);
    if (strcmp(facts_of(&scene->decision, text), facts) != 0)
        fail_msg("line %d: recorded '%s' instead of '%s'", line, facts_of(&scene->decision, text), facts);
    if (strcmp(reason_text(scene->decision.reason, REASON_ENGLISH, words), reason) != 0)
        fail_msg("line %d: reason '%s' instead of '%s'", line, words, reason);
}
#define expect(scene, answer, facts, reason) expect_at(__LINE__, scene, answer, facts, reason)

static inline void expect_bytes_at(int line, const struct scene *scene, uint64_t first, uint64_t end)
{
    if (scene->decision.first != first || scene->decision.end != end)
        fail_msg("line %d: bytes %llu to %llu", line, (unsigned long long)scene->decision.first,
                 (unsigned long long)scene->decision.end);
}
#define expect_bytes(scene, first, end) expect_bytes_at(__LINE__, scene, first, end)

#define SENT    "the package 1138→1162 of 43059 bytes is sent"
#define NO_FORM "no package format is set for this firmware: set the format that its modules apply"
#define NOTHING "this device has no unfinished download to continue"
#define BLOCKED "the loop guard has blocked this device: an admin must unblock it"

#endif
