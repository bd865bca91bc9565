/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a peer has acknowledged: exactly, also past resets and stalls, also when asked at once. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "server/http/transfer.h"
#include "tests/unit/server/http/peer.h"

#define NEVER_MS 600000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct transfer_event last; /* told as over */
static unsigned overs;
static sem_t over;
static struct transfers *transfers;

static void notify(void *cls, const struct transfer_event *event)
{
    (void)cls;
    pthread_mutex_lock(&lock);
    assert_true(event->acked_end >= event->first && event->acked_end <= event->end);
    if (event->over) {
        last = *event;
        overs++;
        sem_post(&over);
    }
    pthread_mutex_unlock(&lock);
}

static void begin(const struct transfers_config *config)
{
    struct error err;
    assert_true(transfers_start(config, &transfers, &err));
}

static void begin_with(int64_t stall_ms)
{
    begin(&(struct transfers_config){.stall_ms = stall_ms, .notify = notify});
}

/* All transfers together send max_rate bytes per second. */
static void begin_paced(uint64_t max_rate)
{
    transfers_stop(transfers);
    begin(&(struct transfers_config){
        .stall_ms = NEVER_MS, .max_rate = max_rate, .share_rate = 16384, .notify = notify});
}

/* The next transfer that is over. */
static struct transfer_event await_over(void)
{
    peer_await(&over);
    pthread_mutex_lock(&lock);
    struct transfer_event event = last;
    pthread_mutex_unlock(&lock);
    return event;
}

static int set_up(void **state)
{
    (void)state;
    sem_init(&over, 0, 0);
    overs = 0;
    begin_with(NEVER_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    transfers_stop(transfers);
    return 0;
}

/* Two ends of a TCP connection. */
static void connect_pair(int *ret_server, int *ret_client)
{
    char address[64];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof any;
    int door = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(door, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(door, 1), 0);
    assert_int_equal(getsockname(door, (struct sockaddr *)&any, &len), 0);
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(any.sin_port));
    *ret_client = peer_connect(address);
    *ret_server = accept(door, NULL, NULL);
    assert_true(*ret_server >= 0);
    close(door);
}

static void take(int fd, size_t len)
{
    static char into[65536];
    while (len) {
        ssize_t got = recv(fd, into, len < sizeof into ? len : sizeof into, 0);
        assert_true(got > 0);
        len -= (size_t)got;
    }
}

static void keep_event(void *cls, const struct transfer_event *event)
{
    *(struct transfer_event *)cls = *event;
}

/* Asks until the kernel has that much acknowledged: the acknowledgement is on its way. */
static void await_acked(int64_t attempt, uint64_t acked_end)
{
    struct transfer_event event = {0};
    for (int i = 0; i < PEER_PATIENCE_MS && event.acked_end != acked_end; i++) {
        transfers_poll(transfers, attempt, keep_event, &event);
        assert_true(event.acked_end <= acked_end);
        poll(NULL, 0, 1);
    }
    assert_true(event.acked_end == acked_end);
}

static const char bytes[400000];

/* The test keeps `socket`, as libmicrohttpd does. */
static struct transfer *follow(int socket, uint64_t head_bytes, int64_t attempt, int64_t fetch,
                               uint64_t first, uint64_t end)
{
    struct transfer *transfer =
        transfer_begin(transfers, dup(socket), true, head_bytes, attempt, fetch, first, end);
    assert_non_null(transfer);
    return transfer;
}

static void test_exact_count(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    peer_send(server, "HTTP/1.1 100 Continue\r\n\r\n"); /* acknowledged before: not counted */
    take(client, 25);
    struct transfer *warm = follow(server, 0, 1, 1, 0, 1000); /* only to await that */
    transfer_written(warm, true);
    peer_send_bytes(server, bytes, 500);
    take(client, 500);
    for (uint64_t most_of = 0; most_of < 500;) { /* whichever of the 25 came in before it began */
        struct transfer_event event = {0};
        transfers_poll(transfers, 1, keep_event, &event);
        most_of = event.acked_end;
    }
    struct transfer *transfer = follow(server, 100, 7, 1, 5000, 9000);
    struct transfer_event event = {0};
    transfers_poll(transfers, 7, keep_event, &event);
    assert_int_equal(event.attempt, 7);
    assert_int_equal(event.fetch, 1);
    assert_true(event.first == 5000 && event.acked_end == 5000 && event.end == 9000 && !event.over);
    peer_send_bytes(server, bytes, 100); /* the head */
    peer_send_bytes(server, bytes, 1);
    await_acked(7, 5001);
    peer_send_bytes(server, bytes, 2998);
    await_acked(7, 7999);
    peer_send_bytes(server, bytes, 1001);
    await_acked(7, 9000);
    transfers_poll(transfers, 7, keep_event, &event);
    assert_true(event.over);
    transfer_written(transfer, true);
    close(server);
    struct peer_answer answer = peer_read(client);
    free(answer.text);
    do
        event = await_over();
    while (event.attempt != 7);
    assert_true(event.acked_end == 9000); /* the FIN does not count */
}

/* On a kept connection, earlier answers may still wait in the socket when a package begins. */
static void test_earlier_answers_do_not_count(void **state)
{
    (void)state;
    int server, client, queued = 0;
    size_t earlier = 0;
    connect_pair(&server, &client);
    for (ssize_t sent; (sent = send(server, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
        earlier += (size_t)sent;
    assert_int_equal(ioctl(server, SIOCOUTQ, &queued), 0);
    assert_true(queued > 0); /* the peer does not read */
    struct transfer *transfer = follow(server, 0, 1, 1, 0, 1000);
    take(client, earlier);
    while (queued > 0) {
        assert_int_equal(ioctl(server, SIOCOUTQ, &queued), 0);
        poll(NULL, 0, 1);
    }
    struct transfer_event event = {.acked_end = 1};
    transfers_poll(transfers, 1, keep_event, &event);
    assert_int_equal(event.acked_end, 0);
    peer_send_bytes(server, bytes, 1000);
    take(client, 1000);
    await_acked(1, 1000);
    transfer_written(transfer, true);
    close(server);
    close(client);
    assert_int_equal(await_over().acked_end, 1000);
}

static void test_outlives_close(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    struct transfer *transfer = follow(server, 0, 8, 1, 0, sizeof bytes);
    fcntl(server, F_SETFL, O_NONBLOCK);
    ssize_t sent = send(server, bytes, sizeof bytes, MSG_NOSIGNAL);
    assert_true(sent > 0);
    shutdown(server, SHUT_WR);
    close(server);
    transfer_written(transfer, (size_t)sent == sizeof bytes);
    struct peer_answer answer = peer_read(client); /* the FIN comes although the transfer holds the socket */
    assert_int_equal(answer.len, sent);
    free(answer.text);
    struct transfer_event event = await_over();
    assert_int_equal(event.attempt, 8);
    assert_int_equal(event.acked_end, sent);
}

static void test_cut_short(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    struct transfer *transfer = follow(server, 10, 9, 1, 100, 1100);
    peer_send_bytes(server, bytes, 10 + 300);
    transfer_written(transfer, false); /* the writer gave up: what it had written may still arrive */
    shutdown(server, SHUT_WR);
    close(server);
    take(client, 310);
    assert_true(await_over().acked_end == 400);
    close(client);
}

static void test_reset_by_peer(void **state)
{
    (void)state;
    int server, client, small = 4096;
    connect_pair(&server, &client);
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct transfer *transfer = follow(server, 0, 10, 1, 0, 100000000);
    fcntl(server, F_SETFL, O_NONBLOCK);
    assert_true(send(server, bytes, sizeof bytes, MSG_NOSIGNAL) > 0);
    take(client, 2000);
    close(client); /* with bytes unread: a reset */
    struct transfer_event event = await_over();
    assert_true(event.acked_end >= 2000 && event.acked_end < 100000000);
    transfer_written(transfer, false);
    close(server);
}

/* The peer has read all that was sent so far, and resets: nothing of that is taken for a FIN. */
static void test_reset_by_peer_that_read_all(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    struct transfer *transfer = follow(server, 10, 12, 1, 100, 1100);
    peer_send_bytes(server, bytes, 10 + 300);
    take(client, 310);
    await_acked(12, 400);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    char byte;
    assert_int_equal(recv(server, &byte, 1, 0), -1);
    struct transfer_event event = {.acked_end = 400};
    transfer_cut(transfer);
    transfers_poll(transfers, 12, keep_event, &event); /* it may be over already */
    assert_int_equal(event.acked_end, 400);
    assert_int_equal(await_over().acked_end, 400);
    close(server);
}

static void test_stall(void **state)
{
    (void)state;
    int server, client;
    transfers_stop(transfers);
    begin_with(1);
    connect_pair(&server, &client);
    struct transfer *transfer = follow(server, 0, 11, 1, 0, 1000);
    peer_send_bytes(server, bytes, 999);
    assert_true(await_over().acked_end < 1000);
    char byte;
    assert_true(recv(server, &byte, 1, 0) <= 0); /* whoever else holds the socket notices */
    transfer_written(transfer, false);
    close(server);
    struct peer_answer answer = peer_read(client);
    assert_true(answer.len <= 999);
    free(answer.text);
}

static unsigned running(int64_t but)
{
    return transfers_load(transfers, but).running;
}

/* A transfer counts from its promise to its end. A device counts once, however often it began. */
static void test_load(void **state)
{
    (void)state;
    int server[2], client[2];
    connect_pair(&server[0], &client[0]);
    connect_pair(&server[1], &client[1]);
    transfer_promise(transfers, 40);
    assert_int_equal(running(0), 1);
    transfer_recall(transfers);
    assert_int_equal(running(0), 0);
    transfer_promise(transfers, 40);
    transfer_missed(transfers, 40, 1, 0, 10);
    assert_int_equal(await_over().sent, 0);
    assert_int_equal(running(0), 0);
    transfer_promise(transfers, 40);
    struct transfer *first = follow(server[0], 0, 40, 1, 0, 1000);
    assert_int_equal(running(0), 1);
    assert_int_equal(running(40), 0);
    assert_int_equal(running(41), 1);
    transfer_promise(transfers, 40);
    struct transfer *second = follow(server[1], 0, 40, 2, 0, 1000);
    assert_int_equal(running(0), 1);
    transfer_written(first, false);
    await_over();
    assert_int_equal(running(0), 1);
    peer_send_bytes(server[1], bytes, 1000);
    struct transfer_event event = await_over();
    assert_int_equal(event.acked_end, 1000);
    assert_true(event.sent >= 1000);
    transfer_written(second, true);
    while (running(0))
        sched_yield();
    for (int i = 0; i < 2; i++) {
        close(server[i]);
        close(client[i]);
    }
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void await_trailing(unsigned count)
{
    for (int i = 0; i < PEER_PATIENCE_MS && transfers_trailing(transfers) != count; i++)
        poll(NULL, 0, 1);
    assert_int_equal(transfers_trailing(transfers), count);
}

/* The socket of a written answer stays open, and counts, until the peer has acknowledged everything. */
static void test_trailing(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    struct transfer *transfer = transfer_begin(transfers, server, false, 0, 50, 1, 0, 1000);
    peer_send_bytes(server, bytes, 999);
    await_acked(50, 999);
    assert_int_equal(transfers_trailing(transfers), 0);
    peer_send_bytes(server, bytes, 1);
    await_over();
    assert_true(is_open(server)); /* its writer may still use it */
    transfer_written(transfer, true);
    char byte;
    take(client, 1000);
    assert_int_equal(recv(client, &byte, 1, 0), 0); /* the transfer has closed its socket */
    await_trailing(0);
    close(client);

    int small = 2048;
    connect_pair(&server, &client);
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    transfer = transfer_begin(transfers, server, false, 0, 51, 1, 0, 100000);
    peer_send_bytes(server, bytes, 100000);
    shutdown(server, SHUT_WR);
    assert_int_equal(transfers_trailing(transfers), 0);
    transfer_written(transfer, true);
    await_trailing(1);
    assert_true(is_open(server));
    take(client, 100000);
    assert_int_equal(await_over().acked_end, 100000);
    await_trailing(0);
    close(client);
}

/* A copy counts from the beginning. */
static void test_a_copy_trails(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    struct transfer *transfer = follow(server, 0, 52, 1, 0, 10);
    assert_int_equal(transfers_trailing(transfers), 1);
    peer_send_bytes(server, bytes, 10);
    transfer_written(transfer, true);
    await_trailing(0);
    close(server);
    close(client);
}

/* A module that has lost its link asks again: its earlier socket does not take a place. */
static void test_given_up(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    transfer_written(follow(server, 0, 53, 1, 0, 10), true);
    await_trailing(1);
    transfer_promise(transfers, 54);
    transfer_promise(transfers, 53);
    await_trailing(0);
    close(server);
    close(client);
}

/* A socket that cannot be watched stays the caller's. */
static void test_no_socket(void **state)
{
    (void)state;
    int pipe_end[2];
    assert_int_equal(pipe(pipe_end), 0);
    transfer_promise(transfers, 60);
    assert_null(transfer_begin(transfers, pipe_end[0], false, 0, 60, 1, 0, 10));
    assert_int_equal(transfers_load(transfers, 0).running, 0);
    assert_true(is_open(pipe_end[0]));
    close(pipe_end[0]);
    close(pipe_end[1]);
}

static void test_stop_tells(void **state)
{
    (void)state;
    int server[3], client[3];
    for (int i = 0; i < 3; i++) {
        connect_pair(&server[i], &client[i]);
        transfer_written(follow(server[i], 0, 20 + i, 1, 0, 10), true);
    }
    transfers_drain(transfers, 1); /* does not wait for what does not come */
    assert_int_equal(sem_trywait(&over), -1);
    transfers_stop(transfers);
    transfers = NULL;
    assert_int_equal(overs, 3);
    for (int i = 0; i < 3; i++) {
        close(server[i]);
        close(client[i]);
    }
}

static void test_drain_waits(void **state)
{
    (void)state;
    int server, client;
    connect_pair(&server, &client);
    transfer_written(follow(server, 0, 30, 1, 0, 10), true);
    peer_send_bytes(server, bytes, 10);
    transfers_drain(transfers, PEER_PATIENCE_MS);
    assert_int_equal(overs, 1);
    struct transfer_event event = {.attempt = -1};
    transfers_poll(transfers, 30, keep_event, &event); /* over and told: nothing to ask */
    assert_int_equal(event.attempt, -1);
    close(server);
    close(client);
}

/* Through a listener: head and body as libmicrohttpd writes them. */

static void package(struct request *request)
{
    struct reply reply;
    reply_init(&reply, 206);
    reply_header(&reply, "Content-Range", "bytes 7-400006/400007");
    reply.bytes = bytes;
    reply.size = sizeof bytes;
    reply.attempt = 40;
    reply.fetch = 3;
    reply.first = 7;
    request_answer(request, &reply);
}

static void endless(struct request *request)
{
    static char zeros[64 << 20];
    struct reply reply;
    reply_init(&reply, 200);
    reply.bytes = zeros;
    reply.size = sizeof zeros;
    reply.attempt = 41;
    request_answer(request, &reply);
}

static sem_t entered;
static struct request *waiting;

static void keep(struct request *request)
{
    waiting = request;
    sem_post(&entered);
}

static const struct route routes[] = {
    {"GET", "/keep", 0, 0, NULL, keep},
    {"GET", "/", 0, 0, NULL, package},
    {"GET", "/endless", 0, 0, NULL, endless},
};

static void test_through_a_listener(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.transfers = transfers;
    struct listener *listener = peer_listen(&config, address);
    for (int i = 0; i < 20; i++) {
        char *answer = peer_ask(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(peer_status(answer), 206);
        free(answer);
        struct transfer_event event = await_over();
        assert_true(event.first == 7 && event.acked_end == 7 + sizeof bytes && event.end == 7 + sizeof bytes);
    }
    char *answer = peer_ask(address, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    free(answer);
    assert_true(listener_drain(listener, PEER_PATIENCE_MS));
    listener_close(listener);
    transfers_drain(transfers, PEER_PATIENCE_MS);
    assert_int_equal(overs, 20); /* HEAD carries no firmware */
}

/* Gone before its answer: told as over all the same, or the attempt would be "sending" for ever. */
static void test_gone_before_the_answer(void **state)
{
    (void)state;
    struct listener_config config;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    char address[64];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.transfers = transfers;
    sem_init(&entered, 0, 0);
    struct listener *listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    peer_send(fd, "GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_await(&entered);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    package(waiting);
    struct transfer_event event = await_over();
    assert_true(event.attempt == 40 && event.fetch == 3 && event.first == 7 && event.acked_end == 7);
    listener_close(listener);
    assert_int_equal(overs, 1);
}

static unsigned char counted[150000];

static void count_up(struct request *request)
{
    struct reply reply;
    reply_init(&reply, 200);
    reply.bytes = counted;
    reply.size = sizeof counted;
    reply.attempt = 42;
    request_answer(request, &reply);
}

/* Each peer gets all bytes, in order, and no earlier than the rate allows: 600,000 bytes at 1 MB/s. */
static void test_paced(void **state)
{
    (void)state;
    static const struct route paced[] = {{"GET", "/", 0, 0, NULL, count_up}};
    struct listener_config config;
    char address[64];
    int fd[4];
    for (size_t i = 0; i < sizeof counted; i++)
        counted[i] = (unsigned char)(i * 2654435761u >> 24);
    begin_paced(1000000);
    peer_config(&config, paced, 1);
    config.transfers = transfers;
    struct listener *listener = peer_listen(&config, address);
    int64_t began_ms = clock_boot_ms();
    for (int i = 0; i < 4; i++) {
        fd[i] = peer_connect(address);
        peer_send(fd[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (int i = 0; i < 4; i++) {
        struct peer_answer answer = peer_read(fd[i]);
        const char *body = peer_body(answer.text);
        assert_int_equal(answer.len - (size_t)(body - answer.text), sizeof counted);
        assert_memory_equal(body, counted, sizeof counted);
        assert_non_null(strstr(answer.text, "Content-Length: 150000\r\n"));
        assert_null(strstr(answer.text, "chunked"));
        free(answer.text);
    }
    assert_true(clock_boot_ms() - began_ms >= 400);
    for (int i = 0; i < 4; i++)
        assert_int_equal(await_over().acked_end, sizeof counted);
    assert_true(listener_drain(listener, PEER_PATIENCE_MS));
    listener_close(listener);
}

/* The head does not wait for the first piece, and comes in one segment with or without it. */
static void test_paced_head(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64], some[4096];
    begin_paced(16384);
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.transfers = transfers;
    struct listener *listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    peer_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ssize_t got = recv(fd, some, sizeof some - 1, 0);
    assert_true(got > 0);
    some[got] = '\0';
    assert_non_null(strstr(some, "\r\n\r\n"));
    assert_true(got < 3000);
    listener_close(listener); /* while the connection is suspended */
    struct peer_answer answer = peer_read(fd);
    free(answer.text);
    await_over();
}

static void *stop_listener(void *cls)
{
    listener_close(cls);
    return NULL;
}

static void test_listener_closed_meanwhile(void **state)
{
    (void)state;
    struct listener_config config;
    char address[64], some[10];
    peer_config(&config, routes, sizeof routes / sizeof routes[0]);
    config.transfers = transfers;
    struct listener *listener = peer_listen(&config, address);
    int fd = peer_connect(address);
    peer_send(fd, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(recv(fd, some, sizeof some, MSG_WAITALL), sizeof some);
    pthread_t thread;
    pthread_create(&thread, NULL, stop_listener, listener);
    pthread_join(thread, NULL);
    struct peer_answer answer = peer_read(fd); /* what had been written comes, and then the end */
    size_t body = answer.len - (size_t)(peer_body(answer.text) - answer.text);
    free(answer.text);
    struct transfer_event event = await_over();
    assert_true(event.acked_end == body && body < event.end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_exact_count),
        TEST(test_earlier_answers_do_not_count),
        TEST(test_outlives_close),
        TEST(test_cut_short),
        TEST(test_reset_by_peer),
        TEST(test_reset_by_peer_that_read_all),
        TEST(test_stall),
        TEST(test_stop_tells),
        TEST(test_drain_waits),
        TEST(test_load),
        TEST(test_trailing),
        TEST(test_a_copy_trails),
        TEST(test_given_up),
        TEST(test_no_socket),
        TEST(test_paced),
        TEST(test_paced_head),
        TEST(test_through_a_listener),
        TEST(test_gone_before_the_answer),
        TEST(test_listener_closed_meanwhile),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
