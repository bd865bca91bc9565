/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/server/http/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int peer_connect(const char *address)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    assert_true(slice_copy((struct slice){address, (size_t)(colon - address)}, host, sizeof host));
    assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PEER_PATIENCE_MS / 1000};
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void peer_send_bytes(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t sent = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the other side has had enough: what it says about it is read next */
        done += (size_t)sent;
    }
}

void peer_send(int fd, const char *text)
{
    peer_send_bytes(fd, text, strlen(text));
}

struct peer_answer peer_read(int fd)
{
    struct peer_answer answer = {0};
    size_t size = 4096;
    answer.text = malloc(size);
    for (;;) {
        assert_non_null(answer.text);
        ssize_t got = recv(fd, answer.text + answer.len, size - answer.len - 1, 0);
        if (got < 0 && errno == ECONNRESET)
            answer.reset = true;
        else if (got < 0)
            fail_msg("the server neither answers nor closes: %s", strerror(errno));
        if (got <= 0)
            break;
        answer.len += (size_t)got;
        if (size - answer.len < 2)
            answer.text = realloc(answer.text, size *= 2);
    }
    answer.text[answer.len] = '\0';
    close(fd);
    return answer;
}

char *peer_ask(const char *address, const char *text)
{
    int fd = peer_connect(address);
    peer_send(fd, text);
    struct peer_answer answer = peer_read(fd);
    assert_false(answer.reset);
    return answer.text;
}

int peer_status(const char *answer)
{
    int status = 0;
    assert_int_equal(sscanf(answer, "HTTP/1.1 %d ", &status), 1);
    return status;
}

bool peer_header(const char *answer, const char *line)
{
    char wanted[512];
    const char *end = strstr(answer, "\r\n\r\n");
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    const char *at = strstr(answer, wanted);
    return at && end && at < end;
}

const char *peer_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

void peer_render(void *context, const struct error *err, struct reply *reply)
{
    char text[600];
    (void)context;
    int len = snprintf(text, sizeof text, "{\"code\":%d,\"msg\":\"%s\"}", error_status(err->code), err->text);
    reply_text(reply, error_status(err->code), "application/json", text, (size_t)len);
}

void peer_await(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PEER_PATIENCE_MS / 1000;
    if (sem_timedwait(semaphore, &until) != 0)
        fail_msg("what is awaited never happens");
}

void peer_config(struct listener_config *ret, const struct route *routes, size_t count)
{
    *ret = (struct listener_config){
        .name = "test",
        .address = "127.0.0.1:0",
        .loops = 2,
        .max_connections = 4096,
        .max_head_bytes = 8192,
        .memory_per_connection = 16384,
        .head_timeout_ms = PEER_PATIENCE_MS,
        .body_timeout_ms = PEER_PATIENCE_MS,
        .idle_timeout_ms = PEER_PATIENCE_MS,
        .routes = routes,
        .route_count = count,
        .render_error = peer_render,
    };
}

struct listener *peer_listen(const struct listener_config *config, char address[64])
{
    struct listener *listener;
    struct error err;
    if (!listener_open(config, &listener, &err))
        fail_msg("%s", err.text);
    listener_address(listener, address);
    return listener;
}

void peer_answer_text(struct request *request, const char *text)
{
    struct reply reply;
    reply_text(&reply, 200, "text/plain", text, strlen(text));
    request_answer(request, &reply);
}
