/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/webhook/notify: which facts become events, and what the events say. */
#include "tests/unit/storage/test-storage.h"

#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/webhook/notify.h"
#include "storage/budget.h"
#include "storage/image.h"
#include "storage/outbox.h"
#include "storage/webhook.h"

#define LIMIT 100000

struct scene {
    struct product product;
    struct firmware firmware;
    struct device device;
    struct package package;
    int64_t webhook;
};

static void add_image(struct db *db, const struct scene *scene, const char *version, uint8_t byte,
                      struct sha256 *ret)
{
    struct image image = {.firmware_id = scene->firmware.id, .size_bytes = 1, .uploaded_ms = 1};
    struct error err;
    bool is_new;
    snprintf(image.version, sizeof image.version, "%s", version);
    memset(image.sha256.byte, byte, sizeof image.sha256.byte);
    *ret = image.sha256;
    assert_ok(image_add(db, scene->product.id, &image, &is_new, &err), err);
}

static void build(struct db *db, const char *firmware, const char *kinds, struct scene *ret)
{
    struct webhook webhook = {.name = "all", .url = "http://x/", .enabled = 1, .created_ms = 1};
    struct identity identity;
    struct error err;
    bool found;
    *ret = (struct scene){.product = {.product_key = "pumps", .name = "x", .created_ms = 1}};
    assert_ok(product_add(db, &ret->product, &err), err);
    assert_ok(firmware_ensure(db, ret->product.id, firmware, 1, &ret->firmware, &err), err);
    ret->firmware.max_package_bytes = LIMIT;
    snprintf(ret->firmware.format, sizeof ret->firmware.format, "bsdiff");
    assert_ok(firmware_update(db, &ret->firmware, &err), err);
    assert_true(identity_parse(slice_of("866597071234569"), &identity));
    assert_ok(device_add(db, ret->product.id, &identity, ret->firmware.id, &ret->device, &err), err);
    struct package_key key = {.format = "bsdiff"};
    add_image(db, ret, "1", 1, &key.from);
    add_image(db, ret, "2", 2, &key.to);
    assert_ok(package_queue(db, &key, false, 1, 1, &err), err);
    assert_ok(package_find(db, &key, &ret->package, &found, &err), err);
    snprintf(webhook.kinds, sizeof webhook.kinds, "%s", kinds);
    assert_ok(webhook_add(db, &webhook, &err), err);
    ret->webhook = webhook.id;
}

/* How many events wait; *ret: the facts of the last one, or NULL. */
static size_t waiting(struct db *db, const struct scene *scene, json_t **ret)
{
    _cleanup_(cleanup_free) struct outbox_row *list = NULL;
    struct error err;
    size_t count;
    assert_ok(outbox_list(db, scene->webhook, false, 0, 1000, &list, &count, &err), err);
    if (ret) {
        *ret = count ? json_loads(list[count - 1].facts, JSON_REJECT_DUPLICATES, NULL) : NULL;
        assert_non_null(*ret);
    }
    return count;
}

static void tried(struct db *db, const struct scene *scene, int64_t before_bytes, int64_t before_tried,
                  int64_t now_bytes, int64_t now_tried)
{
    const struct notify_size before = {before_bytes, before_tried}, now = {now_bytes, now_tried};
    struct error err;
    assert_ok(notify_oversize(db, &scene->package, &before, &now, 5, &err), err);
}

static void test_oversize_is_told_once_it_is_settled(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct scene scene;
    build(db, "pump", "", &scene);
    tried(db, &scene, 0, 0, LIMIT, EFFORT_QUICK);
    tried(db, &scene, 0, 0, LIMIT + 1, EFFORT_QUICK); /* a harder effort may bring it below */
    assert_int_equal(waiting(db, &scene, NULL), 0);
    tried(db, &scene, LIMIT + 1, EFFORT_QUICK, LIMIT + 1, EFFORT_GOOD);
    assert_int_equal(waiting(db, &scene, NULL), 0);
    tried(db, &scene, LIMIT + 1, EFFORT_GOOD, LIMIT - 1, EFFORT_BEST);
    assert_int_equal(waiting(db, &scene, NULL), 0);
    tried(db, &scene, LIMIT + 1, EFFORT_GOOD, LIMIT + 1, EFFORT_BEST);
    assert_int_equal(waiting(db, &scene, NULL), 1);
    tried(db, &scene, 0, 0, 2 * LIMIT, EFFORT_QUICK); /* far above: at once, and not again */
    assert_int_equal(waiting(db, &scene, NULL), 2);
    tried(db, &scene, 2 * LIMIT, EFFORT_QUICK, 2 * LIMIT, EFFORT_GOOD);
    assert_int_equal(waiting(db, &scene, NULL), 2);
    tried(db, &scene, 0, 0, 2 * LIMIT, EFFORT_NONE); /* made by a command */
    assert_int_equal(waiting(db, &scene, NULL), 3);
}

static void test_oversize_of_what_only_the_matrix_wants(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct scene scene;
    struct error err;
    struct package_key key = {.format = "bsdiff"};
    bool found;
    build(db, "pump", "", &scene);
    add_image(db, &scene, "3", 3, &key.to);
    key.from = scene.package.key.to;
    assert_ok(package_queue(db, &key, false, 0, 1, &err), err);
    assert_ok(package_find(db, &key, &scene.package, &found, &err), err);
    tried(db, &scene, 0, 0, 2 * LIMIT, EFFORT_QUICK);
    assert_int_equal(waiting(db, &scene, NULL), 0);
}

static void end(struct db *db, const struct scene *scene, enum attempt_state state, int64_t at_ms)
{
    struct attempt attempt = {
        .id = 7, .device_id = scene->device.id, .firmware_id = scene->firmware.id, .from = "1", .to = "2"};
    struct error err;
    attempt.state = state;
    assert_ok(notify_attempt_ended(db, &attempt, at_ms, &err), err);
}

static void test_which_ends_are_told(void **state)
{
    static const char *const kinds[ATTEMPT_STATE_COUNT] = {[ATTEMPT_CONFIRMED] = "confirmed",
                                                           [ATTEMPT_NOT_BY_US] = "confirmed",
                                                           [ATTEMPT_NOT_APPLIED] = "not-applied",
                                                           [ATTEMPT_DIVERGED] = "not-applied"};
    struct db *db = ((struct place *)*state)->db;
    struct scene scene;
    build(db, "pump", "", &scene);
    for (unsigned number = 0; number < ATTEMPT_STATE_COUNT; number++) {
        json_t *facts;
        size_t before = waiting(db, &scene, NULL);
        end(db, &scene, (enum attempt_state)number, 5);
        assert_int_equal(waiting(db, &scene, NULL), before + (kinds[number] ? 1 : 0));
        if (!kinds[number])
            continue;
        waiting(db, &scene, &facts);
        assert_string_equal(json_string_value(json_object_get(facts, "event")), kinds[number]);
        assert_string_equal(json_string_value(json_object_get(facts, "state")),
                            attempt_state_name((enum attempt_state)number));
        json_decref(facts);
    }
}

static void test_a_device_that_has_spent_its_budget_is_silent(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct budget budget, left;
    struct scene scene;
    struct error err;
    build(db, "pump", "", &scene);
    assert_ok(budget_load(db, BUDGET_DEVICE, scene.device.id, 0, &budget, &left, &err), err);
    budget.facts = BUDGET_ROWS;
    assert_ok(budget_store(db, &budget, &err), err);
    end(db, &scene, ATTEMPT_CONFIRMED, 5);
    assert_int_equal(waiting(db, &scene, NULL), 0);
    end(db, &scene, ATTEMPT_CONFIRMED, 5 + 24LL * 3600 * 1000);
    assert_int_equal(waiting(db, &scene, NULL), 1);
}

static void test_the_longest_names_fit(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct scene scene;
    struct error err;
    json_t *facts;
    char firmware[FIRMWARE_NAME_SIZE], notice[NOTICE_SIZE], base[300];
    memset(firmware, '"', sizeof firmware - 1);
    firmware[sizeof firmware - 1] = '\0';
    memset(notice, '\\', sizeof notice - 1);
    notice[sizeof notice - 1] = '\0';
    memcpy(notice + sizeof notice - 3, "\xE6\x9D", 2); /* cut inside a character */
    snprintf(base, sizeof base, "http://%0250d", 1);
    build(db, firmware, "", &scene);
    assert_ok(notify_needs_person(db, &scene.device, &scene.firmware, "loop-guard", notice, 5, &err), err);
    waiting(db, &scene, &facts);
    assert_string_equal(json_string_value(json_object_get(facts, "firmware")), firmware);
    json_decref(facts);
    const struct notify_ready ready = {&scene.product,
                                       &scene.firmware,
                                       "999999999.999999999.999999999",
                                       "999999999.999999999.999999999",
                                       INT64_MAX,
                                       base};
    struct ready_device device = {.attempt_id = INT64_MAX, .device_id = 1, .id_kind = ID_UID};
    memset(device.device, '\\', sizeof device.device - 1);
    memset(device.token, 'x', sizeof device.token - 1);
    assert_ok(notify_ready(db, &ready, &device, 5, &err), err);
    waiting(db, &scene, &facts);
    assert_true(strlen(json_string_value(json_object_get(facts, "url"))) > 300);
    assert_int_equal(strlen(json_string_value(json_object_get(facts, "id"))), 32);
    json_decref(facts);
}

static void test_a_device_without_a_link_has_no_url(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct scene scene;
    struct error err;
    json_t *facts;
    build(db, "pump", "package-ready", &scene);
    struct notify_ready ready = {&scene.product, &scene.firmware, "1", "2", 43059, "http://modules.example"};
    struct ready_device device = {
        .attempt_id = 7, .device_id = scene.device.id, .id_kind = ID_IMEI, .device = "866597071234569"};
    assert_ok(notify_ready(db, &ready, &device, 5, &err), err);
    waiting(db, &scene, &facts);
    assert_null(json_object_get(facts, "url"));
    json_decref(facts);
    snprintf(device.token, sizeof device.token, "abc");
    assert_ok(notify_ready(db, &ready, &device, 5, &err), err);
    waiting(db, &scene, &facts);
    assert_string_equal(json_string_value(json_object_get(facts, "url")), "http://modules.example/d/abc/1");
    json_decref(facts);
    ready.device_url = "";
    assert_ok(notify_ready(db, &ready, &device, 5, &err), err);
    waiting(db, &scene, &facts);
    assert_null(json_object_get(facts, "url"));
    json_decref(facts);
}

static void test_a_package_out_of_service(void **state)
{
    static const char *const kinds[] = {"package-quarantined", "needs-person"};
    struct notify_quarantine quarantine = {
        .from = "1", .to = "2", .why = "canary", .reason = "1 device came back with 1"};
    struct db *db = ((struct place *)*state)->db;
    _cleanup_(cleanup_free) struct outbox_row *list = NULL;
    struct scene scene;
    struct error err;
    size_t count;
    build(db, "pump", "", &scene);
    quarantine.firmware_id = scene.firmware.id;
    quarantine.device_id = scene.device.id;
    assert_ok(notify_quarantined(db, &quarantine, 5, &err), err);
    quarantine = (struct notify_quarantine){scene.firmware.id, "", "2", "admin", "it \"bricks\"", 0};
    assert_ok(notify_quarantined(db, &quarantine, 6, &err), err);
    assert_ok(outbox_list(db, scene.webhook, false, 0, 9, &list, &count, &err), err);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        json_t *facts = json_loads(list[i].facts, JSON_REJECT_DUPLICATES, NULL);
        const char *from = json_string_value(json_object_get(facts, "from"));
        const char *device = json_string_value(json_object_get(facts, "device"));
        assert_string_equal(list[i].kind, kinds[i % 2]);
        assert_string_equal(list[i].order_key, list[0].order_key);
        assert_string_equal(i < 2 ? "1" : "", from ? from : "");
        assert_string_equal(i == 0 ? "imei:866597071234569" : "", device ? device : "");
        assert_non_null(strstr(json_string_value(json_object_get(facts, "summary")),
                               i < 2 ? "the package from 1 to 2 is out of service: 1 device came back with 1."
                                     : "the full package to 2 is out of service: it \"bricks\"."));
        json_decref(facts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_oversize_is_told_once_it_is_settled, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_oversize_of_what_only_the_matrix_wants, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_which_ends_are_told, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_device_that_has_spent_its_budget_is_silent, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_the_longest_names_fit, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_device_without_a_link_has_no_url, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_package_out_of_service, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
