/* What comes into the ledger: canonical JSON of a bounded size, whatever the texts were. */
#include "test-storage.h"

#include <string.h>

#include "server/note.h"

static void add(struct db *db, json_t *detail, struct ledger_row *ret)
{
    const struct note note = {.kind = LEDGER_PRODUCT_ADDED, .at_ms = 1, .product = "pumps"};
    struct error err;
    assert_ok(note_add(db, &note, detail, &err), err);
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
        json_pack("{s:s, s:o*, s:i, s:o*}", "z", "1", "none", note_text(""), "a", 2, "by", note_text(NULL)),
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
        add(place->db, json_pack("{s:o*}", "t", note_text(cases[i].text)), &row);
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
        json_pack("{s:o, s:o, s:{s:o}, s:i}", "a", note_text(text), "b", note_text(text), "by", "name",
                  note_text(text), "n", 7),
        &row);
    assert_true(strlen(row.detail) < 400);
    assert_canonical(row.detail);
    assert_non_null(strstr(row.detail, "\"n\":7"));
}

static void test_who_it_was(void **state)
{
    struct request request = {
        .token = slice_of("letmein"), .peer = "127.0.0.1:1", .query = slice_of("x=1&by=Li%20Wei")};
    struct place *place = *state;
    struct ledger_row row;
    add(place->db, json_pack("{s:o}", "by", note_by(&request)), &row);
    assert_string_equal(row.detail,
                        "{\"by\":{\"name\":\"Li Wei\",\"peer\":\"127.0.0.1:1\",\"token\":\"1c8bfe8f\"}}");
    request.query = slice_of("by=%FF");
    add(place->db, json_pack("{s:o}", "by", note_by(&request)), &row);
    assert_string_equal(row.detail, "{\"by\":{\"peer\":\"127.0.0.1:1\",\"token\":\"1c8bfe8f\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_in_order_without_what_says_nothing, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(test_texts_are_made_harmless, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_a_detail_that_is_too_long_is_cut, place_make, place_remove),
        cmocka_unit_test_setup_teardown(test_who_it_was, place_make, place_remove),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
