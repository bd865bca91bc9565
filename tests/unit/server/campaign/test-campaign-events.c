/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/campaign: what webhooks and the ledger are told when a campaign changes. */
#include <jansson.h>

#include "base/cleanup.h"
#include "server/campaign/breach.h"
#include "server/campaign/gate.h"
#include "storage/outbox.h"
#include "storage/webhook.h"
#include "tests/unit/storage/test-storage-scene.h"

struct told {
    struct scene scene;
    struct campaign campaign;
    int64_t webhook, read; /* the last row of the outbox that was looked at */
    json_t *facts;         /* of the last event; the next one frees it */
};

static void build(struct db *db, const struct stages *stages, int64_t devices, struct told *ret)
{
    struct webhook webhook = {.name = "all", .url = "http://x/", .enabled = 1, .created_ms = 1};
    struct error err;
    *ret = (struct told){.read = 0};
    set_scene(db, &ret->scene);
    ret->campaign = (struct campaign){.firmware_id = ret->scene.firmware.id,
                                      .name = "spring",
                                      .target = "2",
                                      .audience = AUDIENCE_LIST,
                                      .devices = devices,
                                      .created_ms = 1};
    assert_ok(webhook_add(db, &webhook, &err), err);
    ret->webhook = webhook.id;
    assert_ok(campaign_add(db, &ret->campaign, &err), err);
    assert_ok(campaign_stages_set(db, ret->campaign.id, stages, &err), err);
    assert_ok(campaign_run(db, &ret->campaign, CAMPAIGN_START, "", NULL, 10, &err), err);
}

static void clear(struct told *told)
{
    json_decref(told->facts);
    told->facts = NULL;
}

static const char *text_of(const struct told *told, const char *name)
{
    return json_string_value(json_object_get(told->facts, name));
}

static int number_of(const struct told *told, const char *name)
{
    return (int)json_integer_value(json_object_get(told->facts, name));
}

/* The next event, of this kind; NULL: there is none. */
static void assert_told(struct db *db, struct told *told, const char *kind)
{
    _cleanup_(cleanup_free) struct outbox_row *list = NULL;
    struct error err;
    size_t count;
    char order[OUTBOX_ORDER_KEY_SIZE];
    clear(told);
    assert_ok(outbox_list(db, told->webhook, false, told->read, 1, &list, &count, &err), err);
    assert_int_equal(count, kind != NULL);
    if (!kind)
        return;
    told->facts = json_loads(list->facts, JSON_REJECT_DUPLICATES, NULL);
    told->read = list->id;
    assert_string_equal(list->kind, kind);
    snprintf(order, sizeof order, "campaign:%lld", (long long)told->campaign.id);
    assert_string_equal(list->order_key, order);
    assert_string_equal(text_of(told, "name"), told->campaign.name);
    assert_int_equal(number_of(told, "campaign"), told->campaign.id);
    assert_string_equal(text_of(told, "target"), "2");
    assert_string_equal(text_of(told, "product"), told->scene.product.product_key);
    assert_string_equal(text_of(told, "firmware"), told->scene.firmware.name);
}

/* A device that the current stage has admitted comes to this outcome. */
static void move(struct db *db, struct told *told, const char *name, enum campaign_outcome outcome,
                 int64_t now_ms)
{
    struct identity identity = {.kind = ID_UID};
    struct campaign_device row = {.campaign_id = told->campaign.id, .admitted = true};
    struct device device;
    struct error err;
    bool is_new;
    snprintf(identity.id, sizeof identity.id, "%s", name);
    assert_ok(device_add(db, told->scene.product.id, &identity, told->scene.firmware.id, &device, &err), err);
    row.device_id = row.rank = device.id;
    row.stage = told->campaign.stage;
    row.outcome = outcome;
    row.at_ms = now_ms;
    assert_ok(campaign_device_add(db, &row, &is_new, &err), err);
    assert_ok(campaign_stage_move(db, told->campaign.id, (unsigned)row.stage, OUTCOME_WAITING, outcome, 1,
                                  now_ms, &err),
              err);
}

static void evaluate(struct db *db, struct told *told, int64_t now_ms)
{
    struct error err;
    assert_ok(campaign_evaluate(db, &told->campaign, now_ms, &err), err);
}

static json_t *last_row(struct db *db)
{
    struct ledger_row row;
    struct error err;
    assert_ok(ledger_head(db, &row, &err), err);
    assert_string_equal(row.kind, "campaign-paused");
    return json_loads(row.detail, JSON_REJECT_DUPLICATES, NULL);
}

static void test_stages_are_told_in_order(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_DEVICES, .size = 1, .confirmed_percent = 100},
                  {.kind = STAGE_ALL, .confirmed_percent = 100}},
        .count = 2};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    build(db, &stages, 2, &told);
    assert_told(db, &told, NULL);
    move(db, &told, "unit-1", OUTCOME_CONFIRMED, 20);
    evaluate(db, &told, 20);
    assert_told(db, &told, "stage-done");
    assert_int_equal(number_of(&told, "stage"), 1);
    assert_int_equal(number_of(&told, "stages"), 2);
    assert_int_equal(number_of(&told, "confirmed"), 1);
    assert_non_null(strstr(text_of(&told, "summary"), "Next: stage 2 of 2 admits all devices."));
    move(db, &told, "unit-2", OUTCOME_CONFIRMED, 30);
    evaluate(db, &told, 30);
    assert_told(db, &told, "stage-done");
    assert_int_equal(number_of(&told, "stage"), 2);
    assert_told(db, &told, "campaign-finished");
    assert_int_equal(number_of(&told, "confirmed"), 2);
    assert_told(db, &told, NULL);
}

static void test_a_broken_gate_names_its_newest_devices(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_ALL, .confirmed_percent = 100, .most_failed = 24, .most_silent = 1}},
        .count = 1};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    build(db, &stages, 100, &told);
    for (int i = 1; i <= 25; i++) {
        char name[24];
        snprintf(name, sizeof name, "unit-%d", i);
        move(db, &told, name, i % 2 ? OUTCOME_NOT_APPLIED : OUTCOME_DIVERGED, 100 + i);
    }
    move(db, &told, "quiet", OUTCOME_SILENT, 200);
    evaluate(db, &told, 300);
    assert_told(db, &told, "campaign-paused");
    const json_t *devices = json_object_get(told.facts, "devices");
    assert_int_equal(json_array_size(devices), BREACH_DEVICES_MAX);
    assert_string_equal(json_string_value(json_array_get(devices, 0)), "uid:unit-25");
    assert_int_equal(number_of(&told, "count"), 25);
    assert_int_equal(number_of(&told, "gate_stage"), 1);
    assert_string_equal(text_of(&told, "gate"), "max_failed");
    char why[REASON_TEXT_SIZE];
    assert_true(reason_is(told.campaign.paused_why, REASON_GATE_FAILED));
    assert_string_equal(text_of(&told, "reason"), reason_text(told.campaign.paused_why, REASON_ENGLISH, why));
    assert_non_null(strstr(text_of(&told, "summary"), "uid:unit-25, uid:unit-24, uid:unit-23 and 22 more."));
    json_t *detail = last_row(db);
    assert_true(json_equal(json_object_get(detail, "devices"), devices));
    assert_int_equal(json_integer_value(json_object_get(detail, "count")), 25);
    assert_string_equal(json_string_value(json_object_get(detail, "reason_code")), "gate-failed");
    json_decref(detail);
    assert_told(db, &told, "needs-person");
    assert_string_equal(text_of(&told, "why"), "campaign-paused");
    assert_told(db, &told, NULL);
}

static void test_silent_devices_and_the_longest_names(void **state)
{
    static const struct stages stages = {.stage = {{.kind = STAGE_ALL, .confirmed_percent = 100}},
                                         .count = 1};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    build(db, &stages, 100, &told);
    memset(told.campaign.name, '"', sizeof told.campaign.name - 1);
    for (int i = 1; i <= 20; i++) {
        char name[IDENTITY_SIZE];
        memset(name, '\\', sizeof name);
        snprintf(name + sizeof name - 4, 4, "x%02d", i);
        move(db, &told, name, OUTCOME_SILENT, 100 + i);
    }
    evaluate(db, &told, 300);
    assert_told(db, &told, "campaign-paused");
    const json_t *devices = json_object_get(told.facts, "devices");
    assert_string_equal(text_of(&told, "gate"), "max_silent");
    assert_true(json_array_size(devices) >= 5);
    assert_int_equal(strlen(json_string_value(json_array_get(devices, 0))), 4 + IDENTITY_SIZE - 1);
    assert_int_equal(number_of(&told, "count"), 20);
    json_t *detail = last_row(db);
    assert_true(json_equal(json_object_get(detail, "devices"), devices));
    json_decref(detail);
    clear(&told);
}

static void test_admins_are_asked_once(void **state)
{
    static const struct stages stages = {
        .stage =
            {{.kind = STAGE_DEVICES, .size = 1, .confirmed_percent = 100, .settle_ms = 50, .approvals = 2},
             {.kind = STAGE_ALL, .confirmed_percent = 100}},
        .count = 2};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    struct error err;
    bool is_new;
    build(db, &stages, 2, &told);
    move(db, &told, "unit-1", OUTCOME_CONFIRMED, 20);
    evaluate(db, &told, 20);
    assert_told(db, &told, NULL);
    for (int i = 0; i < 2; i++)
        evaluate(db, &told, 80);
    assert_told(db, &told, "needs-person");
    assert_string_equal(text_of(&told, "why"), "approval");
    assert_string_equal(text_of(&told, "notice"), "stage 1: 0 of 2 admins have approved");
    assert_told(db, &told, NULL);
    assert_ok(campaign_approve(db, told.campaign.id, 0, "Ann", 90, &is_new, &err), err);
    evaluate(db, &told, 90);
    assert_told(db, &told, NULL);
    assert_ok(campaign_approve(db, told.campaign.id, 0, "Bob", 91, &is_new, &err), err);
    evaluate(db, &told, 91);
    assert_told(db, &told, "stage-done");
    clear(&told);
}

static void test_the_last_stage_is_done_once(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_DEVICES, .size = 1, .confirmed_percent = 100}}, .count = 1};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    struct error err;
    build(db, &stages, 5, &told);
    told.campaign.pause_when_done = true;
    move(db, &told, "unit-1", OUTCOME_CONFIRMED, 20);
    evaluate(db, &told, 20);
    assert_told(db, &told, "stage-done");
    assert_told(db, &told, "campaign-paused");
    assert_null(json_object_get(told.facts, "gate"));
    assert_null(json_object_get(told.facts, "devices"));
    assert_told(db, &told, "needs-person");
    assert_ok(campaign_run(db, &told.campaign, CAMPAIGN_RESUME, "", NULL, 30, &err), err);
    evaluate(db, &told, 31);
    assert_int_equal(told.campaign.state, CAMPAIGN_RUNNING);
    assert_told(db, &told, NULL);
    assert_ok(campaign_run(db, &told.campaign, CAMPAIGN_PAUSE, "rain", NULL, 40, &err), err);
    assert_told(db, &told, "campaign-paused");
    assert_string_equal(text_of(&told, "reason"), "rain");
    assert_told(db, &told, NULL); /* the admin who paused it knows it */
    clear(&told);
}

/* What an admin writes is not read as a state. */
static void test_an_admin_gives_the_reason_of_the_server(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_DEVICES, .size = 1, .confirmed_percent = 100}}, .count = 1};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    struct error err;
    build(db, &stages, 5, &told);
    told.campaign.pause_when_done = true;
    assert_ok(campaign_run(db, &told.campaign, CAMPAIGN_PAUSE, "the last stage is done", NULL, 20, &err),
              err);
    assert_told(db, &told, "campaign-paused");
    assert_told(db, &told, NULL);
    assert_ok(campaign_run(db, &told.campaign, CAMPAIGN_RESUME, "", NULL, 30, &err), err);
    move(db, &told, "unit-1", OUTCOME_CONFIRMED, 40);
    evaluate(db, &told, 40);
    assert_int_equal(told.campaign.state, CAMPAIGN_PAUSED);
    assert_true(told.campaign.pause_when_done);
    clear(&told);
}

static void test_a_time_in_the_future_counts_as_now(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_DEVICES, .size = 1, .confirmed_percent = 100, .settle_ms = 50},
                  {.kind = STAGE_DEVICES, .size = 2, .settle_ms = 50},
                  {.kind = STAGE_ALL, .confirmed_percent = 100}},
        .count = 3};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    struct error err;
    build(db, &stages, 5, &told);
    move(db, &told, "unit-1", OUTCOME_CONFIRMED, 1000000);
    for (int64_t now_ms = 20; now_ms < 70; now_ms += 10)
        evaluate(db, &told, now_ms);
    assert_int_equal(told.campaign.stage, 0);
    assert_ok(db_begin(db, &err) && campaign_evaluate_all(db, 70, &err) && db_commit(db, &err), err);
    assert_ok(campaign_get(db, told.scene.firmware.id, "spring", &told.campaign, &err), err);
    assert_int_equal(told.campaign.stage, 1);
    told.campaign.stage_started_ms = 1000000;
    evaluate(db, &told, 80);
    evaluate(db, &told, 129);
    assert_int_equal(told.campaign.stage, 1);
    evaluate(db, &told, 130);
    assert_int_equal(told.campaign.stage, 2);
    clear(&told);
}

static void test_a_campaign_that_cannot_be_evaluated_stops_no_other(void **state)
{
    static const struct stages stages = {
        .stage = {{.kind = STAGE_DEVICES, .size = 1, .settle_ms = 50}, {.kind = STAGE_ALL}}, .count = 2};
    static const struct stages none = {.count = 0};
    struct db *db = ((struct place *)*state)->db;
    struct told told;
    struct error err;
    build(db, &stages, 5, &told);
    struct campaign broken = told.campaign;
    strcpy(broken.name, "broken");
    assert_ok(campaign_add(db, &broken, &err), err);
    struct campaign after = told.campaign;
    strcpy(after.name, "after");
    assert_ok(campaign_add(db, &after, &err), err);
    assert_ok(campaign_stages_set(db, broken.id, &none, &err), err);
    assert_ok(campaign_stages_set(db, after.id, &stages, &err), err);
    assert_ok(db_begin(db, &err) && campaign_evaluate_all(db, 100, &err) && db_commit(db, &err), err);
    for (int i = 0; i < 2; i++) {
        assert_ok(campaign_get(db, told.scene.firmware.id, i ? "after" : "spring", &after, &err), err);
        assert_int_equal(after.stage, 1);
    }
    clear(&told);
}

static void test_a_resume_forgets_the_gate(void **state)
{
    static const struct stages stages = {.stage = {{.kind = STAGE_ALL, .confirmed_percent = 100}},
                                         .count = 1};
    struct db *db = ((struct place *)*state)->db;
    struct campaign stored;
    struct told told;
    struct error err;
    bool found;
    build(db, &stages, 5, &told);
    move(db, &told, "unit-1", OUTCOME_NOT_APPLIED, 20);
    evaluate(db, &told, 20);
    assert_ok(campaign_by_id(db, told.campaign.id, &stored, &found, &err), err);
    assert_int_equal(stored.breach, BREACH_FAILED);
    assert_ok(campaign_run(db, &told.campaign, CAMPAIGN_RESUME, "", NULL, 30, &err), err);
    assert_ok(campaign_by_id(db, told.campaign.id, &stored, &found, &err), err);
    assert_int_equal(stored.breach, BREACH_NONE);
    move(db, &told, "unit-2", OUTCOME_DIVERGED, 40);
    evaluate(db, &told, 40);
    for (int i = 0; i < 2; i++)
        assert_told(db, &told, i ? "needs-person" : "campaign-paused");
    assert_told(db, &told, "campaign-paused");
    assert_int_equal(number_of(&told, "count"), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(told.facts, "devices"), 0)),
                        "uid:unit-2");
    clear(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stages_are_told_in_order),
        TEST(test_a_broken_gate_names_its_newest_devices),
        TEST(test_silent_devices_and_the_longest_names),
        TEST(test_admins_are_asked_once),
        TEST(test_the_last_stage_is_done_once),
        TEST(test_an_admin_gives_the_reason_of_the_server),
        TEST(test_a_time_in_the_future_counts_as_now),
        TEST(test_a_campaign_that_cannot_be_evaluated_stops_no_other),
        TEST(test_a_resume_forgets_the_gate),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
