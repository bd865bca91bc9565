/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Routes over raw paths, and what is read out of paths and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "server/http/router.h"

static const struct route routes[] = {
    {"GET", "/api/site/firmware_upgrade", 0, 0, NULL, NULL},
    {"POST", "/d/{}/report", 0, 0, NULL, NULL}, /* before the one that would take it too */
    {"GET", "/d/{}/{}", 0, 0, NULL, NULL},
    {"GET", "/d/{}", 0, 0, NULL, NULL},
    {"PUT", "/things/{}", 0, 0, NULL, NULL},
    {"DELETE", "/things/{}", 0, 0, NULL, NULL},
    {"GET", "/things/{}", 0, 0, NULL, NULL},
    {"GET", "/upgradeimei=", ROUTE_PREFIX, 0, NULL, NULL},
    {"GET", "/", 0, 0, NULL, NULL},
};

static struct request request_of(const char *target)
{
    struct request request = {.target = slice_of(target)};
    request.query = request.target;
    slice_split(&request.query, '?', &request.path);
    return request;
}

/* The index of the route, -404 or -405. */
static int find(const char *method, const char *target, struct request *ret, char allow[128])
{
    struct error err;
    *ret = request_of(target);
    if (router_find(routes, sizeof routes / sizeof routes[0], slice_of(method), ret, allow, 128, &err))
        return (int)(ret->route - routes);
    assert_null(ret->route);
    return -error_status(err.code);
}

static void test_routes(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target;
        int want;
        const char *first, *second;
    } row[] = {
        {"GET", "/api/site/firmware_upgrade", 0, NULL, NULL},
        {"HEAD", "/api/site/firmware_upgrade?x=1", 0, NULL, NULL},
        {"GET", "/d/abc/1138", 2, "abc", "1138"},
        {"GET", "/d/abc", 3, "abc", NULL},
        {"POST", "/d/abc/report", 1, "abc", NULL},
        {"GET", "/d/abc/report", -405, NULL, NULL},   /* the first pattern that fits names the path */
        {"GET", "/d/a%2Fb/c%00", 2, "a%2Fb", "c%00"}, /* raw: an escaped slash is no slash */
        {"GET", "/", 8, NULL, NULL},
        {"GET", "/?q", 8, NULL, NULL},
        {"GET", "/upgradeimei=8665&project_key=x?y", 7, "8665&project_key=x?y", NULL},
        {"GET", "/upgradeimei=", 7, "", NULL},
        {"GET", "/d/", -404, NULL, NULL}, /* {} is never empty */
        {"GET", "/d//1138", -404, NULL, NULL},
        {"GET", "/d/abc/1138/", -404, NULL, NULL},
        {"GET", "/d/abc/1138/x", -404, NULL, NULL},
        {"GET", "/d", -404, NULL, NULL},
        {"GET", "//", -404, NULL, NULL},
        {"GET", "/API/site/firmware_upgrade", -404, NULL, NULL},
        {"GET", "/api/site/firmware_upgrade/", -404, NULL, NULL},
        {"get", "/d/abc", -405, NULL, NULL},
        {"POST", "/d/abc", -405, NULL, NULL},
        {"POST", "/upgradeimei=1", -405, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct request request;
        char allow[128];
        int got = find(row[i].method, row[i].target, &request, allow);
        if (got != row[i].want)
            fail_msg("%s %s gives %d, not %d", row[i].method, row[i].target, got, row[i].want);
        if (row[i].first)
            assert_true(slice_is(request.param[0], row[i].first));
        if (row[i].second)
            assert_true(slice_is(request.param[1], row[i].second));
    }
}

static void test_allow(void **state)
{
    (void)state;
    struct request request;
    char allow[128];
    assert_int_equal(find("PATCH", "/things/1", &request, allow), -405);
    assert_string_equal(allow, "PUT, DELETE, GET, HEAD");
    assert_int_equal(find("DELETE", "/d/abc/report", &request, allow), -405);
    assert_string_equal(allow, "POST");
    char small[8];
    struct error err;
    request = request_of("/things/1");
    assert_false(router_find(routes, sizeof routes / sizeof routes[0], slice_of("PATCH"), &request, small,
                             sizeof small, &err));
    assert_true(strlen(small) < sizeof small);
}

static void test_query(void **state)
{
    (void)state;
    struct request request = request_of(
        "/x?imei=866&empty=&flag&name=%E6%B3%B5+1%20&imei=2&=x&bad=%zz&cut=%4&nul=a%00b"
        "&latin=%ff&raw=\xff&amp=a%26b&eq=a=b");
    struct error err;
    char out[16];
    bool found;
    static const struct {
        const char *name, *want; /* want NULL: an error */
        bool found;
    } row[] = {
        {"imei", "866", true}, {"empty", "", true},   {"flag", "", true},  {"name", "泵+1 ", true},
        {"mac", "", false},    {"IMEI", "", false},   {"bad", NULL, true}, {"cut", NULL, true},
        {"nul", NULL, true},   {"latin", NULL, true}, {"raw", NULL, true}, {"amp", "a&b", true},
        {"eq", "a=b", true},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        bool ok = request_query(&request, row[i].name, out, sizeof out, &found, &err);
        if (ok != (row[i].want != NULL) || found != row[i].found)
            fail_msg("%s: %d %d", row[i].name, ok, found);
        assert_string_equal(out, row[i].want ? row[i].want : "");
        if (!ok)
            assert_int_equal(err.code, ERROR_BAD_NAME);
    }
    char three[3];
    assert_false(request_query(&request, "imei", three, sizeof three, &found, &err));
    assert_int_equal(err.code, ERROR_BAD_NAME);
    char four[4];
    assert_true(request_query(&request, "imei", four, sizeof four, &found, &err));

    request = request_of("/x");
    assert_true(request_query(&request, "imei", out, sizeof out, &found, &err));
    assert_false(found);
    assert_true(query_find(slice_of("imei=7"), "imei", out, sizeof out, &found, &err));
    assert_true(found);
    assert_string_equal(out, "7");
}

static void test_param(void **state)
{
    (void)state;
    struct request request;
    struct error err;
    char allow[128], out[16];
    find("GET", "/d/%E6%B3%B5%2F/a%00", &request, allow);
    assert_true(request_param(&request, 0, out, sizeof out, &err));
    assert_string_equal(out, "泵/");
    assert_false(request_param(&request, 1, out, sizeof out, &err));
    assert_int_equal(err.code, ERROR_BAD_NAME);
    assert_string_equal(out, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_param),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
