/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers: handlers in the loop's thread, on thread_pool, and answered later from elsewhere; many at
   once; draining and closing. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/core/listen_address.h"
#include "server/core/thread_pool.h"
#include "tests/unit/server/http/peer.h"

#define ASK(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"
#define MANY        2000
#define BIG         (64 << 20)

static struct thread_pool *thread_pool;
static sem_t entered, go;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *waiting[MANY];
static unsigned waiting_count;
static atomic_int released;

static void now(struct request *request)
{
    peer_answer_text(request, "now");
}

static void refuse(struct request *request)
{
    struct error err;
    error_set(&err, ERROR_NOT_AN_UPGRADE, "no");
    request_fail(request, &err);
}

/* Holds the thread it is called in. */
static void block(struct request *request)
{
    sem_post(&entered);
    sem_wait(&go);
    peer_answer_text(request, "block");
}

static sem_t turns_ended;

/* Counts the requests of a turn. */
static void count_in_turn(struct request *request)
{
    unsigned *count = *request->turn;
    char text[16];
    if (!count)
        *request->turn = count = calloc(1, sizeof *count);
    snprintf(text, sizeof text, "%u", ++*count);
    peer_answer_text(request, text);
}

static void end_turn(void *turn)
{
    free(turn);
    sem_post(&turns_ended);
}

static void answer_handed(void *cls)
{
    peer_answer_text(cls, "handed");
}

/* Answered by another thread, maybe before this function returns. */
static void hand(struct request *request)
{
    thread_pool_add(thread_pool, answer_handed, request);
}

static void keep(struct request *request)
{
    pthread_mutex_lock(&lock);
    waiting[waiting_count++] = request;
    pthread_mutex_unlock(&lock);
    sem_post(&entered);
}

static void answer_kept(void)
{
    pthread_mutex_lock(&lock);
    while (waiting_count)
        peer_answer_text(waiting[--waiting_count], "kept");
    pthread_mutex_unlock(&lock);
}

static void count_body(struct request *request)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", request->body.len);
    peer_answer_text(request, text);
}

static void count_release(void *cls)
{
    atomic_fetch_add(&released, 1);
    sem_post(cls);
}

static void big(struct request *request)
{
    static char zeros[BIG];
    struct reply reply;
    reply_init(&reply, 200);
    reply.bytes = zeros;
    reply.size = BIG;
    reply.release = count_release;
    reply.release_cls = &entered;
    request_answer(request, &reply);
}

static void peer(struct request *request)
{
    assert_true(slice_starts(slice_of(request->peer), "127.0.0.1:"));
    peer_answer_text(request, request->head_only ? "head" : "peer");
}

static const struct route routes[] = {
    {"GET", "/now", 0, 0, NULL, now},
    {"GET", "/fail", 0, 0, NULL, refuse},
    {"GET", "/block", 0, 0, NULL, block},
    {"GET", "/turn", 0, 0, NULL, count_in_turn},
    {"GET", "/worker", ROUTE_WORKER, 0, NULL, now},
    {"GET", "/block-worker", ROUTE_WORKER, 0, NULL, block},
    {"GET", "/hand", 0, 0, NULL, hand},
    {"GET", "/keep", 0, 0, NULL, keep},
    {"POST", "/count", 0, 1 << 20, NULL, count_body},
    {"POST", "/count-worker", ROUTE_WORKER, 1 << 20, NULL, count_body},
    {"GET", "/big", 0, 0, NULL, big},
    {"GET", "/peer", 0, 0, NULL, peer},
};

static struct listener *open_with(unsigned loops, struct listener_config *config, char address[64])
{
    peer_config(config, routes, sizeof routes / sizeof routes[0]);
    config->loops = loops;
    config->thread_pool = thread_pool;
    return peer_listen(config, address);
}

static int start(void **state)
{
    (void)state;
    struct error err;
    assert_true(thread_pool_start(4, &thread_pool, &err));
    sem_init(&entered, 0, 0);
    sem_init(&go, 0, 0);
    released = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    thread_pool_stop(thread_pool);
    return 0;
}

static void expect(const char *address, const char *ask, int status, const char *body)
{
    char *answer = peer_ask(address, ask);
    assert_int_equal(peer_status(answer), status);
    assert_string_equal(peer_body(answer), body);
    free(answer);
}

static void expect_read(int fd, const char *body)
{
    struct peer_answer answer = peer_read(fd);
    assert_false(answer.reset);
    assert_string_equal(peer_body(answer.text), body);
    free(answer.text);
}

static void test_each_way(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(2, &config, address);
    for (int i = 0; i < 50; i++) {
        expect(address, ASK("/now"), 200, "now");
        expect(address, ASK("/worker"), 200, "now");
        expect(address, ASK("/hand"), 200, "handed");
        expect(address, ASK("/peer"), 200, "peer");
        expect(address, ASK("/fail"), 422, "{\"code\":422,\"msg\":\"no\"}");
    }
    char *answer = peer_ask(address, "HEAD /peer HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(peer_header(answer, "Content-Length: 4"));
    assert_string_equal(peer_body(answer), "");
    free(answer);
    listener_close(listener);
}

static void test_bodies(void **state)
{
    (void)state;
    static char body[1 << 20];
    static const char *const path[] = {"/count", "/count-worker"};
    memset(body, 'b', sizeof body);
    struct listener_config config;
    char address[64], head[128], want[32];
    struct listener *listener = open_with(2, &config, address);
    for (size_t len = 1; len <= sizeof body; len = len * 8 + 1) {
        for (int i = 0; i < 2; i++) {
            size_t size = len * 8 + 1 > sizeof body ? sizeof body : len;
            int fd = peer_connect(address);
            snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path[i],
                     size);
            snprintf(want, sizeof want, "%zu", size);
            peer_send(fd, head);
            peer_send_bytes(fd, body, size);
            expect_read(fd, want);
        }
    }
    listener_close(listener);
}

static void test_continue(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64], text[64] = "";
    struct listener *listener = open_with(1, &config, address);
    int fd = peer_connect(address);
    peer_send(fd, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(recv(fd, text, 25, MSG_WAITALL), 25);
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_send(fd, "abc");
    expect_read(fd, "3");
    listener_close(listener);
}

/* All of them become ready in one turn of one loop, which a handler holds up meanwhile. */
static void check_ready_at_once(unsigned count, const char *first, const char *second, const char *want)
{
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(1, &config, address);
    int *fd = calloc(count, sizeof *fd);
    for (unsigned i = 0; i < count; i++) {
        fd[i] = peer_connect(address);
        peer_send(fd[i], first);
    }
    int blocked = peer_connect(address);
    peer_send(blocked, ASK("/block"));
    peer_await(&entered);
    for (unsigned i = 0; i < count; i++)
        peer_send(fd[i], second);
    sem_post(&go);
    expect_read(blocked, "block");
    for (unsigned i = 0; i < count; i++)
        expect_read(fd[i], want);
    free(fd);
    listener_close(listener);
}

static void test_ready_at_once(void **state)
{
    (void)state;
    static const unsigned count[] = {127, 128, 129, 256, 384};
    for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
        check_ready_at_once(count[i], "GET /now HT", "TP/1.1\r\nHost: x\r\n\r\n", "now");
        check_ready_at_once(count[i], "", ASK("/hand"), "handed");
        check_ready_at_once(count[i], "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", "cd",
                            "4");
    }
}

/* The listener's kernel has what was sent. */
static void await_sent(int fd)
{
    int left = 1;
    while (left)
        assert_int_equal(ioctl(fd, TIOCOUTQ, &left), 0);
}

/* Two requests that are ready at once share what the first leaves; those of the next turn do not get it. */
static void test_turn(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    sem_init(&turns_ended, 0, 0);
    int fd[3];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.loops = 1;
    config.end_turn = end_turn;
    struct listener *listener = peer_listen(&config, address);
    for (int round = 0; round < 3; round++) {
        fd[0] = peer_connect(address);
        peer_send(fd[0], ASK("/block"));
        peer_await(&entered);
        for (int i = 1; i < 3; i++) {
            fd[i] = peer_connect(address);
            peer_send(fd[i], ASK("/turn"));
            await_sent(fd[i]);
        }
        sem_post(&go);
        expect_read(fd[0], "block");
        expect_read(fd[1], "1");
        expect_read(fd[2], "2");
        peer_await(&turns_ended);
        expect(address, ASK("/now"), 200, "now");
        assert_int_equal(sem_trywait(&turns_ended), -1);
    }
    listener_close(listener);
}

static void test_suspended(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(2, &config, address);
    int *fd = calloc(MANY, sizeof *fd);
    static const unsigned count[] = {1, 128, 1000};
    for (size_t k = 0; k < sizeof count / sizeof count[0]; k++) {
        for (unsigned i = 0; i < count[k]; i++) {
            fd[i] = peer_connect(address);
            peer_send(fd[i], ASK("/keep"));
        }
        for (unsigned i = 0; i < count[k]; i++)
            peer_await(&entered);
        answer_kept();
        for (unsigned i = 0; i < count[k]; i++)
            expect_read(fd[i], "kept");
    }
    for (unsigned i = 0; i < 1000; i++) {
        fd[i] = peer_connect(address);
        peer_send(fd[i], ASK("/hand"));
    }
    for (unsigned i = 0; i < 1000; i++)
        expect_read(fd[i], "handed");
    free(fd);
    listener_close(listener);
}

static void test_gone_while_suspended(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(1, &config, address);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 20; i++) {
        int fd = peer_connect(address);
        peer_send(fd, ASK("/keep"));
        peer_await(&entered);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        answer_kept();
    }
    expect(address, ASK("/now"), 200, "now");
    assert_true(listener_drain(listener, PEER_PATIENCE_MS));
    listener_close(listener);
}

static void test_peer_stops_reading(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.idle_timeout_ms = 40;
    struct listener *listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    peer_send(fd, ASK("/big"));
    peer_await(&entered); /* given back: the server gave up on it */
    struct peer_answer answer = peer_read(fd);
    assert_true(answer.len < BIG);
    free(answer.text);
    listener_close(listener);
    assert_int_equal(released, 1);
}

/* Something moves all the time, but less than the least rate. */
static void test_peer_reads_slowly(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64], bytes[1000];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.idle_timeout_ms = 200;
    config.least_rate = 1 << 30;
    struct listener *listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    peer_send(fd, ASK("/big"));
    size_t taken = 0;
    while (sem_trywait(&entered) != 0) { /* not given back yet: the server has not given up on it */
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        taken += got > 0 ? (size_t)got : 0;
        assert_true(taken < BIG / 2);
        usleep(500); /* the pace at which it reads */
    }
    close(fd);
    listener_close(listener);
    assert_int_equal(released, 1);
}

static void test_big(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(1, &config, address);
    int fd = peer_connect(address);
    peer_send(fd, ASK("/big"));
    struct peer_answer answer = peer_read(fd);
    assert_false(answer.reset);
    assert_int_equal(answer.len - (size_t)(peer_body(answer.text) - answer.text), BIG);
    free(answer.text);
    peer_await(&entered);
    listener_close(listener);
    assert_int_equal(released, 1);
}

static void test_drain(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(2, &config, address);
    int silent = peer_connect(address), kept = peer_connect(address), blocked = peer_connect(address);
    peer_send(kept, ASK("/keep"));
    peer_send(blocked, ASK("/block-worker"));
    peer_await(&entered);
    peer_await(&entered);
    assert_false(listener_drain(listener, 1)); /* two are not answered */
    struct peer_answer answer = peer_read(silent);
    assert_int_equal(answer.len, 0); /* one that asked nothing does not hold it up */
    free(answer.text);
    answer_kept();
    expect_read(kept, "kept");
    sem_post(&go);
    expect_read(blocked, "block");
    assert_true(listener_drain(listener, PEER_PATIENCE_MS));
    struct listener *again; /* the address is free */
    struct error err;
    config.address = address;
    assert_true(listener_open(&config, &again, &err));
    expect(address, ASK("/now"), 200, "now");
    listener_close(again);
    listener_close(listener);
}

static void *answer_all(void *cls)
{
    (void)cls;
    answer_kept();
    return NULL;
}

static void test_close(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(2, &config, address);
    int silent = peer_connect(address), half = peer_connect(address), body = peer_connect(address),
        refused = peer_connect(address), kept = peer_connect(address);
    peer_send(half, "GET /no");
    peer_send(body, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
    peer_send(refused, "nonsense\r\n\r\n"); /* lingers, as its peer stays */
    peer_send(kept, ASK("/keep"));
    expect(address, ASK("/now"), 200, "now");
    peer_await(&entered);
    pthread_t thread; /* closing waits for what is suspended */
    pthread_create(&thread, NULL, answer_all, NULL);
    listener_close(listener);
    pthread_join(thread, NULL);
    assert_int_equal(waiting_count, 0);
    close(silent);
    close(half);
    close(body);
    close(refused);
    close(kept);
    listener_close(NULL);
}

static void test_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:0", "0.0.0.0:65535", "[::1]:8081", "[::]:80"};
    static const char *const bad[] = {
        "",        ":80",          "127.0.0.1",       "127.0.0.1:",     "127.0.0.1:65536",
        "::1:80",  "[::1]",        "[::1]80",         "[127.0.0.1]:80", "127.0.0.1:-1",
        "x:80",    "[::1]:",       "127.0.0.1:80:80", " 127.0.0.1:80",  "1.2.3:80",
        "[::1:80", "127.0.0.1:8 0"};
    struct sockaddr_storage parsed;
    struct error err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(listen_address_parse(good[i], &parsed, &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (listen_address_parse(bad[i], &parsed, &err))
            fail_msg("%s is taken", bad[i]);

    struct listener_config config;
    char address[64];
    struct listener *listener = open_with(2, &config, address), *second;
    config.address = address;
    assert_false(listener_open(&config, &second, &err)); /* its port is not shared with another server */
    assert_non_null(strstr(err.text, address));
    config.address = "nowhere";
    assert_false(listener_open(&config, &second, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    listener_close(listener);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_way),  TEST(test_bodies),
        TEST(test_continue),  TEST(test_ready_at_once),
        TEST(test_suspended), TEST(test_gone_while_suspended),
        TEST(test_big),       TEST(test_peer_stops_reading),
        TEST(test_drain),     TEST(test_close),
        TEST(test_addresses), TEST(test_peer_reads_slowly),
        TEST(test_turn),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
