/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "sim/head.h"

#define IDLE_S            60 /* without a byte for this time, the module gives up */
#define CLOSE_S           5  /* for the server to close after the answer; newer clients hang if it does not */
#define READ_BYTES        16384
#define REFUSAL_MAX_BYTES 65536
#define CUT_BUFFER_BYTES  2048

static enum fetch_result end(struct fetch_answer *answer, enum fetch_result result, const char *why)
{
    snprintf(answer->why, sizeof answer->why, "%s", why);
    return result;
}

static enum fetch_result end_errno(struct fetch_answer *answer, enum fetch_result result, const char *silence)
{
    char text[128];
    bool silent = errno == EAGAIN || errno == EINPROGRESS;
    return end(answer, result, silent ? silence : strerror_r(errno, text, sizeof text));
}

static void set_timeout_ms(int fd, int64_t ms)
{
    const struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

/* How long to wait for the next bytes, given when the exchange began. False: the time is over. */
static bool set_wait(int fd, const struct fetch_order *order, int64_t begin_ms)
{
    int64_t left_ms = order->timeout_ms ? begin_ms + order->timeout_ms - clock_boot_ms() : IDLE_S * 1000;
    set_timeout_ms(fd, left_ms > 0 ? left_ms : 1);
    return left_ms > 0;
}

/* The kernel acknowledges bytes in its buffer, even if the module never reads them. With a small buffer the
   server does not count a package as delivered when the module loses the connection near the beginning. */
static void keep_buffer_small(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){CUT_BUFFER_BYTES}, sizeof(int));
}

/* With a linger time of zero close() sends a reset, as a module does that has lost its network. */
static void break_off(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
}

static bool keep(const struct fetch_order *order, struct fetch_answer *answer, struct bytes bytes)
{
    struct error err;
    uint64_t max_bytes = answer->status < 300 ? order->keep_max_bytes : REFUSAL_MAX_BYTES;
    if (answer->total <= max_bytes && !buffer_add(&answer->body, bytes.ptr, bytes.len, &err))
        return false;
    answer->received_bytes += bytes.len;
    return true;
}

/* Reads the rest of the body; `bytes` arrived together with the head. */
static enum fetch_result read_body(int fd, const struct fetch_order *order, int64_t begin_ms,
                                   struct bytes bytes, struct fetch_answer *answer)
{
    uint8_t space[READ_BYTES];
    for (;;) {
        uint64_t left = answer->length_bytes - answer->received_bytes;
        if (bytes.len > left)
            return end(answer, FETCH_BROKEN, "more bytes than Content-Length says");
        if (bytes.len && !keep(order, answer, bytes))
            return end(answer, FETCH_LOST, "out of memory");
        left -= bytes.len;
        if (left == 0)
            return FETCH_DONE;
        if (answer->received_bytes >= order->cut_bytes)
            return FETCH_CUT;
        uint64_t wanted = order->cut_bytes - answer->received_bytes;
        if (!set_wait(fd, order, begin_ms))
            return end(answer, FETCH_LOST, "the time is over in the middle of the body");
        ssize_t got = recv(fd, space, wanted < sizeof space ? (size_t)wanted : sizeof space, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return end_errno(answer, FETCH_LOST, "no more bytes in the middle of the body");
        if (got == 0)
            return end(answer, FETCH_LOST, "connection closed in the middle of the body");
        bytes = (struct bytes){space, (size_t)got};
    }
}

static enum fetch_result expect_close(int fd, struct fetch_answer *answer)
{
    char byte;
    set_timeout_ms(fd, CLOSE_S * 1000);
    ssize_t got = recv(fd, &byte, 1, 0);
    if (got > 0)
        return end(answer, FETCH_BROKEN, "more bytes than Content-Length says");
    if (got < 0 && errno == EAGAIN)
        return end(answer, FETCH_BROKEN, "the connection stays open after the answer");
    return FETCH_DONE;
}

static enum fetch_result read_answer(int fd, const struct fetch_order *order, int64_t begin_ms,
                                     struct fetch_answer *answer)
{
    uint8_t space[READ_BYTES];
    ssize_t got = recv(fd, space, sizeof space, 0);
    if (got < 0)
        return end_errno(answer, FETCH_NOTHING, "no answer");
    if (got == 0)
        return end(answer, FETCH_NOTHING, "connection closed without an answer");
    const uint8_t *blank = memmem(space, (size_t)got, "\r\n\r\n", 4);
    if (!blank)
        return end(answer, FETCH_BROKEN, "the head came in more than one segment, or has no end");
    size_t head_len = (size_t)(blank - space) + 4;
    const char *why;
    if (!head_parse((struct slice){(const char *)space, head_len}, order->resumes, answer, &why))
        return end(answer, FETCH_BROKEN, why);

    struct bytes bytes = {space + head_len, (size_t)got - head_len};
    struct fetch_order cut = *order;
    if (order->cut_percent && answer->status < 300)
        cut.cut_bytes = answer->length_bytes * order->cut_percent / 100 + 1;
    if (cut.cut_bytes < bytes.len && cut.cut_bytes < answer->length_bytes)
        bytes.len = (size_t)cut.cut_bytes;
    enum fetch_result result = read_body(fd, &cut, begin_ms, bytes, answer);
    return result == FETCH_DONE ? expect_close(fd, answer) : result;
}

enum fetch_result fetch_run(const struct fetch_order *order, struct fetch_answer *ret)
{
    *ret = (struct fetch_answer){0};
    const struct url *url = order->url;
    _cleanup_(cleanup_close) int fd = socket(url->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return end_errno(ret, FETCH_NOTHING, "no socket");
    int64_t begin_ms = clock_boot_ms();
    set_wait(fd, order, begin_ms);
    if (order->cut_bytes != UINT64_MAX || order->cut_percent)
        keep_buffer_small(fd);
    if (connect(fd, (const struct sockaddr *)&url->address, url->address_len) < 0)
        return end_errno(ret, FETCH_NOTHING, "no connection");
    ret->connected = true;
    ssize_t sent = send(fd, order->request.ptr, order->request.len, MSG_NOSIGNAL);
    if (sent < 0)
        return end_errno(ret, FETCH_NOTHING, "cannot send the request");
    if ((size_t)sent < order->request.len)
        return end(ret, FETCH_NOTHING, "cannot send the request in one piece");
    enum fetch_result result = read_answer(fd, order, begin_ms, ret);
    if (result != FETCH_DONE)
        break_off(fd);
    return result;
}
