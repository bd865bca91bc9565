/* What a device gets, and why: every rule by itself, links day by day, and what holds whatever is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "upgrade/decision.h"

#define HOUR ((int64_t)3600 * 1000)
#define DAY  (24 * HOUR)
#define NOW  (INT64_C(1790000000000)) /* 2026-09-21 14:13:20 UTC */

static const struct decision_limits limits = {
    .loop_guard_per_day = 6, .pin_idle_ms = DAY, .link_offers = 3, .link_offer_gap_ms = DAY};

static struct version version_of(const char *text)
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
static struct scene scene_of(enum checkin_source source)
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
                  .target = version_of("1162"),
                  .base = version_of("1138"),
                  .base_known = true,
                  .package = PACKAGE_READY,
                  .package_size = 43059},
    };
    return scene;
}

/* … which has an attempt at that hop, its package as it is now. */
static struct scene scene_with(enum checkin_source source, enum attempt_state state)
{
    struct scene scene = scene_of(source);
    scene.known.attempt_open = true;
    scene.known.attempt_state = state;
    scene.known.attempt_from = version_of("1138");
    scene.known.attempt_to = version_of("1162");
    scene.known.attempt_same_firmware = true;
    scene.known.attempt_by_link = source == CHECKIN_LINK;
    scene.known.attempt_active_ms = NOW - HOUR;
    scene.known.pinned_servable = state != ATTEMPT_WAITING;
    scene.known.pinned_size = state != ATTEMPT_WAITING ? 43059 : 0;
    return scene;
}

static void says(struct scene *scene, const char *version)
{
    scene->checkin.version = version_of(version);
    scene->known.base = decision_base(&scene->checkin, &scene->known.confirmed);
}

static void from_byte(struct scene *scene, uint64_t first)
{
    scene->checkin.range = (struct range){.present = true, .first = first};
}

/* All that is to be recorded, in words, so that nothing unexpected goes unseen. */
static const char *facts_of(const struct decision *decision, char out[200])
{
    static const char *const events[ATTEMPT_EVENT_COUNT] = {
        [EVENT_SEND] = "?send",         [EVENT_CUT] = "?cut",
        [EVENT_ALL_ACKED] = "?acked",   [EVENT_SAW_TARGET] = "saw-target",
        [EVENT_SAW_OLD] = "saw-old",    [EVENT_SAW_OTHER] = "saw-other",
        [EVENT_SUPERSEDE] = "supersede"};
    snprintf(out, 200, "%s%s%s%s%s%s%s%s%s%s%s", decision->admit ? " admit" : "",
             decision->confirm ? " confirm" : "", decision->end_attempt ? " " : "",
             decision->end_attempt ? events[decision->attempt_event] : "", decision->unpin ? " unpin" : "",
             decision->queue_package ? " queue" : "", decision->open_attempt ? " open" : "",
             decision->send ? (decision->resume ? " resume" : " send") : "", decision->begun ? " begun" : "",
             decision->block ? " block" : "", decision->notice_stale_link ? " stale" : "");
    return out[0] ? out + 1 : out;
}

static void expect_at(int line, struct scene *scene, enum answer answer, const char *facts,
                      const char *reason)
{
    char text[200];
    memset(&scene->decision, 0xA5, sizeof scene->decision);
    decision_make(&scene->checkin, &scene->known, &limits, &scene->decision);
    if (scene->decision.answer != answer)
        fail_msg("line %d: answered %d instead of %d: %s", line, answer_code(scene->decision.answer),
                 answer_code(answer), scene->decision.reason);
    if (strcmp(facts_of(&scene->decision, text), facts) != 0)
        fail_msg("line %d: recorded '%s' instead of '%s'", line, facts_of(&scene->decision, text), facts);
    if (strcmp(scene->decision.reason, reason) != 0)
        fail_msg("line %d: reason '%s' instead of '%s'", line, scene->decision.reason, reason);
}
#define expect(scene, answer, facts, reason) expect_at(__LINE__, scene, answer, facts, reason)

static void expect_bytes_at(int line, const struct scene *scene, uint64_t first, uint64_t end)
{
    if (scene->decision.first != first || scene->decision.end != end)
        fail_msg("line %d: bytes %llu to %llu", line, (unsigned long long)scene->decision.first,
                 (unsigned long long)scene->decision.end);
}
#define expect_bytes(scene, first, end) expect_bytes_at(__LINE__, scene, first, end)

#define SENT "the package 1138→1162 of 43059 bytes is sent"
#define NO_FORM                                                                                              \
    "no package format is set for this firmware: set the one that its modules apply "                        \
    "(PATCH /api/v1/products/…/firmware/… {\"format\":…})"
#define NOTHING "no package is on its way to this device, nothing can be continued"
#define BLOCKED "the loop guard has closed on this device: an admin must unblock it"

/* ---- the base ---- */

static void test_base(void **state)
{
    static const struct {
        enum checkin_source source;
        const char *asked, *confirmed, *base;
    } cases[] = {
        {CHECKIN_DIALECT, "1138", NULL, "1138"},
        {CHECKIN_DIALECT, "1138", "1147", "1138"}, /* it says so itself */
        {CHECKIN_DIALECT, NULL, "1147", NULL},
        {CHECKIN_LINK, "1138", NULL, "1138"},
        {CHECKIN_LINK, "1138", "1147", "1147"}, /* reported since the URL was typed */
        {CHECKIN_LINK, "1138", "1138", "1138"},
        {CHECKIN_LINK, "1138", "1125", "1138"},
        {CHECKIN_LINK, NULL, "1147", "1147"},
        {CHECKIN_LINK, NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checkin checkin = {.source = cases[i].source, .version = version_of(cases[i].asked)};
        struct version confirmed = version_of(cases[i].confirmed), wanted = version_of(cases[i].base);
        struct version base = decision_base(&checkin, &confirmed);
        if (base.count != wanted.count || version_compare(&base, &wanted) != 0)
            fail_msg("case %zu", i);
    }
}

/* ---- who asks ---- */

static void test_who_asks_in_order(void **state)
{
    /* All is wrong at once; each step mends what was answered. */
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known = (struct snapshot){.base = version_of("1138")};
    expect(&scene, ANSWER_BAD_PRODUCT, "", "the project_key is missing or unknown");
    scene.known.product_known = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "no usable imei, mac or uid was sent");
    scene.known.id_usable = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "no usable firmware_name was sent");
    scene.known.firmware_named = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "the product has no firmware of this name");
    scene.known.firmware_elsewhere = true;
    expect(&scene, ANSWER_NOT_TOGETHER, "", "the firmware belongs to another product");
    scene.known.firmware_known = true;
    scene.known.admission_full = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "the product has taken its daily number of new devices");
    scene.known.admission_full = false;
    expect(&scene, ANSWER_UP_TO_DATE, "admit confirm", "no target is set for this firmware");
}

static void test_new_devices(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.device_known = false;
    expect(&scene, ANSWER_FULL, "admit confirm open send begun", SENT);
    scene.known.base_known = false; /* admitted too: its version is one that is missing here */
    expect(&scene, ANSWER_NO_BASE, "admit confirm",
           "the image of 1138 is not here, so no package from it can be made");
    scene = scene_of(CHECKIN_DIALECT);
    scene.known.admission_full = true; /* says nothing about a device that is known */
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_links_that_are_none(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    (void)state;
    scene.known.link_revoked = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    scene.known.link_unknown = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "there is no such link");
    scene = scene_of(CHECKIN_DIALECT); /* not asked of the dialect */
    scene.known.link_unknown = scene.known.link_revoked = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_blocked(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.blocked = true;
    says(&scene, "1162"); /* what it reports is recorded all the same */
    expect(&scene, ANSWER_LOOP, "confirm saw-target", BLOCKED);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.known.blocked = true;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);
    scene.checkin.range.bad = true;
    expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);
    scene = scene_of(CHECKIN_LINK);
    scene.known.blocked = true;
    expect(&scene, ANSWER_LOOP, "", BLOCKED);
}

/* ---- what it reports ---- */

static void test_a_check_in_moves_the_attempt(void **state)
{
    static const struct {
        enum attempt_state attempt;
        const char *says, *facts;
    } cases[] = {
        {ATTEMPT_WAITING, "1162", "confirm saw-target"},
        {ATTEMPT_SENDING, "1162", "confirm saw-target"},
        {ATTEMPT_INTERRUPTED, "1162", "confirm saw-target"},
        {ATTEMPT_DELIVERED, "1162", "confirm saw-target"},
        {ATTEMPT_WAITING, "1170", "confirm saw-other"},
        {ATTEMPT_SENDING, "1170", "confirm saw-other"},
        {ATTEMPT_INTERRUPTED, "1170", "confirm saw-other"},
        {ATTEMPT_DELIVERED, "1170", "confirm saw-other"},
        {ATTEMPT_WAITING, "1138", "confirm"},
        {ATTEMPT_SENDING, "1138", "confirm unpin"},
        {ATTEMPT_INTERRUPTED, "1138", "confirm unpin"},
        {ATTEMPT_DELIVERED, "1138", "confirm saw-old"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, cases[i].attempt);
        enum attempt_event event;
        scene.known.target = version_of(NULL);
        says(&scene, cases[i].says);
        expect(&scene, ANSWER_UP_TO_DATE, cases[i].facts, "no target is set for this firmware");
        /* A host's report does the same. */
        assert_int_equal(decision_report(&scene.checkin.version, &scene.known, &event),
                         scene.decision.end_attempt);
        if (scene.decision.end_attempt)
            assert_int_equal(event, scene.decision.attempt_event);
    }
}

static void test_another_firmware_is_a_third_version(void **state)
{
    /* Its 1162 is not the 1162 of the hop, nor its 1138 the 1138. */
    static const char *const versions[] = {"1138", "1162", "7"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
        scene.known.attempt_same_firmware = false;
        scene.known.target = version_of(NULL);
        says(&scene, versions[i]);
        expect(&scene, ANSWER_UP_TO_DATE, "confirm saw-other", "no target is set for this firmware");
    }
}

static void test_reports_that_change_nothing(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    struct version target = version_of("1162"), none = version_of(NULL);
    enum attempt_event event;
    (void)state;
    assert_false(decision_report(&target, &scene.known, &event)); /* nothing is open */
    scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    assert_false(decision_report(&none, &scene.known, &event));
    assert_true(decision_report(&target, &scene.known, &event));

    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the request names no version that can be read");
}

static void test_a_link_is_no_evidence(void **state)
{
    static const enum attempt_state states[] = {ATTEMPT_WAITING, ATTEMPT_SENDING, ATTEMPT_INTERRUPTED,
                                                ATTEMPT_DELIVERED};
    static const char *const versions[] = {"1138", "1162", "1150", "2000", NULL};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 5; k++) {
            struct scene scene = scene_with(CHECKIN_LINK, states[i]);
            scene.known.target = version_of(NULL);
            says(&scene, versions[k]);
            bool pinned = states[i] == ATTEMPT_SENDING || states[i] == ATTEMPT_INTERRUPTED;
            expect(&scene, ANSWER_UP_TO_DATE, pinned ? "unpin" : "", "no target is set for this firmware");
        }
    }
}

static void test_came_back_old_is_offered_again(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
}

/* ---- is there a way up ---- */

static void test_way_up_in_order(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.target = version_of(NULL);
    scene.known.format_set = scene.known.base_known = false;
    scene.known.package = PACKAGE_FAILED;
    says(&scene, NULL);
    expect(&scene, ANSWER_UP_TO_DATE, "", "no target is set for this firmware");
    scene.known.target = version_of("1162");
    expect(&scene, ANSWER_NO_BASE, "", "the request names no version that can be read");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
    says(&scene, "1162.0");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162.0 is above the target 1162");
    says(&scene, "1138");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm", NO_FORM);
    scene.known.format_set = true;
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "the image of 1138 is not here, so no package from it can be made");
    scene.known.base_known = true;
    snprintf(scene.known.package_error, sizeof scene.known.package_error, "it crashed three times");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 could not be made: it crashed three times");

    scene = scene_of(CHECKIN_LINK);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the link names no version and none has been reported");
    scene.known.confirmed = version_of("1170");
    says(&scene, "1138"); /* typed in once, long ago */
    expect(&scene, ANSWER_UP_TO_DATE, "", "1170 is above the target 1162");
}

/* ---- the package ---- */

static void test_waiting(void **state)
{
    static const struct {
        enum package_state package;
        const char *queue, *reason;
    } cases[] = {{PACKAGE_NONE, " queue", "the package 1138→1162 is queued to be generated"},
                 {PACKAGE_QUEUED, "", "the package 1138→1162 is queued to be generated"},
                 {PACKAGE_GENERATING, "", "the package 1138→1162 is being generated"}};
    char facts[60];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scene scene = scene_of(CHECKIN_DIALECT);
        scene.known.package = cases[i].package;
        snprintf(facts, sizeof facts, "confirm%s open", cases[i].queue);
        expect(&scene, ANSWER_WAIT, facts, cases[i].reason);

        /* Every 30 seconds again: nothing new. Also where the same package is made anew under an attempt. */
        for (unsigned k = ATTEMPT_WAITING; k <= ATTEMPT_INTERRUPTED; k++) {
            scene = scene_with(CHECKIN_DIALECT, (enum attempt_state)k);
            scene.known.package = cases[i].package;
            snprintf(facts, sizeof facts, "confirm%s%s", k == ATTEMPT_WAITING ? "" : " unpin", cases[i].queue);
            expect(&scene, ANSWER_WAIT, facts, cases[i].reason);
        }

        /* The target has moved: the old hop's attempt makes room. */
        scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
        scene.known.attempt_to = version_of("1150");
        scene.known.package = cases[i].package;
        snprintf(facts, sizeof facts, "confirm supersede%s open", cases[i].queue);
        expect(&scene, ANSWER_WAIT, facts, cases[i].reason);

        /* Over another link than before: it waits for the same. And what was delivered stays so until it is
         * offered. */
        scene = scene_with(CHECKIN_LINK, i ? ATTEMPT_WAITING : ATTEMPT_DELIVERED);
        scene.known.attempt_by_link = false;
        scene.known.package = cases[i].package;
        expect(&scene, ANSWER_WAIT, i ? "" : "queue", cases[i].reason);
    }
}

static void test_a_range_from_0_waits_too(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package = PACKAGE_GENERATING;
    from_byte(&scene, 0);
    expect(&scene, ANSWER_WAIT, "confirm open", "the package 1138→1162 is being generated");
}

static void test_limit(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package_size = 491520;
    expect(&scene, ANSWER_FULL, "confirm open send begun", "the package 1138→1162 of 491520 bytes is sent");
    scene.known.package_size = 491521;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is oversize: 491521 bytes, the limit is 491520");
    scene.known.begun_last_day = 6; /* that is no loop */
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is oversize: 491521 bytes, the limit is 491520");
}

static void test_loop_guard(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.begun_last_day = 5;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
    scene.known.begun_last_day = 6;
    expect(&scene, ANSWER_LOOP, "confirm saw-old block",
           "6 packages were begun to this device within 24 hours, 6 are allowed: the loop guard closes");

    /* Neither a resume nor waiting nor a refusal is a loop. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.known.begun_last_day = 6;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_PART, "confirm resume", "the package 1138→1162 is continued at byte 1000 of 43059");
    scene = scene_of(CHECKIN_DIALECT);
    scene.known.begun_last_day = 6;
    scene.known.package = PACKAGE_QUEUED;
    expect(&scene, ANSWER_WAIT, "confirm open", "the package 1138→1162 is queued to be generated");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
}

static void test_serving_and_the_attempt(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
    expect_bytes(&scene, 0, 43059);

    /* The same hop goes on in its attempt, however often it is begun anew. */
    for (unsigned i = ATTEMPT_WAITING; i <= ATTEMPT_INTERRUPTED; i++) {
        scene = scene_with(CHECKIN_DIALECT, (enum attempt_state)i);
        expect(&scene, ANSWER_FULL, "confirm send begun", SENT);
        scene = scene_with(CHECKIN_LINK, (enum attempt_state)i);
        expect(&scene, ANSWER_FULL, "send begun", SENT);
        scene.known.attempt_by_link = false; /* deliveries are counted by link */
        expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    }

    /* Another target, over the dialect; another base, over a link. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_SENDING);
    scene.known.attempt_to = version_of("1150");
    expect(&scene, ANSWER_FULL, "confirm supersede open send begun", SENT);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_SENDING);
    scene.known.attempt_from = version_of("1125");
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_SENDING);
    scene.known.attempt_same_firmware = false;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);

    /* A dialect check-in from where the hop did not begin is a third version. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_SENDING);
    scene.known.attempt_from = version_of("1125");
    expect(&scene, ANSWER_FULL, "confirm saw-other open send begun", SENT);
}

/* ---- ranges ---- */

static void test_ranges_from_0(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    from_byte(&scene, 0);
    expect(&scene, ANSWER_PART, "confirm open send begun", SENT);
    expect_bytes(&scene, 0, 43059);

    static const struct {
        uint64_t last, end;
    } cases[] = {{0, 1}, {1023, 1024}, {43057, 43058}, {43058, 43059}, {43059, 43059}, {UINT64_MAX, 43059}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene.checkin.range.has_last = true;
        scene.checkin.range.last = cases[i].last;
        expect(&scene, ANSWER_PART, "confirm open send begun", SENT);
        expect_bytes(&scene, 0, cases[i].end);
    }
}

static void test_bad_ranges(void **state)
{
    static const char reason[] = "the Range header is not one range of bytes from a first one on";
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    (void)state;
    scene.checkin.range = (struct range){.present = true, .bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.present = true, .has_last = true, .first = 10, .last = 9};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.present = true, .has_last = true, .first = 10, .last = 10};
    expect(&scene, ANSWER_PART, "confirm resume", "the package 1138→1162 is continued at byte 10 of 43059");
    expect_bytes(&scene, 10, 11);
}

static void test_resume(void **state)
{
    static const enum attempt_state states[] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, states[i]);
        from_byte(&scene, 43058);
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 43058 of 43059");
        expect_bytes(&scene, 43058, 43059);
        scene.checkin.range.first = 20000;
        scene.checkin.range.has_last = true;
        scene.checkin.range.last = 99999;
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 20000 of 43059");
        expect_bytes(&scene, 20000, 43059);

        scene = scene_with(CHECKIN_LINK, states[i]);
        from_byte(&scene, 1);
        expect(&scene, ANSWER_PART, "resume", "the package 1138→1162 is continued at byte 1 of 43059");
        expect_bytes(&scene, 1, 43059);
    }
}

static void test_resume_goes_by_the_pin_not_by_what_is_offered_now(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    static const char continued[] = "the package 1138→1150 is continued at byte 1000 of 20000";
    (void)state;
    /* A newer image has landed, its package is another, or not made yet, or the target is gone. */
    scene.known.attempt_to = version_of("1150");
    scene.known.pinned_size = 20000;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    expect_bytes(&scene, 1000, 20000);
    scene.known.package = PACKAGE_NONE;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.target = version_of(NULL);
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.base_known = false;
    expect(&scene, ANSWER_PART, "confirm resume", continued);

    scene.checkin.source = CHECKIN_LINK; /* by whatever way it asks: the bytes are the same */
    scene.known.attempt_by_link = false;
    expect(&scene, ANSWER_PART, "resume", continued);
}

static void test_resume_of_nothing_is_never_200(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm", NOTHING);
    scene.known.device_known = false;
    expect(&scene, ANSWER_BAD_RANGE, "admit confirm", NOTHING);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_WAITING);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm", NOTHING);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm saw-old", NOTHING);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "",
           "the package 1138→1162 was delivered whole, nothing can be continued");
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED); /* it got there meanwhile */
    from_byte(&scene, 1000);
    says(&scene, "1162");
    expect(&scene, ANSWER_BAD_RANGE, "confirm saw-target", NOTHING);
}

static void test_resume_of_another_base(void **state)
{
    static const char reason[] = "the package on its way, 1138→1162, is not for the version asked from";
    struct scene scene = scene_with(CHECKIN_LINK, ATTEMPT_INTERRUPTED);
    (void)state;
    from_byte(&scene, 1000);
    says(&scene, "1125");
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
    says(&scene, NULL);
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_INTERRUPTED);
    from_byte(&scene, 1000);
    scene.known.attempt_same_firmware = false;
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
}

static void test_end_of_the_pin(void **state)
{
    static const char continued[] = "the package 1138→1162 is continued at byte 1000 of 43059";
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    (void)state;
    from_byte(&scene, 1000);

    scene.known.attempt_active_ms = NOW - DAY;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.attempt_active_ms = NOW - DAY - 1;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 was left alone too long to be continued");
    scene.known.attempt_active_ms = NOW + HOUR; /* the clock was set back */
    expect(&scene, ANSWER_PART, "confirm resume", continued);

    scene.known.pinned_servable = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the package 1138→1162 that was begun has been withdrawn");
    scene.known.pinned_servable = true;
    scene.known.format_set = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the package 1138→1162 that was begun has been withdrawn");
    scene.known.format_set = true;

    scene.known.max_package_bytes = 43059;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.max_package_bytes = 43058;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 that was begun is 43059 bytes, the limit is 43058");
    scene.known.max_package_bytes = 491520;

    scene.checkin.range.first = 43059;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "byte 43059 was asked for, the package 1138→1162 has 43059");
    scene.checkin.range.first = UINT64_MAX;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "byte 18446744073709551615 was asked for, the package 1138→1162 has 43059");
}

/* A request without a range, or from byte 0, is a new decision, and what it is answered changes nothing about
   that: the module has thrown away what it had. */
static void test_a_new_decision_ends_the_pin(void **state)
{
    static const enum attempt_state pinned[] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, pinned[i / 2]);
        if (i % 2)
            from_byte(&scene, 0);
        scene.known.target = version_of(NULL);
        expect(&scene, ANSWER_UP_TO_DATE, "confirm unpin", "no target is set for this firmware");
        scene.known.blocked = true;
        expect(&scene, ANSWER_LOOP, "confirm unpin", BLOCKED);
        scene.known.attempt_active_ms = 0; /* it has ended already */
        expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);

        scene = scene_with(CHECKIN_LINK, pinned[i / 2]);
        if (i % 2)
            from_byte(&scene, 0);
        scene.known.format_set = false;
        expect(&scene, ANSWER_NOT_ALLOWED, "unpin", NO_FORM);
        scene.known.format_set = true;
        scene.known.package = PACKAGE_QUEUED; /* it was damaged, and is made again */
        expect(&scene, ANSWER_WAIT, "unpin", "the package 1138→1162 is queued to be generated");
        scene.known.link_revoked = true;
        expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    }
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.checkin.range = (struct range){.present = true, .bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the Range header is not one range of bytes from a first one on");
    from_byte(&scene, 1000);
    scene.checkin.range.bad = false;
    scene.known.attempt_active_ms = 0;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 was begun, but asked for from the start since: nothing can be continued");
}

/* ---- links ---- */

static void test_offers(void **state)
{
    static const char stale[] =
        "the package 1138→1162 was delivered 3 times over this link and nobody reported a version since";
    struct scene scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.link_deliveries = 1;
    scene.known.link_delivered_ms = NOW - DAY + 1;
    expect(&scene, ANSWER_UP_TO_DATE, "",
           "the package 1138→1162 was delivered over this link and nobody reported a version since: it is "
           "offered again "
           "from 2026-09-21 14:14 UTC");
    scene.known.link_delivered_ms = NOW - DAY;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene.known.link_deliveries = 2;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene.known.link_deliveries = 3;
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.link_delivered_ms = NOW - 1; /* at once, not a day later */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.link_delivered_ms = NOW - 400 * DAY; /* and for ever */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.package = PACKAGE_NONE; /* nothing is made for it */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);

    scene.known.link_deliveries = 0; /* it was reported as still old: counts begin anew */
    scene.known.attempt_open = false;
    scene.known.package = PACKAGE_READY;
    expect(&scene, ANSWER_FULL, "open send begun", SENT);

    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED); /* the dialect reports with every request */
    scene.known.link_deliveries = 3;
    scene.known.link_delivered_ms = NOW - 1;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
}

/* One module on one link, its records kept as the server would keep them. */
struct life {
    struct snapshot known;
    int64_t begun_ms[100], delivered_ms[100];
    unsigned begun, delivered, served, notices;
};

static enum answer life_asks(struct life *life, int64_t now_ms, bool whole)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    scene.known = life->known;
    scene.checkin.now_ms = now_ms;
    scene.known.link_deliveries = life->delivered;
    scene.known.link_delivered_ms = life->delivered ? life->delivered_ms[life->delivered - 1] : 0;
    for (unsigned i = 0; i < life->begun; i++)
        scene.known.begun_last_day += life->begun_ms[i] > now_ms - DAY;

    struct decision *decision = &scene.decision;
    decision_make(&scene.checkin, &scene.known, &limits, decision);
    assert_false(decision->confirm);
    life->notices += decision->notice_stale_link;
    life->known.blocked = life->known.blocked || decision->block;
    if (decision->end_attempt) {
        assert_int_equal(decision->attempt_event, EVENT_SUPERSEDE);
        assert_true(attempt_apply(&life->known.attempt_state, decision->attempt_event));
        life->known.attempt_open = attempt_is_open(life->known.attempt_state);
    }
    if (decision->open_attempt) {
        assert_false(life->known.attempt_open);
        life->known.attempt_open = life->known.attempt_same_firmware = life->known.attempt_by_link = true;
        life->known.attempt_state = ATTEMPT_WAITING;
        life->known.attempt_from = version_of("1138");
        life->known.attempt_to = version_of("1162");
    }
    if (decision->send) {
        life->served++;
        assert_true(attempt_apply(&life->known.attempt_state, EVENT_SEND));
        assert_true(attempt_apply(&life->known.attempt_state, whole ? EVENT_ALL_ACKED : EVENT_CUT));
        if (whole)
            life->delivered_ms[life->delivered++] = now_ms;
    }
    if (decision->begun)
        life->begun_ms[life->begun++] = now_ms;
    return decision->answer;
}

static void test_a_link_that_goes_stale(void **state)
{
    /* Asking every day, every hour, every five days, and every day a minute early. */
    static const int64_t periods[] = {DAY, HOUR, 5 * DAY, DAY - 60000};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct life life = {.known = scene_of(CHECKIN_LINK).known};
        unsigned refused = 0;
        for (int64_t now = NOW; now < NOW + 60 * DAY; now += periods[i])
            refused += life_asks(&life, now, true) == ANSWER_UP_TO_DATE;
        assert_int_equal(life.served, 3);
        assert_true(refused >= 9 && life.notices >= 1);
        assert_true(life.delivered_ms[1] - life.delivered_ms[0] >= DAY);
        assert_true(life.delivered_ms[2] - life.delivered_ms[1] >= DAY);
        assert_int_equal(life.known.attempt_state, ATTEMPT_DELIVERED); /* no more is known, for ever */
        assert_false(life.known.blocked);
    }
}

static void test_a_link_that_is_cut_each_time(void **state)
{
    struct life life = {.known = scene_of(CHECKIN_LINK).known};
    (void)state;
    /* Nothing was delivered, so it is no offer taken: it may try again, but the loop guard sees it. */
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(life_asks(&life, NOW + i * HOUR, false), ANSWER_FULL);
    assert_int_equal(life.known.attempt_state, ATTEMPT_INTERRUPTED);
    assert_int_equal(life_asks(&life, NOW + 6 * HOUR, false), ANSWER_LOOP);
    assert_int_equal(life_asks(&life, NOW + 60 * DAY, false), ANSWER_LOOP); /* until an admin lifts it */
    assert_int_equal(life.served, 6);
    assert_int_equal(life.notices, 0);
}

/* ---- reasons ---- */

static void test_long_reasons_end_at_a_character(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package = PACKAGE_FAILED;
    scene.known.target = version_of("999999999.999999999.999999999");
    says(&scene, "999999999.999999999.99999999.9");
    for (size_t ascii = 0; ascii < 3; ascii++) { /* the cut falls on each byte of a character once */
        memset(scene.known.package_error, 'x', sizeof scene.known.package_error);
        for (size_t i = ascii; i + 3 < sizeof scene.known.package_error; i += 3)
            memcpy(scene.known.package_error + i, "水", 3);
        scene.known.package_error[sizeof scene.known.package_error - 1] = '\0';
        memset(&scene.decision, 'x', sizeof scene.decision);
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, ANSWER_NOT_ALLOWED);
        size_t length = strnlen(scene.decision.reason, REASON_SIZE);
        assert_true(length >= REASON_SIZE - 4 && length < REASON_SIZE);
        assert_true(slice_is_clean_utf8(slice_of(scene.decision.reason)));
    }
}

/* ---- whatever is asked ---- */

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 20260921;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static bool mostly(void)
{
    return random_below(8) != 0;
}

static struct version random_version(void)
{
    static const char *const versions[] = {NULL,   "1125", "1138", "1138", "1138",
                                           "1150", "1162", "1162", "1170"};
    return version_of(versions[random_below(sizeof versions / sizeof *versions)]);
}

static struct scene random_scene(void)
{
    struct scene scene = scene_of(random_below(2) ? CHECKIN_LINK : CHECKIN_DIALECT);
    struct snapshot *known = &scene.known;
    scene.checkin.version = random_version();
    if (random_below(2))
        scene.checkin.range = (struct range){.present = mostly(),
                                             .bad = !mostly(),
                                             .has_last = random_below(2),
                                             .first = random_below(2) ? random_below(60000) : 0,
                                             .last = random_below(60000)};
    known->product_known = mostly();
    known->id_usable = mostly();
    known->firmware_named = mostly();
    known->firmware_known = mostly();
    known->firmware_elsewhere = random_below(2);
    known->device_known = mostly();
    known->admission_full = !mostly();
    known->link_unknown = !mostly();
    known->link_revoked = !mostly();
    known->blocked = !mostly();
    known->confirmed = random_version();
    known->format_set = mostly();
    known->max_package_bytes = mostly() ? 491520 : 30000;
    known->target = random_version();
    known->base = decision_base(&scene.checkin, &known->confirmed);
    known->base_known = mostly();
    known->package = mostly() ? PACKAGE_READY : (enum package_state)random_below(5);
    known->package_size = 1 + random_below(60000);
    known->attempt_open = mostly();
    known->attempt_state = (enum attempt_state)random_below(ATTEMPT_DELIVERED + 1);
    do {
        known->attempt_from = random_version();
        known->attempt_to = random_version();
    } while (known->attempt_from.count == 0 ||
             version_compare(&known->attempt_from, &known->attempt_to) >= 0);
    known->attempt_same_firmware = mostly();
    known->attempt_by_link = random_below(2);
    known->attempt_active_ms = NOW - (int64_t)random_below(30) * HOUR;
    known->pinned_servable = mostly();
    known->pinned_size = 1 + random_below(60000);
    known->begun_last_day = random_below(8);
    known->link_deliveries = random_below(5);
    known->link_delivered_ms = NOW - (int64_t)random_below(48) * HOUR;
    return scene;
}

static void check_invariants(const struct scene *scene)
{
    const struct checkin *checkin = &scene->checkin;
    const struct snapshot *known = &scene->known;
    const struct decision *decision = &scene->decision;
    bool firmware = decision->answer == ANSWER_FULL || decision->answer == ANSWER_PART;
    bool from_middle = checkin->range.present && checkin->range.first > 0;

    /* Firmware, if any, goes out by the book. */
    assert_int_equal(decision->send, firmware);
    assert_int_equal(decision->begun, firmware && !decision->resume);
    if (firmware) {
        uint64_t size = decision->resume ? known->pinned_size : known->package_size;
        assert_true(decision->first < decision->end && decision->end <= size &&
                    size <= known->max_package_bytes);
        assert_int_equal(decision->answer == ANSWER_PART, checkin->range.present);
        assert_int_equal(decision->resume, from_middle);
        assert_true(decision->first == (checkin->range.present ? checkin->range.first : 0));
        assert_true(!checkin->range.bad && !known->blocked && known->format_set);
    }
    if (decision->begun || decision->answer == ANSWER_WAIT)
        assert_true(known->base.count > 0 && known->base_known &&
                    version_compare(&known->base, &known->target) < 0);
    if (from_middle) /* no new decision is hidden in a resume */
        assert_false(decision->open_attempt || decision->queue_package || decision->answer == ANSWER_FULL);

    if (decision->unpin)
        assert_true(known->attempt_open && !decision->send && !decision->end_attempt && !from_middle);

    /* What is recorded fits together, in its order. */
    enum attempt_state state = known->attempt_state;
    bool open = known->attempt_open;
    if (decision->end_attempt) {
        assert_true(open && attempt_apply(&state, decision->attempt_event));
        open = attempt_is_open(state);
        assert_false(open);
        if (decision->attempt_event == EVENT_SUPERSEDE)
            assert_true(decision->open_attempt);
    }
    if (decision->open_attempt) {
        assert_false(open); /* one at most */
        open = true;
        state = ATTEMPT_WAITING;
        assert_true(decision->send || decision->answer == ANSWER_WAIT);
    }
    if (decision->send)
        assert_true(open && attempt_apply(&state, EVENT_SEND) && state == ATTEMPT_SENDING);
    if (decision->answer == ANSWER_WAIT)
        assert_true(open);
    if (decision->queue_package)
        assert_int_equal(decision->answer, ANSWER_WAIT);
    if (decision->block)
        assert_int_equal(decision->answer, ANSWER_LOOP);

    /* Truth. */
    if (checkin->source == CHECKIN_LINK) {
        assert_false(decision->confirm || decision->admit);
        assert_true(!decision->end_attempt || decision->attempt_event == EVENT_SUPERSEDE);
    } else {
        assert_true(!decision->confirm || checkin->version.count > 0);
        assert_false(decision->notice_stale_link);
    }
    assert_true(decision->reason[0] && slice_is_clean_utf8(slice_of(decision->reason)));
}

static void test_whatever_is_asked(void **state)
{
    unsigned seen[ANSWER_COUNT] = {0};
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        struct scene scene = random_scene();
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        check_invariants(&scene);
        seen[scene.decision.answer]++;
    }
    for (unsigned answer = 0; answer < ANSWER_COUNT; answer++)
        assert_true(seen[answer] > 500); /* else the scenes say nothing about it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_who_asks_in_order),
        cmocka_unit_test(test_new_devices),
        cmocka_unit_test(test_links_that_are_none),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_a_check_in_moves_the_attempt),
        cmocka_unit_test(test_another_firmware_is_a_third_version),
        cmocka_unit_test(test_reports_that_change_nothing),
        cmocka_unit_test(test_a_link_is_no_evidence),
        cmocka_unit_test(test_came_back_old_is_offered_again),
        cmocka_unit_test(test_way_up_in_order),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_a_range_from_0_waits_too),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_loop_guard),
        cmocka_unit_test(test_serving_and_the_attempt),
        cmocka_unit_test(test_ranges_from_0),
        cmocka_unit_test(test_bad_ranges),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_goes_by_the_pin_not_by_what_is_offered_now),
        cmocka_unit_test(test_resume_of_nothing_is_never_200),
        cmocka_unit_test(test_resume_of_another_base),
        cmocka_unit_test(test_end_of_the_pin),
        cmocka_unit_test(test_a_new_decision_ends_the_pin),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_a_link_that_goes_stale),
        cmocka_unit_test(test_a_link_that_is_cut_each_time),
        cmocka_unit_test(test_long_reasons_end_at_a_character),
        cmocka_unit_test(test_whatever_is_asked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
