/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Repr-Digest and Content-Digest: what is read out of them, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/admin/digest.h"

/* Of "abc". */
#define ABC     "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY   "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SHA512                                                                                               \
    "sha-512=:3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==:"

struct headers {
    const char *repr, *content;
};

bool request_header(const struct request *request, const char *name, struct slice *ret)
{
    const struct headers *headers = request->context;
    const char *value = strcmp(name, "Repr-Digest") == 0 ? headers->repr : headers->content;
    if (value)
        *ret = slice_of(value);
    return value != NULL;
}

enum result { NOTHING, IS_ABC, REFUSED };

static void what_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum result result;
    } cases[] = {
        {"sha-256=:" ABC ":", IS_ABC},
        {"  sha-256=:" ABC ":  ", IS_ABC},
        {SHA512 ", sha-256=:" ABC ":", IS_ABC},
        {"sha-256=:" ABC ":,\t" SHA512, IS_ABC},
        {"sha-256=:" ABC ":;a=1", IS_ABC},
        {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0:", IS_ABC},
        {"sha-256=:" ABC ":, sha-256=:" ABC ":", IS_ABC},
        {SHA512, NOTHING},
        {"md5=:AAAA:, unixsum=:GQU=:", NOTHING},
        {"", REFUSED},
        {" ", REFUSED},
        {"sha-256", REFUSED},
        {"sha-256=", REFUSED},
        {"sha-256=:", REFUSED},
        {"sha-256=::", REFUSED},
        {"sha-256=" ABC, REFUSED},
        {"sha-256=\"" ABC "\"", REFUSED},
        {"sha-256=:" ABC, REFUSED},
        {"sha-256=:" ABC_HEX ":", REFUSED},
        {"sha-256=:" ABC ":x", REFUSED},
        {"sha-256=:" ABC ":,", REFUSED},
        {"SHA-256=:" ABC ":", REFUSED},
        {"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:", REFUSED}, /* bits left over */
        {"sha-256=:-ngWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:", REFUSED},
        {"sha-256=:ung=v48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:", REFUSED},
        {"sha-256=:" ABC ":, sha-256=:" EMPTY ":", REFUSED},
        {"sha-512=:!:", REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct digest digest = {.given = false};
        struct error err;
        char hex[SHA256_HEX_SIZE];
        bool ok = digest_parse("Repr-Digest", slice_of(cases[i].value), &digest, &err);
        sha256_hex(&digest.sha256, hex);
        enum result result = !ok ? REFUSED : digest.given ? IS_ABC : NOTHING;
        if (result != cases[i].result || (result == IS_ABC && strcmp(hex, ABC_HEX) != 0))
            fail_msg("'%s' gives %d, expected %d", cases[i].value, (int)result, (int)cases[i].result);
        if (!ok)
            assert_int_equal(err.code, ERROR_BAD_REQUEST);
    }
}

static void both_headers_are_read(void **state)
{
    (void)state;
    static const struct {
        struct headers headers;
        bool ok, given;
    } cases[] = {
        {{NULL, NULL}, true, false},
        {{"sha-256=:" ABC ":", NULL}, true, true},
        {{NULL, "sha-256=:" ABC ":"}, true, true},
        {{"sha-256=:" ABC ":", "sha-256=:" ABC ":"}, true, true},
        {{"sha-256=:" ABC ":", "sha-256=:" EMPTY ":"}, false, false},
        {{SHA512, "nonsense"}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = {.context = (void *)(uintptr_t)&cases[i].headers};
        struct digest digest;
        struct error err;
        assert_int_equal(digest_read(&request, &digest, &err), cases[i].ok);
        if (cases[i].ok)
            assert_int_equal(digest.given, cases[i].given);
    }
}

static void a_mismatch_names_both(void **state)
{
    (void)state;
    struct digest digest = {.given = false};
    struct error err;
    struct sha256 abc, other;
    sha256_of("abc", 3, &abc);
    sha256_of("abd", 3, &other);
    assert_true(digest_check(&digest, &other, &err));
    assert_true(digest_parse("Repr-Digest", slice_of("sha-256=:" ABC ":"), &digest, &err));
    assert_true(digest_check(&digest, &abc, &err));
    assert_false(digest_check(&digest, &other, &err));
    assert_int_equal(err.code, ERROR_DIGEST_MISMATCH);
    char hex[SHA256_HEX_SIZE];
    sha256_hex(&other, hex);
    assert_non_null(strstr(err.text, ABC_HEX));
    assert_non_null(strstr(err.text, hex));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(both_headers_are_read),
        cmocka_unit_test(a_mismatch_names_both),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
