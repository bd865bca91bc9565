/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a token may call, whose address a request has, and how failed attempts are limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "server/access/access.h"
#include "server/access/attempts.h"
#include "server/access/client.h"

/* ---- The headers of a request, for client.c ---- */

static const struct line {
    const char *name, *value;
} * lines;

bool request_header_at(const struct request *request, const char *name, unsigned index, struct slice *ret)
{
    (void)request;
    for (const struct line *line = lines; line->name; line++)
        if (strcmp(line->name, name) == 0 && index-- == 0) {
            *ret = slice_of(line->value);
            return true;
        }
    return false;
}

#define PLAIN "X-Forwarded-For"
#define OTHER "Forwarded"

static const struct {
    const char *peer, *proxies;
    struct line line[4];
    const char *client; /* NULL: refused */
    bool is_proxied;
} client_cases[] = {
    {"192.0.2.1:4711", "", {{PLAIN, "198.51.100.1"}}, "192.0.2.1", false},
    {"192.0.2.1:4711", "192.0.2.2", {{PLAIN, "198.51.100.1"}}, "192.0.2.1", false},
    {"192.0.2.1:4711", "192.0.2.11", {{PLAIN, "198.51.100.1"}}, "192.0.2.1", false},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, "198.51.100.1"}}, "198.51.100.1", true},
    {"192.0.2.1:4711", "192.0.2.1", {{NULL, NULL}}, "192.0.2.1", false},
    {"[2001:db8::1]:4711", "::1 2001:db8::1", {{PLAIN, "2001:DB8::0:7"}}, "2001:db8::7", true},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, "203.0.113.9, 198.51.100.1"}}, "198.51.100.1", true},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, "203.0.113.9"}, {PLAIN, "198.51.100.1"}}, "198.51.100.1", true},
    {"192.0.2.1:4711",
     "192.0.2.1 10.0.0.1",
     {{PLAIN, "198.51.100.1"}, {PLAIN, "10.0.0.1"}},
     "198.51.100.1",
     true},
    {"192.0.2.1:4711", "192.0.2.1 10.0.0.1", {{PLAIN, "10.0.0.1"}}, "10.0.0.1", true},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, "198.51.100.1:99"}}, "198.51.100.1", true},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, "198.51.100.1, unknown"}}, "192.0.2.1", false},
    {"192.0.2.1:4711", "192.0.2.1", {{PLAIN, ""}}, "192.0.2.1", false},
    {"192.0.2.1:4711",
     "192.0.2.1",
     {{OTHER, "for=203.0.113.9, For=198.51.100.1;proto=https"}},
     "198.51.100.1",
     true},
    {"192.0.2.1:4711", "192.0.2.1", {{OTHER, "by=x; for=\"[2001:db8::7]:4711\""}}, "2001:db8::7", true},
    {"192.0.2.1:4711", "192.0.2.1", {{OTHER, "for=_hidden"}}, "192.0.2.1", false},
    {"192.0.2.1:4711", "192.0.2.1", {{OTHER, "proto=https"}}, "192.0.2.1", false},
    {"192.0.2.1:4711",
     "192.0.2.1",
     {{OTHER, "for=198.51.100.1"}, {PLAIN, "198.51.100.1"}},
     "198.51.100.1",
     true},
    {"192.0.2.1:4711", "192.0.2.1", {{OTHER, "for=203.0.113.9"}, {PLAIN, "198.51.100.1"}}, NULL, false},
    {"192.0.2.1:4711", "192.0.2.1", {{OTHER, "for=_x"}, {PLAIN, "198.51.100.1"}}, NULL, false},
};

static void test_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof client_cases / sizeof *client_cases; i++) {
        struct request request = {.body_length = 0};
        struct error err;
        snprintf(request.peer, sizeof request.peer, "%s", client_cases[i].peer);
        lines = client_cases[i].line;
        bool ok = client_note(&request, client_cases[i].proxies, &err);
        if (ok != (client_cases[i].client != NULL))
            fail_msg("case %zu: %s", i, ok ? "accepted" : err.text);
        if (!ok)
            continue;
        assert_string_equal(request.client, client_cases[i].client);
        assert_int_equal(request.is_proxied, client_cases[i].is_proxied);
    }
}

/* Of many hops the last ones count. */
static void test_many_hops(void **state)
{
    char value[4000] = "203.0.113.9";
    struct request request = {.peer = "192.0.2.1:1"};
    struct error err;
    (void)state;
    for (int i = 0; i < 200; i++)
        snprintf(value + strlen(value), sizeof value - strlen(value), ",10.0.0.%d", i);
    const struct line line[] = {{PLAIN, value}, {PLAIN, "198.51.100.1,192.0.2.1"}, {NULL, NULL}};
    lines = line;
    assert_true(client_note(&request, "192.0.2.1", &err));
    assert_string_equal(request.client, "198.51.100.1");
}

/* ---- Attempts ---- */

static void test_attempts_of_one_address(void **state)
{
    struct attempts *attempts;
    struct error err;
    int64_t now_ms = 1000;
    (void)state;
    assert_true(attempts_open(&attempts, &err));
    for (int i = 0; i < ATTEMPTS_BURST; i++)
        assert_true(attempts_note(attempts, "192.0.2.1", now_ms));
    assert_false(attempts_note(attempts, "192.0.2.1", now_ms));
    assert_true(attempts_note(attempts, "192.0.2.2", now_ms));
    now_ms += ATTEMPTS_EVERY_MS - 1;
    assert_false(attempts_note(attempts, "192.0.2.1", now_ms));
    now_ms += 1;
    assert_true(attempts_note(attempts, "192.0.2.1", now_ms));
    assert_false(attempts_note(attempts, "192.0.2.1", now_ms));
    now_ms += 60 * 60 * 1000; /* nothing is saved up beyond the burst */
    for (int i = 0; i < ATTEMPTS_BURST; i++)
        assert_true(attempts_note(attempts, "192.0.2.1", now_ms));
    assert_false(attempts_note(attempts, "192.0.2.1", now_ms));
    attempts_close(attempts);
}

static void test_attempts_of_a_network(void **state)
{
    struct attempts *attempts;
    struct error err;
    char address[48];
    (void)state;
    assert_true(attempts_open(&attempts, &err));
    for (int i = 0; i < ATTEMPTS_BURST; i++) {
        snprintf(address, sizeof address, "2001:db8::%d", i + 1);
        assert_true(attempts_note(attempts, address, 1000));
    }
    assert_false(attempts_note(attempts, "2001:db8::ffff", 1000));
    assert_true(attempts_note(attempts, "2001:db8:0:1::1", 1000));
    attempts_close(attempts);
}

/* More addresses than places: the one that is forgotten first makes room. */
static void test_attempts_are_bounded(void **state)
{
    struct attempts *attempts;
    struct error err;
    char address[48];
    (void)state;
    assert_true(attempts_open(&attempts, &err));
    for (int i = 0; i < ATTEMPTS_BURST; i++)
        assert_true(attempts_note(attempts, "192.0.2.1", 1000));
    for (int i = 0; i < 3 * ATTEMPTS_MAX; i++) {
        snprintf(address, sizeof address, "10.1.%d.%d", i / 256, i % 256);
        assert_true(attempts_note(attempts, address, 1000 + i));
    }
    assert_false(attempts_note(attempts, "192.0.2.1", 1000 + 3 * ATTEMPTS_MAX));
    attempts_close(attempts);
}

/* ---- Access ---- */

static bool may(unsigned scope, const char *product, const char *pattern, unsigned access, const char *param)
{
    const struct route route = {
        .method = "GET", .pattern = pattern, .flags = ROUTE_ACCESS(access) | ROUTE_WORKER};
    struct request request = {.route = &route, .actor.scope = scope, .actor.name = "t"};
    struct error err;
    snprintf(request.actor.product, sizeof request.actor.product, "%s", product);
    request.param[0] = slice_of(param);
    bool ok = access_check(&request, &err);
    assert_true(ok || err.code == ERROR_FORBIDDEN);
    return ok;
}

static void test_scopes(void **state)
{
    (void)state;
    for (unsigned has = SCOPE_READ; has <= SCOPE_ADMIN; has++)
        for (unsigned needs = SCOPE_READ; needs <= SCOPE_ADMIN; needs++) {
            assert_int_equal(may(has, "", "/api/v1/x", needs, ""), has >= needs);
            assert_int_equal(may(has, "", "/api/v1/x", needs | ACCESS_CUT, ""), has >= needs);
        }
    assert_false(may(SCOPE_OPERATE, "", "/api/v1/x", 0, "")); /* a route without a scope */
    assert_true(may(SCOPE_ADMIN, "", "/api/v1/x", 0, ""));
    struct request nowhere = {.actor.scope = SCOPE_READ};
    struct error err;
    assert_true(access_check(&nowhere, &err));
}

static void test_one_product(void **state)
{
    static const char below[] = ACCESS_PRODUCT "/devices";
    (void)state;
    assert_true(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "pumps"));
    assert_true(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "%70umps"));
    assert_false(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "pump"));
    assert_false(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "pumps2"));
    assert_false(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "Pumps"));
    assert_false(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "pumps%00"));
    assert_false(may(SCOPE_ADMIN, "pumps", below, SCOPE_READ, "%zz"));
    assert_false(may(SCOPE_READ, "pumps", below, SCOPE_ADMIN, "pumps"));
    assert_false(may(SCOPE_ADMIN, "pumps", "/api/v1/status", SCOPE_READ, ""));
    assert_true(may(SCOPE_ADMIN, "pumps", "/api/v1/ledger", SCOPE_READ | ACCESS_CUT, ""));
    assert_false(may(SCOPE_ADMIN, "pumps", "/api/v1/products", SCOPE_READ, ""));
}

static void test_product_of_the_query(void **state)
{
    struct request request = {.query = slice_of("product=lamps"), .actor.product = "pumps"};
    char product[PRODUCT_KEY_SIZE];
    struct error err;
    (void)state;
    assert_false(access_product(&request, product, &err));
    assert_int_equal(err.code, ERROR_FORBIDDEN);
    request.query = slice_of("limit=1&product=pumps");
    assert_true(access_product(&request, product, &err));
    for (int i = 0; i < 2; i++) {
        request.query = i ? slice_of("product=") : slice_of("limit=1");
        assert_true(access_product(&request, product, &err));
        assert_string_equal(product, "pumps");
    }
    request.actor.product[0] = '\0';
    request.query = slice_of("product=lamps");
    assert_true(access_product(&request, product, &err));
    assert_string_equal(product, "lamps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_many_hops),
        cmocka_unit_test(test_attempts_of_one_address),
        cmocka_unit_test(test_attempts_of_a_network),
        cmocka_unit_test(test_attempts_are_bounded),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_one_product),
        cmocka_unit_test(test_product_of_the_query),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
