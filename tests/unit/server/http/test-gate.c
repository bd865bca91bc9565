/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The gate, on raw sockets: what it refuses and how, what odd modules send and get through with, its limits.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/core/thread_pool.h"
#include "tests/unit/server/http/peer.h"

static void hello(struct request *request)
{
    peer_answer_text(request, "hello");
}

static void echo(struct request *request)
{
    struct reply reply;
    reply_text(&reply, 200, "text/plain", request->body.ptr, request->body.len);
    request_answer(request, &reply);
}

static void show_target(struct request *request)
{
    struct reply reply;
    reply_text(&reply, 200, "text/plain", request->target.ptr, request->target.len);
    request_answer(request, &reply);
}

static void show_range(struct request *request)
{
    struct slice value = {"none", 4};
    request_header(request, "range", &value);
    struct reply reply;
    reply_text(&reply, 200, "text/plain", value.ptr, value.len);
    request_answer(request, &reply);
}

static void refuse(struct request *request)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, "not now");
    request_fail(request, &err);
}

static sem_t entered;
static struct request *kept[2];
static unsigned kept_count;

static void keep(struct request *request)
{
    kept[kept_count++] = request;
    sem_post(&entered);
}

/* On a worker. */
static bool vet(struct request *request, struct error *err)
{
    assert_int_equal(request->body.len, 0);
    return slice_is(request->param[0], "known") || error_set(err, ERROR_NOT_FOUND, "there is no such link");
}

static const struct route routes[] = {
    {"GET", "/", 0, 0, NULL, hello},
    {"POST", "/echo", 0, 10, NULL, echo},
    {"POST", "/large", 0, 1 << 20, NULL, echo},
    {"GET", "/range", 0, 0, NULL, show_range},
    {"GET", "/show/{}", 0, 0, NULL, show_target},
    {"GET", "/keep", 0, 0, NULL, keep},
    {"GET", "/fail", 0, 0, NULL, refuse},
    {"POST", "/vetted/{}", ROUTE_VET, 1 << 20, NULL, echo},
};

static struct listener *open_with(struct listener_config *config, char address[64])
{
    peer_config(config, routes, sizeof routes / sizeof routes[0]);
    return peer_listen(config, address);
}

/* Every refusal is whole, in the listener's own words, and does not end in a reset. */
static void check(const char *address, const char *text, size_t len, int want)
{
    int fd = peer_connect(address);
    peer_send_bytes(fd, text, len);
    struct peer_answer answer = peer_read(fd);
    int status = peer_status(answer.text);
    char line[64];
    snprintf(line, sizeof line, "Content-Length: %zu", strlen(peer_body(answer.text)));
    /* One head, whatever libmicrohttpd would have said. */
    const char *first = strstr(answer.text, "HTTP/1.1 ");
    if (!first || strstr(first + 1, "HTTP/1.1 4") || strstr(first + 1, "HTTP/1.1 2"))
        fail_msg("\"%s\" gets not one head:\n%s", text, answer.text);
    if (status != want || answer.reset || !peer_header(answer.text, line) ||
        !peer_header(answer.text, "Connection: close"))
        fail_msg("\"%s\" gets (reset: %d), not %d:\n%s", text, answer.reset, want, answer.text);
    if (want >= 400) {
        char json[32];
        snprintf(json, sizeof json, "{\"code\":%d,", want);
        assert_true(strncmp(peer_body(answer.text), json, strlen(json)) == 0);
    }
    free(answer.text);
}

#define H "Host: x\r\n"

static void check_text(const char *address, const char *text, int want)
{
    check(address, text, strlen(text), want);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        int want;
        const char *text;
    } row[] = {
        /* request line */
        {400, "GET  / HTTP/1.1\r\n" H "\r\n"},
        {400, "GET /\r\n" H "\r\n"},
        {400, "GET / HTTP/1.1 \r\n" H "\r\n"},
        {400, " GET / HTTP/1.1\r\n" H "\r\n"},
        {400, "GET / HTTP/2.0\r\n" H "\r\n"},
        {400, "GET / HTTP/1.2\r\n" H "\r\n"},
        {400, "GET / http/1.1\r\n" H "\r\n"},
        {400, "GET / /x HTTP/1.1\r\n" H "\r\n"},
        {400, "GET http:/// HTTP/1.1\r\n" H "\r\n"},
        {400, "GET http:// HTTP/1.1\r\n" H "\r\n"},
        {400, "GET ftp://x/ HTTP/1.1\r\n" H "\r\n"},
        {400, "GET x/ HTTP/1.1\r\n" H "\r\n"},
        {404, "GET http://x/nothing HTTP/1.1\r\n" H "\r\n"},
        {404, "GET //x/show/a HTTP/1.1\r\n" H "\r\n"},
        {400, "OPTIONS * HTTP/1.1\r\n" H "\r\n"},
        {400, "CONNECT x:80 HTTP/1.1\r\n" H "\r\n"},
        {400, "GET /\t HTTP/1.1\r\n" H "\r\n"},
        {400, "GET /\x7f HTTP/1.1\r\n" H "\r\n"},
        {400, "GE(T / HTTP/1.1\r\n" H "\r\n"},
        {400, "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"},
        {400, "\x16\x03\x01\x02\x01\r\n\r\n"}, /* a TLS greeting */
        /* lines */
        {400, "GET / HTTP/1.1\n" H "\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: x\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "A: b\rC: d\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n A: b\r\n" H "\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "A\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H ": b\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n"},
        /* framing */
        {400, "GET / HTTP/1.1\r\n\r\n"},
        {400, "GET / HTTP/1.1\r\n" H H "\r\n"},
        {400, "GET / HTTP/1.1\r\n" H "Range: bytes=0-\r\nRange: bytes=5-\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1 \r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\t\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "content-length:1 \t \r\n\r\na"},
        {400, "GET / HTTP/1.1\r\n" H "Content-Length: 0 \r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: \r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1 1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1,1\r\n\r\na"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"},
        /* libmicrohttpd would say 100 Continue */
        {400, "GET / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n"},
        {400, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"},
        {413, "POST /echo HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"},
        /* routes and bodies */
        {404, "GET /nothing HTTP/1.1\r\n" H "\r\n"},
        {404, "GET /show/a%2Fb/c HTTP/1.1\r\n" H "\r\n"},
        {405, "PUT / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"},
        {405, "BREW / HTTP/1.1\r\n" H "\r\n"},
        {413, "POST /echo HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\nhello world"},
        {413, "POST /echo HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\n"},
        {413, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"},
        {413, "GET / HTTP/1.1\r\n" H "Content-Length: 4097\r\n\r\n"},
    };
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(&config, address);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        check(address, row[i].text, strlen(row[i].text), row[i].want);
    static const char nul_in_target[] = "GET /a\0b HTTP/1.1\r\n" H "\r\n";
    static const char nul_in_header[] = "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n";
    static const char nul_in_name[] = "GET / HTTP/1.1\r\n" H "A\0: b\r\n\r\n";
    check(address, nul_in_target, sizeof nul_in_target - 1, 400);
    check(address, nul_in_header, sizeof nul_in_header - 1, 400);
    check(address, nul_in_name, sizeof nul_in_name - 1, 400);
    char *allow = peer_ask(address, "PUT / HTTP/1.1\r\n" H "\r\n");
    assert_true(peer_header(allow, "Allow: GET, HEAD"));
    free(allow);
    char *head = peer_ask(address, "HEAD /nothing HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(peer_status(head), 404);
    assert_string_equal(peer_body(head), "");
    free(head);
    listener_close(listener);
}

static void test_odd_but_right(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
    } row[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", "hello"},
        {"GET / HTTP/1.0\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\nhOST: fota.example:8080\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\n" H "Connection: short\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\n" H "Connection: keep-alive\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "hello"},
        {"GET / HTTP/1.1\r\n" H "X:\r\nY:a\r\nZ: \t \r\n\r\n", "hello"},
        {"GET /?\xe6\xb3\xb5#x HTTP/1.1\r\n" H "\r\n", "hello"},
        {"GET /range HTTP/1.1\r\n" H "Range:bytes=5-\r\n\r\n", "bytes=5-"},
        {"GET /range HTTP/1.1\r\n" H "RANGE: \t bytes=5- \t\r\n\r\n", "bytes=5-"},
        {"GET /range HTTP/1.1\r\n" H "Ranges: x\r\n\r\n", "none"},
        {"GET /show/a%2Fb%00%zz?x=%00 HTTP/1.1\r\n" H "\r\n", "/show/a%2Fb%00%zz?x=%00"},
        {"POST /echo HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\n0123456789", "0123456789"},
        {"POST /echo HTTP/1.1\r\n" H "content-length:0\r\n\r\n", ""},
        {"POST /echo HTTP/1.1\r\n" H "\r\n", ""},
        {"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
         "abcde"},
        /* What comes behind a request is dropped, and does not turn the answer into a reset. */
        {"GET / HTTP/1.1\r\n" H "\r\n\r\n", "hello"},
        {"GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n" H "\r\n", "hello"},
        {"POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nabc\r\n", "a"},
    };
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(&config, address);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char *answer = peer_ask(address, row[i].text);
        if (peer_status(answer) != 200 || strcmp(peer_body(answer), row[i].body) != 0)
            fail_msg("%s\ngets\n%s", row[i].text, answer);
        assert_true(peer_header(answer, "Connection: close"));
        free(answer);
    }
    listener_close(listener);
}

static void test_segments(void **state)
{
    (void)state;
    static const char text[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabcde";
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(&config, address);
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        int fd = peer_connect(address);
        peer_send_bytes(fd, text, cut);
        peer_send_bytes(fd, text + cut, sizeof text - 1 - cut);
        struct peer_answer answer = peer_read(fd);
        assert_string_equal(peer_body(answer.text), "abcde");
        free(answer.text);
    }
    int fd = peer_connect(address);
    for (size_t i = 0; i < sizeof text - 1; i++)
        peer_send_bytes(fd, text + i, 1);
    struct peer_answer answer = peer_read(fd);
    assert_string_equal(peer_body(answer.text), "abcde");
    free(answer.text);
    listener_close(listener);
}

/* A head of exactly `size` bytes. */
static char *head_of(size_t size, const char *line)
{
    char *text = malloc(size + 1);
    int used = snprintf(text, size, "%s" H "A: ", line);
    memset(text + used, 'a', size - (size_t)used - 4);
    memcpy(text + size - 4, "\r\n\r\n", 5);
    return text;
}

static void test_long_heads(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(&config, address);
    char *fits = head_of(config.max_head_bytes, "GET / HTTP/1.1\r\n");
    check(address, fits, config.max_head_bytes, 200);
    char *long_head = head_of(config.max_head_bytes + 1, "GET / HTTP/1.1\r\n");
    check(address, long_head, config.max_head_bytes + 1, 431);

    static char line[200000]; /* more than what is looked at, and still read, so that the answer arrives */
    memset(line, 'a', sizeof line);
    memcpy(line, "GET /", 5);
    check(address, line, sizeof line, 414);
    memcpy(line, "GET / HTTP/1.1\r\nA: ", 19);
    check(address, line, sizeof line, 431);
    free(fits);
    free(long_head);
    listener_close(listener);
}

static char *repeat(const char *before, const char *part, unsigned count, const char *after)
{
    char *text = malloc(strlen(before) + count * strlen(part) + strlen(after) + 1),
         *end = stpcpy(text, before);
    for (unsigned i = 0; i < count; i++)
        end = stpcpy(end, part);
    stpcpy(end, after);
    return text;
}

static void test_many_parts(void **state)
{
    (void)state;
    static const struct {
        const char *before, *part;
        unsigned fits; /* so many are taken, one more is not */
        const char *after;
        int refused;
    } row[] = {
        {"GET / HTTP/1.1\r\n" H, "a:b\r\n", 126, "\r\n", 431},
        {"GET /?a", "&a", 126, " HTTP/1.1\r\n" H "\r\n", 431},
        {"GET /?a", "&a", 1000, " HTTP/1.0\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\n" H "Cookie: a", ";a", 124, "\r\n\r\n", 431},
    };
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.memory_per_connection = 1; /* what a head needs is not left to the configuration */
    struct listener *listener = peer_listen(&config, address);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        if (row[i].fits < 1000) {
            char *fits = repeat(row[i].before, row[i].part, row[i].fits, row[i].after);
            check(address, fits, strlen(fits), 200);
            free(fits);
        }
        char *many = repeat(row[i].before, row[i].part, row[i].fits + 1, row[i].after);
        check(address, many, strlen(many), row[i].refused);
        free(many);
    }
    char *full = head_of(config.max_head_bytes, "GET /?a&b&c HTTP/1.1\r\nCookie: a; b; c\r\n");
    check(address, full, config.max_head_bytes, 200);
    free(full);
    listener_close(listener);
}

static void test_ends_early(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(&config, address);
    int fd = peer_connect(address);
    shutdown(fd, SHUT_WR);
    struct peer_answer answer = peer_read(fd);
    assert_int_equal(answer.len, 0);
    free(answer.text);

    fd = peer_connect(address);
    peer_send(fd, "GET / HTTP/1.1\r\nHo");
    shutdown(fd, SHUT_WR);
    answer = peer_read(fd);
    assert_int_equal(peer_status(answer.text), 400);
    free(answer.text);

    fd = peer_connect(address); /* a whole request, and then the end of what it sends */
    peer_send(fd, "GET / HTTP/1.1\r\n" H "\r\n");
    shutdown(fd, SHUT_WR);
    answer = peer_read(fd);
    assert_int_equal(peer_status(answer.text), 200);
    free(answer.text);
    listener_close(listener);
}

/* Sends a byte every now and then, as long as nothing is answered. */
static void trickle(int fd, const char *text)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < PEER_PATIENCE_MS / 10; i++) {
        peer_send_bytes(fd, text, 1);
        if (poll(&readable, 1, 10) > 0)
            return;
    }
    fail_msg("a trickled request holds its connection");
}

static void test_deadlines(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.head_timeout_ms = config.body_timeout_ms = 50;
    struct listener *listener = peer_listen(&config, address);
    struct peer_answer answer = peer_read(peer_connect(address)); /* nothing said, nothing answered */
    assert_int_equal(answer.len, 0);
    free(answer.text);
    static const char *const head = "GET / HTTP/1.1\r\n";
    static const char *const body = "POST /large HTTP/1.1\r\n" H "Content-Length: 1000000\r\n\r\n";
    for (int i = 0; i < 4; i++) {
        int fd = peer_connect(address);
        peer_send(fd, i < 2 ? head : body);
        if (i % 2)
            trickle(fd, "A");
        answer = peer_read(fd);
        assert_int_equal(peer_status(answer.text), 408);
        assert_non_null(strstr(answer.text, "{\"code\":408,"));
        free(answer.text);
    }
    listener_close(listener);
}

static void answer_kept(void)
{
    while (kept_count)
        peer_answer_text(kept[--kept_count], "kept");
}

#define GET "GET / HTTP/1.1\r\n" H "\r\n"

static void expect(const char *address, const char *ask, int status)
{
    char *answer = peer_ask(address, ask);
    if (peer_status(answer) != status)
        fail_msg("\"%s\" gets not %d but %s", ask, status, answer);
    free(answer);
}

static void test_connection_limit(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    sem_init(&entered, 0, 0);
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.loops = 1;
    config.max_connections = 2;
    struct listener *listener = peer_listen(&config, address);
    int busy[2];
    for (int i = 0; i < 2; i++) {
        busy[i] = peer_connect(address);
        peer_send(busy[i], "GET /keep HTTP/1.1\r\n" H "\r\n");
        peer_await(&entered);
    }
    for (int i = 0; i < 400; i++) /* more than linger at once */
        check(address, GET, strlen(GET), 503);
    answer_kept();
    for (int i = 0; i < 2; i++) {
        struct peer_answer answer = peer_read(busy[i]);
        assert_int_equal(peer_status(answer.text), 200);
        free(answer.text);
    }
    expect(address, GET, 200);
    listener_close(listener);
}

/* Whoever holds the room without having asked for anything makes way: nothing sent, half a head, half a body. */
static void test_room(void **state)
{
    (void)state;
    static const char *const half[] = {"", "GET / HT",
                                       "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\na"};
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.loops = 1;
    config.max_connections = 10;
    struct listener *listener = peer_listen(&config, address);
    for (size_t kind = 0; kind < sizeof half / sizeof half[0]; kind++) {
        int fd[60];
        for (size_t i = 0; i < 60; i++) {
            fd[i] = peer_connect(address);
            peer_send(fd[i], half[kind]);
        }
        for (int i = 0; i < 20; i++)
            expect(address, GET, 200);
        struct peer_answer answer = peer_read(fd[0]); /* the oldest */
        assert_true(answer.len == 0 || peer_status(answer.text) == 503);
        free(answer.text);
        for (size_t i = 0; i < 60; i++)
            close(fd[i]);
    }
    listener_close(listener);
}

/* One address has half of the room for what is not whole; what is whole is not counted. */
static void test_share_of_address(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.loops = 1;
    config.max_connections = 100;
    struct listener *listener = peer_listen(&config, address);
    int fd[51];
    for (size_t i = 0; i < 51; i++) {
        fd[i] = peer_connect(address);
        peer_send(fd[i], "GET / HT");
    }
    struct peer_answer answer = peer_read(fd[0]);
    assert_int_equal(peer_status(answer.text), 503);
    free(answer.text);
    for (size_t i = 1; i < 51; i++) {
        peer_send(fd[i], "TP/1.1\r\n" H "\r\n");
        answer = peer_read(fd[i]);
        assert_int_equal(peer_status(answer.text), 200);
        free(answer.text);
    }
    listener_close(listener);
}

static void test_bodies_have_a_budget(void **state)
{
    (void)state;
    static const char large[] = "POST /large HTTP/1.1\r\n" H "Content-Length: 6000\r\n\r\n";
    struct listener_config config;
    char address[64], *body = calloc(1, 6001);
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.max_bodies_bytes = 10000;
    config.loops = 1; /* heads are seen in the order in which they were sent */
    struct listener *listener = peer_listen(&config, address);
    memset(body, 'x', 6000);
    for (int i = 0; i < 3; i++) { /* what was taken is given back */
        int fd = peer_connect(address);
        peer_send(fd, large);
        peer_send(fd, "x");
        for (int tries = 0;; tries++) { /* until the first one's head has been seen */
            char *answer = peer_ask(address, large);
            bool refused = peer_status(answer) == 503 && strstr(answer, "too many bodies at once");
            free(answer);
            if (refused)
                break;
            assert_true(tries < 1000);
        }
        expect(address, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello",
               200); /* small ones pass */
        peer_send_bytes(fd, body + 1, 5999);
        struct peer_answer answer = peer_read(fd);
        assert_int_equal(peer_status(answer.text), 200);
        free(answer.text);
    }
    free(body);
    listener_close(listener);
}

static void test_vetted(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct thread_pool *thread_pool;
    struct error err;
    assert_true(thread_pool_start(1, &thread_pool, &err));
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.thread_pool = thread_pool;
    config.vet = vet;
    struct listener *listener = peer_listen(&config, address);
    check_text(address, "POST /vetted/unknown HTTP/1.1\r\n" H "Content-Length: 1000\r\n\r\n", 404);
    check_text(address, "POST /vetted/known HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 200);
    check_text(address, "POST /vetted/unknown HTTP/1.1\r\n" H "\r\n",
               200); /* nothing to keep: the handler says */
    listener_close(listener);
    thread_pool_stop(thread_pool);
}

/* A refusal of a resume, whatever it is for: these bytes, and nothing else. */
static void test_bare_refusals(void **state)
{
    (void)state;
    static const struct {
        bool bare;
        const char *text;
    } row[] = {
        {true, "GET /nothing HTTP/1.1\r\n" H "Range: bytes=5-\r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "range:bytes = 1 - \r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "RANGE: bytes=99999999999999999999999-\r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "Range: bytes=-5\r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "Range: bytes=007-\r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "Range: bytes=0x5-\r\n\r\n"},
        {true, "GET /nothing HTTP/1.1\r\n" H "Range: nonsense\r\n\r\n"},
        {true, "HEAD /nothing HTTP/1.1\r\n" H "Range: bytes=5-\r\n\r\n"},
        {true, "PUT / HTTP/1.1\r\n" H "Range: bytes=5-\r\nContent-Length: 3\r\n\r\nabc"},
        {true, "GET / HTTP/1.1\r\nRange: bytes=5-\r\n\r\n"},
        {true, "GET / HTTP/1.1\r\n" H "Range: bytes=0-\r\nRange: bytes=5-\r\n\r\n"},
        {true, "GET / HTTP/1.1\r\n" H "Range : bytes=5-\r\n\r\n"},
        {true, "GET / HTTP/1.1\nHost: x\nRange: bytes=5-\n\n"},
        {true, "GET / HTTP/1.1\r\n" H "Content-Length: 0 \r\nRange: bytes=5-\r\n\r\n"},
        {true, "GET / HTTP/1.1\r\n" H "Range: bytes=5-\r\nExpect: 100-continue\r\n\r\n"},
        {true, "GET /fail HTTP/1.1\r\n" H "Range: bytes=5-\r\n\r\n"},
        {true, "POST /echo HTTP/1.1\r\n" H "Range: bytes=5-\r\nContent-Length: 11\r\n\r\n"},
        {true, "GET / HTTP/1.1\r\n" H "Range: bytes=5-\r\n"}, /* ends early */
        {false, "GET /nothing HTTP/1.1\r\n" H "Range: bytes=0-\r\n\r\n"},
        {false, "GET /nothing HTTP/1.1\r\n" H "Range: bytes = 000-7\r\n\r\n"},
        {false, "GET /nothing HTTP/1.1\r\n" H "X-Range: bytes=5-\r\n\r\n"},
        {false, "PUT / HTTP/1.1\r\n" H "Content-Length: 17\r\n\r\nRange: bytes=5-\r\n"},
    };
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.bare_refusals = true;
    struct listener *listener = peer_listen(&config, address);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int fd = peer_connect(address);
        peer_send(fd, row[i].text);
        shutdown(fd, SHUT_WR);
        struct peer_answer answer = peer_read(fd);
        bool bare =
            strcmp(answer.text, "HTTP/1.1 416 Range Not Satisfiable\r\nConnection: close\r\n\r\n") == 0;
        if (bare != row[i].bare || answer.reset || (!bare && peer_status(answer.text) < 400))
            fail_msg("\"%s\" gets %s", row[i].text, answer.text);
        free(answer.text);
    }
    listener_close(listener);
}

static bool authorize(struct request *request, struct error *err)
{
    assert_string_equal(request->context, "context");
    return slice_is(request->token, "secret") || error_set(err, ERROR_UNAUTHORIZED, "a token is needed");
}

static void test_authorization(void **state)
{
    (void)state;
    static const struct {
        int want;
        const char *text;
    } row[] = {
        {200, "GET / HTTP/1.1\r\n" H "Authorization: Bearer secret\r\n\r\n"},
        {200, "GET / HTTP/1.1\r\n" H "authorization:bearer  secret \r\n\r\n"},
        {401, "GET / HTTP/1.1\r\n" H "\r\n"},
        {401, "GET / HTTP/1.1\r\n" H "Authorization: Bearer\r\n\r\n"},
        {401, "GET / HTTP/1.1\r\n" H "Authorization: Bearer secrets\r\n\r\n"},
        {401, "GET / HTTP/1.1\r\n" H "Authorization: Basic secret\r\n\r\n"},
        {401, "GET / HTTP/1.1\r\n" H "Authorization: secret\r\n\r\n"},
        {401, "GET /nothing HTTP/1.1\r\n" H "\r\n"},
        {401, "POST /echo HTTP/1.1\r\n" H "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"},
        {404, "GET /nothing HTTP/1.1\r\n" H "Authorization: Bearer secret\r\n\r\n"},
    };
    static char context[] = "context";
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.authorize = authorize;
    config.context = context;
    struct listener *listener = peer_listen(&config, address);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        check(address, row[i].text, strlen(row[i].text), row[i].want);
    char *answer = peer_ask(address, row[2].text);
    assert_true(peer_header(answer, "WWW-Authenticate: Bearer"));
    free(answer);
    listener_close(listener);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_odd_but_right),
        cmocka_unit_test(test_segments),         cmocka_unit_test(test_long_heads),
        cmocka_unit_test(test_many_parts),       cmocka_unit_test(test_ends_early),
        cmocka_unit_test(test_deadlines),        cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_authorization),    cmocka_unit_test(test_room),
        cmocka_unit_test(test_share_of_address), cmocka_unit_test(test_bodies_have_a_budget),
        cmocka_unit_test(test_vetted),           cmocka_unit_test(test_bare_refusals),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
