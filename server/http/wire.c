/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include "base/cleanup.h"

/* As in RFC 9110; English in every locale. Written once a second. */
static const char *date_text(void)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static _Thread_local char text[30];
    static _Thread_local time_t second;
    time_t now = time(NULL);
    struct tm utc;
    if (now == second && text[0])
        return text;
    gmtime_r(&now, &utc);
    snprintf(text, sizeof text, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * utc.tm_wday,
             (unsigned)utc.tm_mday % 100, months + 3 * utc.tm_mon, (unsigned)(utc.tm_year + 1900) % 10000,
             (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
    second = now;
    return text;
}

/* The header about the connection; its value is written into `value`. Clients that know Keep-Alive do not ask just when
   the server closes. */
static const char *connection_header(const struct reply *reply, char value[32])
{
    if (!reply->keep_ms) {
        snprintf(value, 32, "close");
        return "Connection";
    }
    snprintf(value, 32, "timeout=%lld", (long long)(reply->keep_ms / 1000));
    return "Keep-Alive";
}

static void write_head(FILE *out, const struct reply *reply, bool has_end)
{
    unsigned status = (unsigned)reply->status;
    size_t known = MHD_get_reason_phrase_len_for(status);
    char connection[32];
    const char *name = connection_header(reply, connection);
    fprintf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n%s: %s\r\n", status,
            known ? MHD_get_reason_phrase_for(status) : "Non-Standard Status", date_text(), name, connection);
    if (reply->content_type)
        fprintf(out, "Content-Type: %s\r\n", reply->content_type);
    for (unsigned i = 0; i < reply->header_count; i++)
        fprintf(out, "%s: %s\r\n", reply->header[i].name, reply->header[i].value);
    if (has_end && status != MHD_HTTP_NO_CONTENT)
        fprintf(out, "Content-Length: %llu\r\n", (unsigned long long)reply->size);
    fputs("\r\n", out);
}

/* The caller frees it. */
static char *make_head(const struct reply *reply, bool has_end, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    if (!out)
        abort();
    write_head(out, reply, has_end);
    if (fclose(out) != 0)
        abort();
    return text;
}

char *wire_head(const struct reply *reply, size_t *ret_size)
{
    return make_head(reply, true, ret_size);
}

size_t wire_head_size(const struct reply *reply)
{
    size_t size;
    free(make_head(reply, true, &size));
    return size;
}

char *wire_endless_head(const struct reply *reply, size_t *ret_size)
{
    return make_head(reply, false, ret_size);
}

static struct MHD_Response *make_response(struct reply *reply)
{
    if (reply->fd >= 0 && !reply->fd_lent && reply->size) {
        struct MHD_Response *response =
            MHD_create_response_from_fd_at_offset64(reply->size, reply->fd, reply->file_offset);
        if (response)
            reply->fd = -1;
        return response;
    }
    if (reply->release && reply->size) {
        struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
            (size_t)reply->size, (void *)(uintptr_t)reply->bytes, reply->release, reply->release_cls);
        if (response)
            reply->release = NULL;
        return response;
    }
    return MHD_create_response_from_buffer((size_t)reply->size, (void *)(uintptr_t)reply->bytes,
                                           MHD_RESPMEM_PERSISTENT);
}

struct MHD_Response *wire_add_headers(struct MHD_Response *response, const struct reply *reply)
{
    char connection[32];
    const char *name = connection_header(reply, connection);
    bool whole = MHD_add_response_header(response, name, connection) == MHD_YES;
    if (reply->content_type)
        whole = MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES && whole;
    for (unsigned i = 0; i < reply->header_count; i++)
        whole = MHD_add_response_header(response, reply->header[i].name, reply->header[i].value) == MHD_YES &&
                whole;
    if (!whole) { /* an answer must have all its headers */
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

struct MHD_Response *wire_response(struct reply *reply)
{
    struct MHD_Response *response = make_response(reply);
    return response ? wire_add_headers(response, reply) : NULL;
}

bool wire_send(int fd, const struct reply *reply, bool head_only)
{
    size_t head_size;
    _cleanup_(cleanup_free) char *head = make_head(reply, true, &head_size);
    struct iovec part[2] = {{head, head_size}, {(void *)(uintptr_t)reply->bytes, (size_t)reply->size}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = head_only || reply->size == 0 ? 1 : 2};
    /* A few hundred bytes fit into an empty socket buffer, or the peer is gone. */
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 && (size_t)sent == head_size + (message.msg_iovlen == 2 ? part[1].iov_len : 0);
}

void wire_send_bare(int fd)
{
    static const char head[] = "HTTP/1.1 416 Range Not Satisfiable\r\nConnection: close\r\n\r\n";
    (void)!send(fd, head, sizeof head - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
