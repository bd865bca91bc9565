/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Webhooks and their outbox: who listens, the order of rows with one key, and the counts. */
#include "tests/unit/storage/test-storage.h"

#include "base/cleanup.h"
#include "storage/outbox.h"
#include "storage/product.h"
#include "storage/webhook.h"

static int64_t add_webhook(struct db *db, const char *name, const char *kinds, int64_t product_id)
{
    struct webhook webhook = {.product_id = product_id, .url = "http://x/", .enabled = 1, .created_ms = 1};
    struct error err;
    snprintf(webhook.name, sizeof webhook.name, "%s", name);
    snprintf(webhook.kinds, sizeof webhook.kinds, "%s", kinds);
    assert_ok(webhook_add(db, &webhook, &err), err);
    return webhook.id;
}

static int64_t add_row(struct db *db, int64_t webhook_id, const char *order_key, int64_t at_ms)
{
    struct outbox_row row = {.webhook_id = webhook_id, .kind = "confirmed", .facts = "{}", .since_ms = at_ms};
    struct error err;
    bool full;
    snprintf(row.order_key, sizeof row.order_key, "%s", order_key);
    snprintf(row.event_id, sizeof row.event_id, "%032lld", (long long)at_ms);
    assert_ok(outbox_add(db, &row, &full, &err), err);
    assert_false(full);
    return row.id;
}

/* The ids that are due, as text. */
static void assert_due(struct db *db, int64_t webhook_id, int64_t now_ms, const char *expected)
{
    _cleanup_(cleanup_free) struct outbox_row *list = NULL;
    struct error err;
    size_t count, used = 0;
    char text[200] = "";
    assert_ok(outbox_due(db, webhook_id, now_ms, 100, &list, &count, &err), err);
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%lld", i ? " " : "", (long long)list[i].id);
    assert_string_equal(text, expected);
}

static void assert_counts(struct db *db, int64_t webhook_id, int64_t waiting, int64_t failed)
{
    struct webhook webhook;
    struct error err;
    assert_ok(webhook_get(db, webhook_id, &webhook, &err), err);
    assert_int_equal(webhook.waiting, waiting);
    assert_int_equal(webhook.failed, failed);
}

static void test_who_listens(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct product product = {.product_key = "pumps", .name = "x", .created_ms = 1};
    struct webhook webhook;
    struct error err;
    int64_t ids[WEBHOOKS_MAX];
    unsigned count;
    assert_ok(product_add(db, &product, &err), err);
    int64_t all = add_webhook(db, "all", "", 0), some = add_webhook(db, "some", "confirmed not-applied", 0),
            mine = add_webhook(db, "mine", "", product.id);
    assert_ok(webhook_listening(db, product.id, WEBHOOK_CONFIRMED, ids, &count, &err), err);
    assert_int_equal(count, 3);
    assert_ok(webhook_listening(db, product.id + 1, WEBHOOK_CONFIRMED, ids, &count, &err), err);
    assert_int_equal(count, 2);
    assert_ok(webhook_listening(db, product.id, WEBHOOK_PACKAGE_READY, ids, &count, &err), err);
    assert_int_equal(count, 2);
    assert_int_equal(ids[0], all);
    assert_int_equal(ids[1], mine);
    assert_ok(webhook_get(db, some, &webhook, &err), err);
    assert_string_equal(webhook.kinds, "confirmed not-applied");
    webhook.enabled = 0;
    snprintf(webhook.name, sizeof webhook.name, "all");
    assert_false(webhook_update(db, &webhook, &err));
    assert_int_equal(err.code, ERROR_WEBHOOK_EXISTS);
    snprintf(webhook.name, sizeof webhook.name, "some");
    assert_ok(webhook_update(db, &webhook, &err), err);
    assert_ok(webhook_listening(db, 0, WEBHOOK_CONFIRMED, ids, &count, &err), err);
    assert_int_equal(count, 2);
}

static void test_one_of_each_key_is_due(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    int64_t hook = add_webhook(db, "a", "", 0), other = add_webhook(db, "b", "", 0);
    add_row(db, hook, "device:1", 10);  /* 1 */
    add_row(db, hook, "device:1", 11);  /* 2 */
    add_row(db, hook, "device:2", 12);  /* 3 */
    add_row(db, other, "device:1", 13); /* 4 */
    assert_due(db, hook, 9, "");
    assert_due(db, hook, 100, "1 3");
    assert_due(db, other, 100, "4");
    assert_ok(outbox_put_off(db, 1, 500, "no", &err), err);
    assert_due(db, hook, 100, "3");
    assert_due(db, hook, 500, "3 1");
    assert_ok(outbox_delivered(db, 1, 600, &err), err);
    assert_due(db, hook, 600, "3 2");
    assert_ok(outbox_give_up(db, 2, "never", 700, &err), err);
    add_row(db, hook, "device:1", 14); /* 5: nothing waits before it */
    assert_due(db, hook, 700, "3 5");
    assert_counts(db, hook, 2, 1);
    assert_ok(outbox_delivered(db, 99, 700, &err), err);
    assert_ok(outbox_put_off(db, 2, 800, "late", &err), err); /* given up meanwhile */
    assert_due(db, hook, 900, "3 5");
}

static void test_failed_rows_wait_again_in_order(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    int64_t hook = add_webhook(db, "a", "", 0), count;
    for (int64_t i = 1; i <= 4; i++)
        add_row(db, hook, "device:1", i);
    for (int64_t i = 1; i <= 3; i++)
        assert_ok(outbox_give_up(db, i, "no", 50, &err), err);
    assert_counts(db, hook, 1, 3);
    assert_due(db, hook, 60, "4");
    assert_ok(outbox_resend(db, hook, 0, 60, &count, &err), err);
    assert_int_equal(count, 3);
    assert_counts(db, hook, 4, 0);
    assert_due(db, hook, 60, "4"); /* the one that is under way, perhaps */
    assert_ok(outbox_delivered(db, 4, 60, &err), err);
    for (int64_t i = 1; i <= 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "%d", (int)i);
        assert_due(db, hook, 60, id);
        assert_ok(outbox_delivered(db, i, 60, &err), err);
    }
    assert_false(outbox_resend(db, hook, 1, 60, &count, &err));
    assert_int_equal(err.code, ERROR_EVENT_NOT_FOUND);
}

static void test_forgotten_rows_make_way(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    int64_t hook = add_webhook(db, "a", "", 0), other = add_webhook(db, "b", "", 0), count;
    for (int64_t i = 1; i <= 3; i++)
        add_row(db, hook, "device:1", i);
    assert_false(outbox_forget(db, other, 1, 5, &count, &err));
    assert_int_equal(err.code, ERROR_EVENT_NOT_FOUND);
    assert_ok(outbox_forget(db, hook, 2, 5, &count, &err), err);
    assert_due(db, hook, 5, "1");
    assert_ok(outbox_forget(db, hook, 1, 5, &count, &err), err);
    assert_due(db, hook, 5, "3");
    assert_counts(db, hook, 1, 0);
    assert_ok(webhook_remove(db, hook, &err), err);
    assert_due(db, hook, 5, "");
}

static void test_times_far_ahead_are_clamped(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct error err;
    int64_t hook = add_webhook(db, "a", "", 0), latest;
    add_row(db, hook, "device:1", 1);
    add_row(db, hook, "device:2", 2);
    assert_ok(outbox_put_off(db, 1, 1000000, "no", &err), err);
    assert_ok(outbox_latest(db, hook, &latest, &err), err);
    assert_int_equal(latest, 1000000);
    assert_ok(outbox_clamp(db, hook, 5000, 100, &err), err);
    assert_due(db, hook, 100, "2 1");
}

/* Of the failed ones, too: the oldest leaves and is counted. */
static void test_the_failed_list_is_bounded(void **state)
{
    struct db *db = ((struct place *)*state)->db;
    struct webhook webhook;
    struct error err;
    int64_t hook = add_webhook(db, "a", "", 0), count;
    assert_ok(db_begin(db, &err), err);
    for (int64_t i = 1; i <= OUTBOX_FAILED_MAX + 2; i++) {
        add_row(db, hook, "device:1", i);
        assert_ok(outbox_give_up(db, i, "no", 50, &err), err);
    }
    assert_ok(db_commit(db, &err), err);
    assert_ok(webhook_get(db, hook, &webhook, &err), err);
    assert_int_equal(webhook.failed, OUTBOX_FAILED_MAX);
    assert_int_equal(webhook.lost, 2);
    assert_ok(outbox_forget(db, hook, 0, 60, &count, &err), err);
    assert_int_equal(count, OUTBOX_FAILED_MAX);
    assert_counts(db, hook, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_listens, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_one_of_each_key_is_due, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_failed_rows_wait_again_in_order, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_forgotten_rows_make_way, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_times_far_ahead_are_clamped, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_the_failed_list_is_bounded, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
