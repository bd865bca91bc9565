/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Campaigns, their stages and their devices. */
#include "base/cleanup.h"
#include "storage/attempt.h"
#include "storage/campaign_device.h"
#include "storage/rhythm.h"
#include "tests/unit/storage/test-storage-scene.h"

static const struct stages two = {
    .stage = {{.kind = STAGE_DEVICES, .size = 5, .least_confirmed = 4, .settle_ms = 7, .approvals = 2},
              {.kind = STAGE_ALL, .confirmed_percent = 90, .most_failed = 3, .most_silent = 2}},
    .count = 2};

static struct campaign campaign_of(struct place *place, const struct scene *scene, const char *name,
                                   const char *target, enum audience audience)
{
    struct campaign made = {.firmware_id = scene->firmware.id,
                            .state = CAMPAIGN_RUNNING,
                            .audience = audience,
                            .finish_transfers = true,
                            .created_ms = 1};
    struct error err;
    strcpy(made.name, name);
    strcpy(made.target, target);
    assert_ok(campaign_add(place->db, &made, &err), err);
    assert_ok(campaign_stages_set(place->db, made.id, &two, &err), err);
    return made;
}

static int64_t device_of(struct place *place, const struct scene *scene, unsigned number)
{
    struct identity identity = {.kind = ID_UID};
    struct device device;
    struct error err;
    snprintf(identity.id, sizeof identity.id, "unit-%u", number);
    assert_ok(device_add(place->db, scene->product.id, &identity, scene->firmware.id, &device, &err), err);
    return device.id;
}

static void put(struct place *place, const struct campaign *campaign, int64_t device_id, int64_t rank)
{
    const struct campaign_device row = {
        .campaign_id = campaign->id, .device_id = device_id, .rank = rank, .outcome = OUTCOME_WAITING};
    struct error err;
    bool is_new;
    assert_ok(campaign_device_add(place->db, &row, &is_new, &err), err);
    assert_true(is_new);
    assert_ok(campaign_device_add(place->db, &row, &is_new, &err), err);
    assert_false(is_new);
}

static void test_stages_are_kept_with_their_counts(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct stages stages;
    struct error err;
    bool is_new;
    set_scene(place->db, &scene);
    struct campaign made = campaign_of(place, &scene, "a", "10", AUDIENCE_ALL);
    assert_ok(campaign_stage_move(place->db, made.id, 0, OUTCOME_WAITING, OUTCOME_ADMITTED, 3, 5, &err), err);
    assert_ok(campaign_stage_move(place->db, made.id, 0, OUTCOME_ADMITTED, OUTCOME_CONFIRMED, 1, 6, &err),
              err);
    assert_ok(campaign_stage_move(place->db, made.id, 0, OUTCOME_ADMITTED, OUTCOME_SILENT, 1, 8, &err), err);
    assert_ok(campaign_approve(place->db, made.id, 0, "Ann", 1, &is_new, &err), err);
    assert_true(is_new);
    assert_ok(campaign_approve(place->db, made.id, 0, "Ann", 2, &is_new, &err), err);
    assert_false(is_new);
    assert_ok(campaign_stages_load(place->db, made.id, &stages, &err), err);
    assert_int_equal(stages.count, 2);
    const struct stage *first = &stages.stage[0], *last = &stages.stage[1];
    assert_int_equal(first->count[OUTCOME_ADMITTED], 1);
    assert_int_equal(first->count[OUTCOME_CONFIRMED], 1);
    assert_int_equal(first->count[OUTCOME_SILENT], 1);
    assert_int_equal(first->last_confirmed_ms, 6);
    assert_int_equal(first->approved, 1);
    assert_int_equal(first->settle_ms, 7);
    assert_int_equal(last->kind, STAGE_ALL);
    assert_int_equal(last->confirmed_percent, 90);
    assert_int_equal(last->most_failed, 3);
    assert_ok(campaign_stages_set(place->db, made.id, &stages, &err), err);
    assert_ok(campaign_stages_load(place->db, made.id, &stages, &err), err);
    assert_int_equal(stage_admitted(&stages.stage[0]) + stages.stage[0].approved, 0);
}

static void test_names(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct campaign found;
    struct error err;
    char number[24];
    set_scene(place->db, &scene);
    struct campaign made = campaign_of(place, &scene, "a", "10", AUDIENCE_LIST), again = made;
    assert_false(campaign_add(place->db, &again, &err));
    assert_int_equal(err.code, ERROR_CAMPAIGN_EXISTS);
    snprintf(number, sizeof number, "%lld", (long long)made.id);
    assert_ok(campaign_get(place->db, scene.firmware.id, number, &found, &err), err);
    assert_ok(campaign_get(place->db, scene.firmware.id, "a", &found, &err), err);
    assert_int_equal(found.id, made.id);
    assert_false(campaign_get(place->db, scene.firmware.id + 1, number, &found, &err));
    assert_int_equal(err.code, ERROR_CAMPAIGN_NOT_FOUND);
}

static void test_the_target_is_the_plain_campaign(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct firmware firmware;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    struct campaign plain = {.firmware_id = scene.firmware.id,
                             .plain = true,
                             .state = CAMPAIGN_RUNNING,
                             .name = "target",
                             .target = "10"};
    assert_ok(campaign_add(place->db, &plain, &err), err);
    assert_ok(firmware_by_id(place->db, scene.firmware.id, &firmware, &found, &err), err);
    assert_string_equal(firmware.target, "10");
    plain.state = CAMPAIGN_CANCELLED;
    assert_ok(campaign_update(place->db, &plain, &err), err);
    assert_ok(firmware_by_id(place->db, scene.firmware.id, &firmware, &found, &err), err);
    assert_string_equal(firmware.target, "");
}

static bool conflicts(struct place *place, const struct campaign *campaign, int64_t besides)
{
    struct campaign other;
    struct error err;
    bool found;
    assert_ok(campaign_conflict(place->db, campaign, besides, &other, &found, &err), err);
    return found;
}

static void test_conflicts(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct error err;
    set_scene(place->db, &scene);
    struct campaign a = campaign_of(place, &scene, "a", "10", AUDIENCE_LIST);
    struct campaign b = campaign_of(place, &scene, "b", "9", AUDIENCE_LIST);
    int64_t shared = device_of(place, &scene, 1), other = device_of(place, &scene, 2);
    put(place, &a, shared, 0);
    put(place, &b, other, 0);
    assert_false(conflicts(place, &a, 0));
    put(place, &b, shared, 1);
    assert_true(conflicts(place, &a, 0) && conflicts(place, &b, 0));
    assert_false(conflicts(place, &a, b.id));
    b.state = CAMPAIGN_FINISHED;
    assert_ok(campaign_update(place->db, &b, &err), err);
    assert_false(conflicts(place, &a, 0));
    struct campaign all = campaign_of(place, &scene, "all", "10", AUDIENCE_ALL);
    assert_false(conflicts(place, &all, 0));
    strcpy(all.target, "9");
    assert_true(conflicts(place, &all, 0));
}

static void test_the_live_campaign_of_a_device(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct campaign found_campaign;
    struct campaign_device row;
    struct error err;
    bool found;
    set_scene(place->db, &scene);
    struct campaign list = campaign_of(place, &scene, "list", "10", AUDIENCE_LIST);
    struct campaign all = campaign_of(place, &scene, "all", "10", AUDIENCE_ALL);
    int64_t device = device_of(place, &scene, 1);
    put(place, &list, device, 3);
    put(place, &all, device, device);
    for (int i = 0; i < 3; i++) {
        assert_ok(
            campaign_device_live(place->db, device, scene.firmware.id, &found_campaign, &row, &found, &err),
            err);
        assert_int_equal(found, i < 2);
        if (found)
            assert_int_equal(found_campaign.id, i == 0 ? list.id : all.id);
        struct campaign *ends = i == 0 ? &list : &all;
        ends->state = CAMPAIGN_CANCELLED;
        assert_ok(campaign_update(place->db, ends, &err), err);
    }
}

/* Five devices, the last one first. The first two run 10, the others 9. */
static struct campaign five_devices(struct place *place)
{
    struct scene scene;
    struct error err;
    set_scene(place->db, &scene);
    struct campaign made = campaign_of(place, &scene, "a", "10", AUDIENCE_LIST);
    for (unsigned i = 0; i < 5; i++) {
        struct device device;
        bool found;
        int64_t id = device_of(place, &scene, i);
        assert_ok(device_by_id(place->db, id, &device, &found, &err), err);
        strcpy(device.confirmed_version, i < 2 ? "10" : "9");
        strcpy(device.asked_version, device.confirmed_version);
        device.confirmed_by = REPORTED_BY_CHECK_IN;
        assert_ok(device_update(place->db, &device, &err), err);
        put(place, &made, id, 4 - i);
    }
    return made;
}

static void test_groups_by_version(void **state)
{
    struct place *place = *state;
    struct campaign made = five_devices(place);
    struct campaign_group *groups;
    struct error err;
    size_t count;
    assert_ok(campaign_device_groups(place->db, &made, &groups, &count, &err), err);
    assert_int_equal(count, 2);
    assert_string_equal(groups[0].version, "9");
    assert_int_equal(groups[0].devices, 3);
    free(groups);
}

static void set_device(struct place *place, int64_t id, enum device_state is, int64_t held_out_ms)
{
    struct device device;
    struct error err;
    bool found;
    assert_ok(device_by_id(place->db, id, &device, &found, &err), err);
    device.state = is;
    device.held_out_ms = held_out_ms;
    assert_ok(device_update(place->db, &device, &err), err);
}

static void test_devices_that_take_no_part(void **state)
{
    struct place *place = *state;
    struct campaign made = five_devices(place);
    struct campaign_device_listed *list;
    struct campaign_group *groups;
    struct error err;
    size_t count;
    int64_t changed, reach;
    assert_ok(campaign_device_list(place->db, made.id, OUTCOME_WAITING, -1, 10, &list, &count, &err), err);
    set_device(place, list[1].row.device_id, DEVICE_RETIRED, 0);
    set_device(place, list[3].row.device_id, DEVICE_ACTIVE, 5);
    assert_ok(campaign_device_out_all(place->db, made.id, 7, &changed, &err), err);
    assert_int_equal(changed, 2);
    assert_ok(campaign_device_confirm_all(place->db, made.id, "10", 8, &changed, &err), err);
    assert_int_equal(changed, 1);
    const int64_t reaches[] = {0, 1, 3, 5, INT32_MAX}; /* ranks 1 and 3 are out */
    made.devices = 5;
    made.out = 2;
    for (int64_t wanted = 0; wanted < 5; wanted++) {
        assert_ok(campaign_device_reach(place->db, &made, wanted, &reach, &err), err);
        assert_int_equal(reach, reaches[wanted]);
    }
    assert_ok(campaign_device_drop(place->db, made.id, list[0].row.device_id, &err), err);
    made.devices = 4;
    assert_ok(campaign_device_reach(place->db, &made, 1, &reach, &err), err);
    assert_int_equal(reach, 3);
    assert_ok(campaign_device_groups(place->db, &made, &groups, &count, &err), err);
    assert_int_equal(count, 4);
    assert_false(groups[0].out || groups[1].out);
    assert_true(groups[2].out && groups[count - 1].out);
    free(groups);
    made.audience = AUDIENCE_ALL; /* a retired device is not of the fleet; one that is held out is */
    assert_ok(campaign_device_groups(place->db, &made, &groups, &count, &err), err);
    assert_int_equal(count, 3);
    assert_true(groups[0].devices == 2 && groups[1].devices == 1 && groups[2].out && groups[2].devices == 1);
    free(groups);
    free(list);
}

/* The first two devices of *made, in another list that leads to another version. */
static struct campaign copy_of(struct place *place, const struct campaign *made, int64_t ret_device[3])
{
    struct campaign other = *made;
    struct campaign_device_listed *list;
    struct error err;
    size_t count;
    int64_t copied;
    strcpy(other.name, "b");
    strcpy(other.target, "11");
    assert_ok(campaign_add(place->db, &other, &err), err);
    assert_ok(campaign_stages_set(place->db, other.id, &two, &err), err);
    assert_ok(campaign_device_copy_all(place->db, made->id, other.id, 2, &copied, &err), err);
    assert_int_equal(copied, 2);
    assert_ok(campaign_device_list(place->db, made->id, OUTCOME_WAITING, -1, 10, &list, &count, &err), err);
    for (int i = 0; i < 3; i++)
        ret_device[i] = list[i].row.device_id;
    free(list);
    return other;
}

static void test_rows_of_a_device(void **state)
{
    struct place *place = *state;
    int64_t device[3];
    struct campaign made = five_devices(place), other = copy_of(place, &made, device), found_campaign;
    struct campaign_device *rows, row;
    struct error err;
    size_t count;
    bool found, is_new;
    assert_ok(campaign_device_rows_of(place->db, device[0], &rows, &count, &err), err);
    assert_int_equal(count, 2);
    assert_ok(campaign_device_conflict(place->db, &made, device[0], &found_campaign, &found, &err), err);
    assert_true(found && found_campaign.id == other.id);
    row = rows[1];
    row.device_id = device[2];
    row.outcome = OUTCOME_ADMITTED;
    row.admitted = true;
    assert_ok(campaign_device_hand_over(place->db, device[0], &row, &err), err);
    assert_ok(campaign_device_conflict(place->db, &made, device[0], &found_campaign, &found, &err), err);
    assert_false(found);
    assert_ok(campaign_device_find(place->db, other.id, device[2], &row, &found, &err), err);
    assert_true(found && row.admitted && row.rank == rows[1].rank);
    assert_ok(campaign_device_select(place->db, &other, device[0], 9, &is_new, &err), err);
    assert_true(is_new);
    assert_ok(campaign_device_select(place->db, &other, 12345, 10, &is_new, &err), err);
    assert_false(is_new);
    assert_ok(campaign_device_drop(place->db, other.id, device[0], &err), err);
    assert_ok(campaign_device_find(place->db, other.id, device[0], &row, &found, &err), err);
    assert_false(found);
    free(rows);
}

static void test_open_campaigns_with_a_filter_come_first(void **state)
{
    struct place *place = *state;
    struct scene scene;
    struct campaign *open, found_campaign;
    char(*targets)[VERSION_TEXT_SIZE];
    struct error err;
    size_t count;
    bool found;
    set_scene(place->db, &scene);
    struct campaign filter = campaign_of(place, &scene, "filter", "10", AUDIENCE_ALL);
    campaign_of(place, &scene, "all", "10", AUDIENCE_ALL);
    campaign_of(place, &scene, "list", "9", AUDIENCE_LIST);
    strcpy(filter.filter, "tag=north");
    filter.order = ORDER_SPREAD;
    assert_ok(campaign_update(place->db, &filter, &err), err);
    assert_ok(campaign_list_open(place->db, scene.firmware.id, &open, &count, &err), err);
    assert_int_equal(count, 2);
    assert_string_equal(open[0].filter, "tag=north");
    assert_int_equal(open[0].order, ORDER_SPREAD);
    assert_string_equal(campaign_audience_name(&open[0]), "filter");
    assert_string_equal(campaign_audience_name(&open[1]), "all");
    free(open);
    assert_ok(campaign_targets(place->db, scene.firmware.id, &targets, &count, &err), err);
    assert_int_equal(count, 2);
    assert_string_equal(targets[0], "10");
    free(targets);
    assert_ok(campaign_live_of(place->db, scene.firmware.id, &found_campaign, &found, &err), err);
    assert_true(found);
}

static void test_pages_of_outcomes(void **state)
{
    struct place *place = *state;
    struct campaign made = five_devices(place);
    struct campaign_device_listed *list;
    struct error err;
    size_t count;
    int64_t changed;
    assert_ok(campaign_device_confirm_all(place->db, made.id, "10", 6, &changed, &err), err);
    assert_int_equal(changed, 2);
    assert_ok(campaign_device_list(place->db, made.id, OUTCOME_CONFIRMED, -1, 10, &list, &count, &err), err);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].row.rank, 3);
    assert_string_equal(list[0].device, "unit-1");
    assert_false(list[0].row.admitted);
    free(list);
    assert_ok(campaign_device_fold(place->db, made.id, 4, 0, &changed, &err), err);
    assert_int_equal(changed, 1);
    assert_ok(campaign_device_list(place->db, made.id, CAMPAIGN_OUTCOME_COUNT, 1, 2, &list, &count, &err),
              err);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].row.rank, 2);
    assert_true(list[1].row.admitted && list[1].row.stage == 0);
    free(list);
    assert_ok(campaign_device_reset_all(place->db, made.id, &err), err);
    assert_ok(campaign_device_list(place->db, made.id, OUTCOME_WAITING, -1, 10, &list, &count, &err), err);
    assert_int_equal(count, 5);
    free(list);
    assert_ok(campaign_remove(place->db, made.id, &err), err);
    assert_ok(campaign_device_list(place->db, made.id, CAMPAIGN_OUTCOME_COUNT, -1, 10, &list, &count, &err),
              err);
    assert_int_equal(count, 0);
    free(list);
}

/* How many devices of the sample have this interval. */
static unsigned count_rhythm(struct place *place, const struct campaign *campaign, int64_t interval_ms,
                             size_t expected)
{
    _cleanup_(cleanup_free) struct rhythm *list = NULL;
    struct error err;
    size_t count;
    unsigned found = 0;
    assert_ok(rhythm_sample(place->db, campaign, &list, &count, &err), err);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        found += rhythm_interval(&list[i]) == interval_ms;
    return found;
}

static void test_the_rhythm_of_devices(void **state)
{
    struct place *place = *state;
    struct campaign list = five_devices(place), all = list;
    struct device device;
    struct error err;
    bool found;
    all.audience = AUDIENCE_ALL;
    assert_int_equal(count_rhythm(place, &list, 0, 5), 5);
    const int64_t asked_ms[] = {DAY_MS, DAY_MS + MINUTE_MS, 2 * DAY_MS, 3 * DAY_MS, 2000 * DAY_MS};
    for (size_t i = 0; i < sizeof asked_ms / sizeof *asked_ms; i++)
        assert_ok(device_seen(place->db, 1, 3, asked_ms[i], &err), err);
    assert_int_equal(count_rhythm(place, &list, (2 * DAY_MS - MINUTE_MS) / 2, 5), 1);
    assert_int_equal(count_rhythm(place, &all, (2 * DAY_MS - MINUTE_MS) / 2, 5), 1);
    assert_ok(device_by_id(place->db, 1, &device, &found, &err), err);
    device.state = DEVICE_RETIRED;
    assert_ok(device_update(place->db, &device, &err), err);
    assert_int_equal(count_rhythm(place, &list, 0, 4), 4);
    assert_int_equal(count_rhythm(place, &all, 0, 4), 4);
}

static void assert_bytes(struct place *place, const struct campaign *campaign, int64_t bytes, int64_t vain)
{
    struct campaign found;
    struct error err;
    bool is_found;
    assert_ok(campaign_by_id(place->db, campaign->id, &found, &is_found, &err), err);
    assert_int_equal(found.bytes, bytes);
    assert_int_equal(found.vain, vain);
    assert_string_equal(found.forecast, "{}");
}

static void test_bytes_are_counted_for_the_campaign(void **state)
{
    struct place *place = *state;
    struct campaign made = five_devices(place);
    struct attempt attempt = {.device_id = 3,
                              .firmware_id = made.firmware_id,
                              .campaign_id = made.id,
                              .from = "9",
                              .to = "10",
                              .target = "10",
                              .state = ATTEMPT_SENDING,
                              .created_ms = 1};
    struct error err;
    strcpy(made.forecast, "{}");
    assert_ok(attempt_add(place->db, &attempt, &err), err);
    attempt.bytes_acked = 70;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_ok(campaign_update(place->db, &made, &err), err);
    assert_bytes(place, &made, 70, 0);
    attempt.bytes_acked = 0; /* it begins again */
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_bytes(place, &made, 70, 70);
    attempt.bytes_acked = 30;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_bytes(place, &made, 100, 70);
    attempt.state = ATTEMPT_SILENT;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_bytes(place, &made, 100, 100);
    attempt.state = ATTEMPT_CONFIRMED;
    attempt.bytes_acked = 90;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
    assert_bytes(place, &made, 160, 70);
    attempt.campaign_id = 0;
    assert_ok(attempt_update(place->db, &attempt, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stages_are_kept_with_their_counts),
        TEST(test_names),
        TEST(test_the_target_is_the_plain_campaign),
        TEST(test_conflicts),
        TEST(test_the_live_campaign_of_a_device),
        TEST(test_groups_by_version),
        TEST(test_pages_of_outcomes),
        TEST(test_the_rhythm_of_devices),
        TEST(test_bytes_are_counted_for_the_campaign),
        TEST(test_devices_that_take_no_part),
        TEST(test_rows_of_a_device),
        TEST(test_open_campaigns_with_a_filter_come_first),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
