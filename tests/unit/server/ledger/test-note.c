/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What comes into the ledger: canonical JSON of a bounded size, whatever the texts were. */
#include "base/clock.h"
#include "tests/unit/storage/test-storage.h"

#include <string.h>

#include "server/admin/event_by.h"
#include "server/checkin/admission.h"
#include "server/ledger/event.h"
#include "storage/budget.h"

static void add(struct db *db, json_t *detail, struct ledger_row *ret)
{
    const struct event event = {.kind = LEDGER_PRODUCT_ADDED, .at_ms = 1, .product = "pumps"};
    struct error err;
    assert_ok(event_add(db, &event, detail, &err), err);
    assert_ok(ledger_head(db, ret, &err), err);
}

static void assert_canonical(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    char *again = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(again, text);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        assert_true(*at >= ' ' && *at != 0x7F);
    free(again);
    json_decref(json);
}

static void test_names_in_order_without_what_says_nothing(void **state)
{
    struct place *place = *state;
    struct ledger_row row;
    add(place->db,
        json_pack("{s:s, s:o*, s:i, s:o*}", "z", "1", "none", event_text(""), "a", 2, "by", event_text(NULL)),
        &row);
    assert_string_equal(row.detail, "{\"a\":2,\"z\":\"1\"}");
    assert_string_equal(row.kind, "product-added");
    add(place->db, NULL, &row);
    assert_string_equal(row.detail, "{}");
}

static void test_texts_are_made_harmless(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"村泵 \"x\" \\", "{\"t\":\"村泵 \\\"x\\\" \\\\\"}"},
        {"a\nb\tc\x1b[0m\x7f", "{\"t\":\"a b c [0m \"}"},
        {"a\xff\xe6\x9d", "{\"t\":\"a???\"}"}, /* cut inside a character */
    };
    struct place *place = *state;
    struct ledger_row row;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        add(place->db, json_pack("{s:o*}", "t", event_text(cases[i].text)), &row);
        assert_string_equal(row.detail, cases[i].expected);
        assert_canonical(row.detail);
    }
}

static void test_a_detail_that_is_too_long_is_cut(void **state)
{
    struct place *place = *state;
    struct ledger_row row;
    char text[1500];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "村", 4);
    add(place->db,
        json_pack("{s:o, s:o, s:{s:o}, s:i}", "a", event_text(text), "b", event_text(text), "by", "name",
                  event_text(text), "n", 7),
        &row);
    assert_true(strlen(row.detail) < 400);
    assert_canonical(row.detail);
    assert_non_null(strstr(row.detail, "\"n\":7"));
}

static void test_who_it_was(void **state)
{
    struct request request = {.peer = "127.0.0.1:1", .query = slice_of("x=1&by=Li%20Wei")};
    struct place *place = *state;
    struct ledger_row row;
    sha256_of("letmein", strlen("letmein"), &request.actor.token);
    add(place->db, json_pack("{s:o}", "by", event_by(&request)), &row);
    assert_string_equal(row.detail,
                        "{\"by\":{\"name\":\"Li Wei\",\"peer\":\"127.0.0.1:1\",\"token\":\"1c8bfe8f\"}}");
    request.query = slice_of("by=%FF");
    add(place->db, json_pack("{s:o}", "by", event_by(&request)), &row);
    assert_string_equal(row.detail, "{\"by\":{\"peer\":\"127.0.0.1:1\",\"token\":\"1c8bfe8f\"}}");
}

static void spend(struct db *db, const struct device *device, int64_t link, enum ledger_kind kind,
                  int64_t at_ms, int times)
{
    const struct event event = {
        .kind = kind, .at_ms = at_ms, .product = "pumps", .device = device, .link = link};
    struct error err;
    for (int i = 0; i < times; i++)
        assert_ok(event_add(db, &event, NULL, &err), err);
}

static int64_t rows_of(struct db *db, const char *kind)
{
    struct ledger_filter filter = {.after = 0};
    struct error err;
    int64_t rows;
    snprintf(filter.kind, sizeof filter.kind, "%s", kind);
    assert_ok(ledger_count(db, &filter, &rows, &err), err);
    return rows;
}

static void test_a_budget_is_spent_and_told(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct device device = {.id = 3, .product_id = 1, .id_kind = ID_UID, .device = "x", .first_seen_ms = 1};
    struct ledger_row row;
    struct error err;
    bool more;
    int64_t today = 100 * DAY_MS;
    spend(db, &device, 0, LEDGER_CHECK_IN, today, BUDGET_ROWS + 25);
    assert_int_equal(rows_of(db, "check-in"), BUDGET_ROWS);
    assert_int_equal(rows_of(db, "facts-counted"), 2); /* at 1 and at 10 */
    /* What moves the record has some more, another device and a link their own, an admin no limit. */
    spend(db, &device, 0, LEDGER_VERSION_REPORTED, today, BUDGET_ROWS);
    assert_int_equal(rows_of(db, "version-reported"), BUDGET_ROWS_LAST);
    spend(db, &device, 7, LEDGER_CHECK_IN, today, 1);
    device.id = 4;
    spend(db, &device, 0, LEDGER_CHECK_IN, today, 1);
    spend(db, &device, 0, LEDGER_DEVICE_UNBLOCKED, today, 2 * BUDGET_ROWS);
    assert_int_equal(rows_of(db, "check-in"), BUDGET_ROWS + 2);
    assert_int_equal(rows_of(db, "device-unblocked"), 2 * BUDGET_ROWS);
    /* The end of the day tells all of it once; the next day begins anew. */
    assert_ok(note_budgets(db, today + DAY_MS, &more, &err), err);
    assert_false(more);
    assert_ok(ledger_head(db, &row, &err), err);
    assert_string_equal(row.kind, "facts-counted");
    assert_string_equal(row.device, "uid:x");
    assert_string_equal(
        row.detail,
        "{\"counts\":{\"check-in\":25,\"version-reported\":32},\"day\":100,\"of\":\"device\",\"total\":57}");
    int64_t told = rows_of(db, "facts-counted");
    assert_ok(note_budgets(db, today + DAY_MS, &more, &err), err);
    assert_int_equal(rows_of(db, "facts-counted"), told);
    device.id = 3;
    spend(db, &device, 0, LEDGER_CHECK_IN, today + DAY_MS, 1);
    assert_int_equal(rows_of(db, "check-in"), BUDGET_ROWS + 3);
}

/* Devices that are seen for the first time share what their product has for them; others do not draw on it. */
static void test_new_devices_share_a_budget(void **state)
{
    struct place *place = *state;
    struct db *db = place->db;
    struct budget budget = {.subject = BUDGET_PRODUCT,
                            .subject_id = 1,
                            .day = 100,
                            .facts = BUDGET_NEW_DEVICES - 1,
                            .counts = "{}"};
    struct device device = {
        .id = 3, .product_id = 1, .id_kind = ID_UID, .device = "x", .first_seen_ms = 100 * DAY_MS};
    struct error err;
    assert_ok(budget_store(db, &budget, &err), err);
    spend(db, &device, 0, LEDGER_CHECK_IN, 100 * DAY_MS, 3);
    assert_int_equal(rows_of(db, "check-in"), 1);
    device.first_seen_ms -= 1;
    spend(db, &device, 0, LEDGER_CHECK_IN, 100 * DAY_MS, 3);
    assert_int_equal(rows_of(db, "check-in"), 4);
}

static void test_networks(void **state)
{
    static const struct {
        const char *peer, *network;
    } cases[] = {
        {"192.0.2.77:40312", "192.0.2.0/24"},
        {"[2001:db8:1:2ff:3::9]:40312", "2001:db8:1:200::/56"},
        {"[::1]:1", "::/56"},
        {"", ""},
        {"?:0", ""},
        {"[", ""},
        {"[]:1", ""},
        {"192.0.2.77", ""},
    };
    char network[ADMISSION_NETWORK_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        admission_network(cases[i].peer, network);
        assert_string_equal(network, cases[i].network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_in_order_without_what_says_nothing, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_texts_are_made_harmless, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_detail_that_is_too_long_is_cut, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_who_it_was, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_budget_is_spent_and_told, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_new_devices_share_a_budget, place_make, place_remove),
        cmocka_unit_test(test_networks),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
