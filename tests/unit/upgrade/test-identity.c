/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Ids of devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "upgrade/identity.h"

#define UID_64_UPPER "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define UID_64       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_normalises(void **state)
{
    static const struct {
        enum id_kind kind;
        const char *text, *id;
    } cases[] = {
        {ID_IMEI, "866597071234567", "866597071234567"},
        {ID_IMEI, "86659707-123456-7", "866597071234567"},
        {ID_IMEI, " 86659707 123456 7 ", "866597071234567"},
        {ID_IMEI, "86659707123456", "86659707123456"},
        {ID_IMEI, "8665970712345678", "8665970712345678"},
        {ID_MAC, "C8C2C68E1234", "C8C2C68E1234"},
        {ID_MAC, "c8:c2:c6:8e:12:34", "C8C2C68E1234"},
        {ID_MAC, "c8-c2-c6-8e-12-34", "C8C2C68E1234"},
        {ID_MAC, "c8c2.c68e.1234", "C8C2C68E1234"},
        {ID_MAC, "123456789012", "123456789012"},
        {ID_MAC, "ABCDEFabcdef", "ABCDEFABCDEF"},
        {ID_MAC, "0123456789abcdef", "0123456789ABCDEF"},                 /* a chip's unique id */
        {ID_MAC, "3fa85f6457174562b3fc2c96", "3FA85F6457174562B3FC2C96"}, /* 24 digits */
        {ID_MAC, "3fa85f6457174562b3fc2c963f66afa6", "3FA85F6457174562B3FC2C963F66AFA6"}, /* 32 */
        {ID_MAC, UID_64, UID_64_UPPER},
        {ID_MAC, "000000000001", "000000000001"},
        {ID_IMEI, "C81234567830", "C81234567830"}, /* what a module without an IMEI sends */
        {ID_IMEI, "meter-7", "meter-7"},
        {ID_IMEI, "c8:c2:c6:8e:12:34", "c8:c2:c6:8e:12:34"},
        {ID_IMEI, "1e9", "1e9"},
        {ID_UID, "a", "a"},
        {ID_UID, "Meter-7:x", "Meter-7:x"},
        {ID_UID, UID_64, UID_64},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct identity identity;
        if (!identity_normalise(cases[i].kind, slice_of(cases[i].text), &identity))
            fail_msg("'%s' is an id", cases[i].text);
        assert_int_equal(identity.kind, cases[i].kind);
        assert_string_equal(identity.id, cases[i].id);
    }
}

static const struct {
    enum id_kind kind;
    const char *text;
} refused_ids[] = {
    {ID_IMEI, ""},
    {ID_IMEI, "8665970712345"},     /* 13 */
    {ID_IMEI, "86659707123456789"}, /* 17 */
    {ID_IMEI, "86659707123456x"},
    {ID_IMEI, "86659707123456x7"},
    {ID_IMEI, "12"},
    {ID_IMEI, "8.66597E+14"}, /* what a spreadsheet makes of one */
    {ID_IMEI, "C8123/4567830"},
    {ID_IMEI, "C8123 4567830"},
    {ID_IMEI, "水7"},
    {ID_IMEI, "+866597071234567"},
    {ID_IMEI, "８６６５９７０７１２３４５６７"},
    {ID_MAC, ""},
    {ID_MAC, "C8C2C68E123"},
    {ID_MAC, "C8C2C68E12345"},
    {ID_MAC, "C8C2C6"},
    {ID_MAC, UID_64 "00"},
    {ID_MAC, "C8C2C68E123G"},
    {ID_MAC, "C8C2C68E123g"},
    {ID_MAC, "C8C2C68E123@"},
    {ID_MAC, "C8C2C68E123`"},
    {ID_MAC, "C8 C2 C6 8E 12 34"},
    {ID_UID, ""},
    {ID_UID, UID_64 "0"},
    {ID_UID, "a b"},
    {ID_UID, "a/b"},
    {ID_UID, "a?b"},
    {ID_UID, "a&b"},
    {ID_UID, "a#b"},
    {ID_UID, "a%b"},
    {ID_UID, "a\tb"},
    {ID_UID, "a\x7F"},
    {ID_UID, "水"},
};

static void test_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_ids / sizeof *refused_ids; i++) {
        struct identity identity = {.kind = ID_KINDS, .id = "before"};
        if (identity_normalise(refused_ids[i].kind, slice_of(refused_ids[i].text), &identity))
            fail_msg("'%s' is no id of kind %d", refused_ids[i].text, refused_ids[i].kind);
        assert_string_equal(identity.id, "before");
    }
    struct identity identity;
    assert_false(identity_normalise(ID_UID, (struct slice){"a\0b", 3}, &identity));
    assert_false(identity_normalise(ID_IMEI, (struct slice){NULL, 0}, &identity));
}

/* Clients without an id send a placeholder, which is the same in many modules. */
static void test_placeholders_are_not_ids(void **state)
{
    static const char *const texts[] = {"0",
                                        "00000000",
                                        "00000000000000",
                                        "000000000000000",
                                        "0000000000000018",
                                        "00-00-00-00-00-00",
                                        "FFFFFFFF",
                                        "ffffffffffff",
                                        "FF:FF:FF:FF:FF:FF",
                                        "nil",
                                        "null",
                                        "NULL",
                                        "None",
                                        "undefined",
                                        "(null)",
                                        "unknown",
                                        "---",
                                        "",
                                        "000000000000000000000000",
                                        "ffffffffffffffffffffffffffffffff"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (unsigned kind = 0; kind < ID_KINDS; kind++) {
            struct identity identity;
            bool is_other =
                kind != ID_IMEI && strcmp(texts[i], "0000000000000018") == 0; /* an IMEI of zeros only */
            if (!is_other && identity_normalise((enum id_kind)kind, slice_of(texts[i]), &identity))
                fail_msg("'%s' is not an id of kind %u", texts[i], kind);
        }
    struct identity identity;
    assert_true(identity_normalise(ID_IMEI, slice_of("100000000000000"), &identity));
    assert_true(identity_normalise(ID_MAC, slice_of("FFFFFFFFFFFE"), &identity));
    assert_true(identity_normalise(ID_UID, slice_of("F"), &identity));
}

static void test_a_uid_may_be_bytes(void **state)
{
    static const struct {
        struct slice bytes;
        const char *id;
        bool raw;
    } cases[] = {
        {{"\x3f\xa8\x5f\x64\x57\x17\x45\x62\xb3\xfc\x2c\x96", 12}, "3FA85F6457174562B3FC2C96", true},
        {{"\0\0\0\1", 4}, "00000001", true},
        {{"AB\0CD", 5}, "4142004344", true},
        {{"AB CD", 5}, "4142204344", true},
        {{"\xff\xff\xff\xfe", 4}, "FFFFFFFE", true},
        {{"3FA85F6457174562B3FC2C96", 24},
         "3FA85F6457174562B3FC2C96",
         false}, /* the same chip's id, sent in hex */
        {{"meter-7", 7}, "meter-7", false},
    };
    struct identity identity;
    bool raw;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(identity_of_bytes(cases[i].bytes, &identity, &raw));
        assert_int_equal(identity.kind, ID_UID);
        assert_string_equal(identity.id, cases[i].id);
        assert_int_equal(raw, cases[i].raw);
    }
    static const struct slice refused[] = {{"", 0},
                                           {"\0\0\0\0\0\0\0\0", 8},
                                           {"\xff\xff\xff\xff\xff\xff", 6},
                                           {"\1\2\3", 3},
                                           {"nil", 3},
                                           {"a/b", 3},
                                           {"\x01"
                                            "23456789012345678901234567890123",
                                            33}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(identity_of_bytes(refused[i], &identity, &raw));
}

static void test_a_text_without_prefix_has_several_readings(void **state)
{
    struct identity readings[IDENTITY_READINGS];
    (void)state;
    assert_int_equal(identity_readings(slice_of("c81234567830"), readings), 4);
    assert_int_equal(readings[0].kind, ID_MAC);
    assert_int_equal(readings[1].kind, ID_UID);
    assert_string_equal(readings[1].id, "c81234567830");
    assert_int_equal(readings[2].kind, ID_IMEI);
    assert_string_equal(readings[3].id, "C81234567830");
    assert_int_equal(identity_readings(slice_of("imei:C81234567830"), readings), 1);
    assert_int_equal(readings[0].kind, ID_IMEI);
    assert_int_equal(identity_readings(slice_of("mac:meter"), readings), 0);
    assert_int_equal(identity_readings(slice_of("nil"), readings), 0);
}

static void test_tells_an_imei_from_a_text(void **state)
{
    struct identity identity;
    (void)state;
    assert_true(identity_normalise(ID_IMEI, slice_of("86659707123456"), &identity) &&
                identity_is_imei(&identity));
    assert_true(identity_normalise(ID_IMEI, slice_of("C81234567830"), &identity) &&
                !identity_is_imei(&identity));
    assert_true(identity_normalise(ID_UID, slice_of("866597071234567"), &identity) &&
                !identity_is_imei(&identity));
}

static void test_parses_with_and_without_kind(void **state)
{
    static const struct {
        const char *text;
        enum id_kind kind;
        const char *id;
    } cases[] = {
        {"866597071234567", ID_IMEI, "866597071234567"},
        {"imei:86659707-123456-7", ID_IMEI, "866597071234567"},
        {"IMEI:866597071234567", ID_IMEI, "866597071234567"},
        {"C8C2C68E1234", ID_MAC, "C8C2C68E1234"},
        {"mac:c8:c2:c6:8e:12:34", ID_MAC, "C8C2C68E1234"},
        {"c8:c2:c6:8e:12:34", ID_MAC, "C8C2C68E1234"},
        {"866597071234", ID_MAC, "866597071234"},
        {"uid:866597071234567", ID_UID, "866597071234567"},
        {"meter-7", ID_UID, "meter-7"},
        {"1234", ID_UID, "1234"},
        {"imeiX", ID_UID, "imeiX"},
    };
    struct identity identity;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!identity_parse(slice_of(cases[i].text), &identity))
            fail_msg("'%s' is an id", cases[i].text);
        assert_int_equal(identity.kind, cases[i].kind);
        assert_string_equal(identity.id, cases[i].id);
    }
    assert_true(
        identity_parse((struct slice){"imei:866597071234567", 4}, &identity)); /* nothing beyond the slice */
    assert_int_equal(identity.kind, ID_UID);
    assert_string_equal(identity.id, "imei");
    /* With a prefix there is only one reading. */
    assert_false(identity_parse(slice_of("imei:12"), &identity));
    assert_false(identity_parse(slice_of("mac:866597071234567"), &identity));
    assert_false(identity_parse(slice_of("uid:"), &identity));
    assert_false(identity_parse(slice_of(""), &identity));
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < ID_KINDS; kind++) {
        enum id_kind parsed = ID_KINDS;
        assert_true(identity_kind_parse(slice_of(identity_kind_name((enum id_kind)kind)), &parsed));
        assert_int_equal(parsed, kind);
    }
    enum id_kind parsed;
    assert_string_equal(identity_kind_name(ID_IMEI), "imei");
    assert_false(identity_kind_parse(slice_of("IMEI"), &parsed));
    assert_false(identity_kind_parse(slice_of("serial"), &parsed));
    assert_true(ID_IMEI < ID_MAC && ID_MAC < ID_UID); /* the order of preference */
}

static bool is_doubtful(const char *text)
{
    struct identity identity;
    assert_true(identity_parse(slice_of(text), &identity));
    return identity_is_doubtful(&identity);
}

static void test_check_digit(void **state)
{
    (void)state;
    assert_false(is_doubtful("490154203237518")); /* the example of the standard */
    assert_false(is_doubtful("356938035643809"));
    for (char wrong = '0'; wrong <= '9'; wrong++) {
        char imei[] = "490154203237518";
        imei[14] = wrong;
        assert_int_equal(is_doubtful(imei), wrong != '8');
    }
    assert_true(is_doubtful("940154203237518"));   /* two digits swapped */
    assert_false(is_doubtful("49015420323751"));   /* without check digit */
    assert_false(is_doubtful("4901542032375100")); /* with a software version in its place */
    assert_false(is_doubtful("uid:490154203237510"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalises),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_placeholders_are_not_ids),
        cmocka_unit_test(test_a_uid_may_be_bytes),
        cmocka_unit_test(test_a_text_without_prefix_has_several_readings),
        cmocka_unit_test(test_tells_an_imei_from_a_text),
        cmocka_unit_test(test_parses_with_and_without_kind),
        cmocka_unit_test(test_kinds_have_names),
        cmocka_unit_test(test_check_digit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
