/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Answers: how they are made, and that their heads on the wire are what a module can read, of the length
 * foretold. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/http/wire.h"
#include "tests/unit/server/http/peer.h"

static atomic_int released;

static void count_release(void *cls)
{
    (void)cls;
    atomic_fetch_add(&released, 1);
}

static int open_file(void)
{
    char name[] = "/tmp/dfota-test-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    return fd;
}

static void build_package(struct reply *reply)
{
    static const char package[300000] = "BSDIFF40";
    reply_init(reply, 206);
    reply->content_type = "application/octet-stream";
    reply_header(reply, "Content-Range", "bytes %d-%d/%d", 100, 300099, 300100);
    reply->bytes = package;
    reply->size = sizeof package;
    reply->release = count_release;
}

static void make_file(struct reply *reply)
{
    reply_init(reply, 200);
    reply->content_type = "application/octet-stream";
    reply->fd = open_file();
    reply->file_offset = 3;
    reply->size = 5;
}

static void make_empty_file(struct reply *reply)
{
    reply_init(reply, 200);
    reply->fd = open_file();
}

static void make_nothing(struct reply *reply)
{
    reply_init(reply, 204);
}

static void make_strange(struct reply *reply)
{
    reply_text(reply, 499, "application/json", "{}", 2);
}

static void make_problem(struct reply *reply)
{
    reply_json(reply, 507, json_pack("{s:s}", "detail", "\xe6\xb3\xb5"));
    reply->content_type = "application/problem+json";
    for (int i = 0; i < REPLY_HEADERS_MAX; i++)
        reply_header(reply, "X-Many", "%d", i);
    assert_int_equal(reply->header_count, REPLY_HEADERS_MAX);
}

static void make_plain(struct reply *reply)
{
    reply_text(reply, 200, "text/plain", "", 0);
    reply_header(reply, "X-Empty", "%s", "");
    reply_header(reply, "X-Control", "a\r\nb\x7f");
}

static const struct {
    void (*make)(struct reply *reply);
    const char *line; /* of the head */
    const char *body; /* how it begins */
    size_t body_len;
} row[] = {
    {build_package, "Content-Range: bytes 100-300099/300100", "BSDIFF40", 300000},
    {make_file, "Content-Length: 5", "34567", 5},
    {make_empty_file, "Content-Length: 0", "", 0},
    {make_nothing, "Connection: close", "", 0},
    {make_strange, "Content-Length: 2", "{}", 2},
    {make_problem, "X-Many: 5", "{\"detail\":\"\xe6\xb3\xb5\"}", 16},
    {make_plain, "X-Control: a__b_", "", 0},
};

static void answer_row(struct request *request)
{
    struct reply reply;
    row[request->param[0].ptr[0] - '0'].make(&reply);
    request_answer(request, &reply);
}

static const struct route routes[] = {{"GET", "/{}", 0, 0, NULL, answer_row}};

static void check_row(const char *address, unsigned i, const char *method)
{
    char ask[64];
    snprintf(ask, sizeof ask, "%s /%u HTTP/1.1\r\nHost: x\r\n\r\n", method, i);
    int fd = peer_connect(address);
    peer_send(fd, ask);
    struct peer_answer answer = peer_read(fd);
    assert_false(answer.reset);
    const char *body = peer_body(answer.text);
    size_t head = (size_t)(body - answer.text);

    struct reply reply;
    row[i].make(&reply);
    assert_int_equal(peer_status(answer.text), reply.status);
    assert_int_equal(wire_head_size(&reply), head);
    assert_true(head <= 700);
    reply_free(&reply);

    assert_true(peer_header(answer.text, row[i].line));
    assert_true(peer_header(answer.text, "Connection: close"));
    assert_non_null(strstr(answer.text, "\r\nDate: "));
    assert_null(strstr(answer.text, ": \r\n"));
    bool with_body = strcmp(method, "HEAD") != 0;
    assert_int_equal(answer.len - head, with_body ? row[i].body_len : 0);
    if (with_body)
        assert_true(strncmp(body, row[i].body, strlen(row[i].body)) == 0);
    free(answer.text);
}

static void test_wire(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, 1);
    struct listener *listener = peer_listen(&config, address);
    released = 0;
    for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
        check_row(address, i, "GET");
        check_row(address, i, "HEAD");
    }
    listener_close(listener);
    assert_int_equal(released, 4); /* twice sent, twice made for its length */
}

static void test_send(void **state)
{
    (void)state;
    struct reply reply;
    int ends[2];
    char text[1024];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (int head_only = 0; head_only < 2; head_only++) {
        make_problem(&reply);
        reply.keep_ms = head_only ? 75999 : 0;
        assert_true(wire_send(ends[0], &reply, head_only));
        ssize_t got = recv(ends[1], text, sizeof text - 1, 0); /* a packet is a send */
        assert_true(got > 0);
        text[got] = '\0';
        assert_int_equal(peer_status(text), 507);
        assert_true(peer_header(text, "Content-Length: 16"));
        assert_int_equal(peer_header(text, "Connection: close"), !head_only);
        assert_int_equal(peer_header(text, "Keep-Alive: timeout=75"), head_only);
        assert_int_equal(peer_body(text) - text, wire_head_size(&reply));
        assert_int_equal(strlen(peer_body(text)), head_only ? 0 : 16);
        reply_free(&reply);
    }
    close(ends[1]);
    make_strange(&reply);
    assert_false(wire_send(ends[0], &reply, false)); /* nobody there: no signal */
    reply_free(&reply);
    close(ends[0]);
}

/* A kept connection may have answers that the peer does not read. */
static void test_send_part(void **state)
{
    (void)state;
    struct reply reply;
    int ends[2], sent = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    make_problem(&reply);
    while (wire_send(ends[0], &reply, false))
        assert_true(++sent < 100000);
    assert_true(sent > 0);
    reply_free(&reply);
    close(ends[0]);
    close(ends[1]);
}

static void test_made(void **state)
{
    (void)state;
    struct reply reply;
    reply_json(&reply, 201, json_pack("{s:i}", "a", 1));
    assert_int_equal(reply.status, 201);
    assert_memory_equal(reply.bytes, "{\"a\":1}", 7);
    assert_int_equal(reply.size, 7);
    reply_free(&reply);
    reply_free(&reply); /* fine on an emptied one */
    reply_json(&reply, 200, NULL);
    assert_int_equal(reply.status, 500);
    assert_true(reply.size > 0);
    reply_free(&reply);
    char text[] = "abc";
    reply_text(&reply, 200, "text/plain", text, 3);
    text[0] = 'x';
    assert_memory_equal(reply.bytes, "abc", 3);
    reply_free(&reply);
    released = 0;
    build_package(&reply);
    reply_free(&reply);
    assert_int_equal(released, 1);
    reply_init(&reply, 200);
    int fd = reply.fd = open_file();
    reply_free(&reply);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_send),
        cmocka_unit_test(test_send_part),
        cmocka_unit_test(test_wire),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
