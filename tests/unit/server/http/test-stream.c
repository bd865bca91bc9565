/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bodies that go through a route's stream: in order, whole or not at all, ended exactly once. */
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/core/thread_pool.h"
#include "tests/unit/server/http/peer.h"

#define SIZE (3 << 20)

struct taken {
    uint64_t bytes;
    uint32_t sum; /* of each byte and its place */
    bool handled;
};

static atomic_int begun, ended, handled, ended_unhandled;
static sem_t began, over;

static bool begin(struct request *request, struct error *err)
{
    if (request->body_length == 13)
        return error_set(err, ERROR_NO_SPACE, "no space for 13");
    assert_null(request->stream_state);
    request->stream_state = calloc(1, sizeof(struct taken));
    atomic_fetch_add(&begun, 1);
    sem_post(&began);
    return true;
}

static bool data(struct request *request, const void *bytes, size_t len, struct error *err)
{
    struct taken *taken = request->stream_state;
    for (size_t i = 0; i < len; i++)
        taken->sum += (uint32_t)(taken->bytes++ % 9973) * ((const uint8_t *)bytes)[i];
    if (taken->bytes > SIZE)
        return error_set(err, ERROR_TOO_LARGE, "more than %d", SIZE);
    return true;
}

static void end(struct request *request)
{
    struct taken *taken = request->stream_state;
    atomic_fetch_add(&ended, 1);
    if (!taken->handled)
        atomic_fetch_add(&ended_unhandled, 1);
    free(taken);
    request->stream_state = NULL;
    sem_post(&over);
}

static void handler(struct request *request)
{
    char text[64];
    struct taken *taken = request->stream_state;
    taken->handled = true;
    atomic_fetch_add(&handled, 1);
    assert_int_equal(request->body.len, 0);
    snprintf(text, sizeof text, "%llu %u %lld", (unsigned long long)taken->bytes, taken->sum,
             (long long)request->body_length);
    peer_answer_text(request, text);
}

static const struct route_stream stream = {begin, data, end};
static const struct route routes[] = {
    {"PUT", "/now/{}", 0, 0, &stream, handler},
    {"PUT", "/worker/{}", ROUTE_WORKER, 0, &stream, handler},
    {"PUT", "/little", 0, 5, &stream, handler},
};

static struct thread_pool *thread_pool;
static struct listener *listener;
static struct listener_config config;
static char address[64];
static uint8_t body[SIZE + 4096];

static int set_up(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    struct error err;
    assert_true(thread_pool_start(2, &thread_pool, &err));
    sem_init(&began, 0, 0);
    sem_init(&over, 0, 0);
    begun = ended = handled = ended_unhandled = 0;
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.thread_pool = thread_pool;
    listener = peer_listen(&config, address);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    listener_close(listener);
    thread_pool_stop(thread_pool);
    assert_int_equal(begun, ended);
    assert_int_equal(handled + ended_unhandled, ended);
    return 0;
}

static uint32_t sum_of(size_t size)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (uint32_t)(i % 9973) * body[i];
    return sum;
}

static void send_head(int fd, const char *path, size_t size)
{
    char head[256];
    snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, size);
    peer_send(fd, head);
}

static void send_chunks(int fd, const char *path, size_t size, size_t chunk)
{
    char line[256];
    snprintf(line, sizeof line, "PUT %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", path);
    peer_send(fd, line);
    for (size_t at = 0; at < size; at += chunk) {
        size_t len = size - at < chunk ? size - at : chunk;
        snprintf(line, sizeof line, "%zx\r\n", len);
        peer_send(fd, line);
        peer_send_bytes(fd, body + at, len);
        peer_send(fd, "\r\n");
    }
    peer_send(fd, "0\r\n\r\n");
}

static void expect(int fd, int status, const char *text)
{
    struct peer_answer answer = peer_read(fd);
    assert_false(answer.reset);
    assert_int_equal(peer_status(answer.text), status);
    if (text)
        assert_string_equal(peer_body(answer.text), text);
    free(answer.text);
}

static void test_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4096, 100000, SIZE};
    char want[64];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int fd = peer_connect(address);
        send_head(fd, i % 2 ? "/now/x" : "/worker/x", sizes[i]);
        peer_send_bytes(fd, body, sizes[i]);
        snprintf(want, sizeof want, "%zu %u %zu", sizes[i], sum_of(sizes[i]), sizes[i]);
        expect(fd, 200, want);

        fd = peer_connect(address);
        send_chunks(fd, i % 2 ? "/worker/x" : "/now/x", sizes[i], 70001);
        snprintf(want, sizeof want, "%zu %u -1", sizes[i], sum_of(sizes[i]));
        expect(fd, 200, want);
    }
    int fd = peer_connect(address);
    send_chunks(fd, "/now/x", 5000, 1);
    snprintf(want, sizeof want, "5000 %u -1", sum_of(5000));
    expect(fd, 200, want);
}

static void test_begin_refuses(void **state)
{
    (void)state;
    int fd = peer_connect(address);
    send_head(fd, "/now/x", 13);
    peer_send(fd, "thirteen bytes and many more that nobody reads");
    expect(fd, 507, "{\"code\":507,\"msg\":\"no space for 13\"}");
    assert_int_equal(begun, 0);
}

/* The answer comes in the middle of the body, and arrives although the peer goes on sending. */
static void test_data_refuses(void **state)
{
    (void)state;
    int fd = peer_connect(address);
    send_head(fd, "/now/x", SIZE + 1000);
    peer_send_bytes(fd, body, SIZE + 1000);
    expect(fd, 413, NULL);
    fd = peer_connect(address);
    send_chunks(fd, "/worker/x", SIZE + 1000, 100000);
    expect(fd, 413, NULL);
    fd = peer_connect(address); /* not even the rest is waited for */
    send_head(fd, "/now/x", (size_t)1 << 40);
    peer_send_bytes(fd, body, SIZE + 1);
    expect(fd, 413, NULL);
    fd = peer_connect(address);
    send_chunks(fd, "/little", 6, 6);
    expect(fd, 413, "{\"code\":413,\"msg\":\"the body has more than 5 bytes\"}");
    fd = peer_connect(address);
    send_head(fd, "/little", 6);
    expect(fd, 413, NULL);
    assert_int_equal(handled, 0);
    assert_int_equal(begun, 4);
    for (int i = 0; i < 4; i++)
        peer_await(&over);
}

static void test_cut_off(void **state)
{
    (void)state;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 4; i++) {
        int fd = peer_connect(address);
        if (i < 2) {
            send_head(fd, "/now/x", 1000);
            peer_send_bytes(fd, body, 500);
        } else {
            peer_send(fd, "PUT /now/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        }
        peer_await(&began);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        peer_await(&over);
    }
    assert_int_equal(handled, 0);
}

static void test_idle(void **state)
{
    (void)state;
    listener_close(listener);
    config.idle_timeout_ms = 30;
    listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    send_head(fd, "/now/x", 1000);
    peer_send_bytes(fd, body, 500);
    expect(fd, 408, NULL);
    peer_await(&over);
    assert_int_equal(handled, 0);
}

static void test_closed_meanwhile(void **state)
{
    (void)state;
    int fd = peer_connect(address);
    send_head(fd, "/now/x", 1000);
    peer_await(&began);
    listener_close(listener);
    peer_await(&over);
    listener = NULL;
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_whole),   TEST(test_begin_refuses), TEST(test_data_refuses),
        TEST(test_cut_off), TEST(test_idle),          TEST(test_closed_meanwhile),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
