/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/content.h"

#include <string.h>
#include <strings.h>
#include "server/admin/admin.h"

#define ETAG_SIZE (SHA256_HEX_SIZE + 2)

static void make_etag(const struct sha256 *hash, char out[ETAG_SIZE])
{
    out[0] = '"';
    sha256_hex(hash, out + 1);
    memcpy(out + strlen(out), "\"", 2);
}

static struct slice trim(struct slice text)
{
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* "*", or a list of tags; W/"…" counts as "…". */
static bool names_etag(struct slice list, const char *etag)
{
    struct slice one;
    if (slice_is(trim(list), "*"))
        return true;
    while (slice_split(&list, ',', &one)) {
        one = trim(one);
        if (slice_starts(one, "W/"))
            one = (struct slice){one.ptr + 2, one.len - 2};
        if (slice_is(one, etag))
            return true;
    }
    return false;
}

static bool is_known(const struct request *request, const char *etag)
{
    struct slice list;
    return request_header(request, "If-None-Match", &list) && names_etag(list, etag);
}

/* Ranges */

enum wish { WHOLE, PART, BEHIND_END };

/* "bytes=A-B", "bytes=A-" or "bytes=-COUNT", of `size` bytes. */
static enum wish read_range(struct slice value, uint64_t size, uint64_t *ret_first, uint64_t *ret_size)
{
    struct slice rest = value, unit, first;
    uint64_t from = 0, to = UINT64_MAX;
    if (!slice_split(&rest, '=', &unit) || !rest.ptr || unit.len != 5 ||
        strncasecmp(unit.ptr, "bytes", 5) != 0)
        return WHOLE;
    if (!slice_split(&rest, '-', &first) || !rest.ptr)
        return WHOLE;
    first = trim(first);
    rest = trim(rest);
    if ((first.len && !slice_u64(first, &from)) || (rest.len && !slice_u64(rest, &to)) ||
        (!first.len && !rest.len) || (first.len && to < from))
        return WHOLE;
    if (!first.len) { /* the last bytes */
        from = to < size ? size - to : 0;
        if (to == 0)
            return BEHIND_END;
        to = UINT64_MAX;
    }
    if (from >= size)
        return BEHIND_END;
    *ret_first = from;
    *ret_size = (to < size - 1 ? to : size - 1) - from + 1;
    return PART;
}

/* If-Range: with another content the whole is sent. A date never fits. */
static bool wants_range(const struct request *request, const char *etag, struct slice *ret_range)
{
    struct slice condition;
    return !request->head_only && request_header(request, "Range", ret_range) &&
           (!request_header(request, "If-Range", &condition) || slice_is(condition, etag));
}

static void refuse(struct admin_call *call, uint64_t size)
{
    struct error err;
    error_set(&err, ERROR_RANGE, "the content has %llu bytes, and the range begins behind them",
              (unsigned long long)size);
    reply_free(&call->reply);
    admin_render_problem(&call->reply, error_status(err.code), &err);
    reply_header(&call->reply, "Content-Range", "bytes */%llu", (unsigned long long)size);
}

void content_cut(struct admin_call *call, const struct sha256 *hash)
{
    struct reply *reply = &call->reply;
    char etag[ETAG_SIZE];
    struct slice range;
    uint64_t first = 0, count = 0, size = reply->size;
    make_etag(hash, etag);
    reply_header(reply, "ETag", "%s", etag);
    reply_header(reply, "Accept-Ranges", "bytes");
    if (is_known(call->request, etag))
        reply->status = 304; /* the body is not sent then, only its size */
    if (reply->status == 304 || !wants_range(call->request, etag, &range))
        return;
    enum wish wish = read_range(range, size, &first, &count);
    if (wish == BEHIND_END)
        refuse(call, size);
    if (wish != PART)
        return;
    reply->status = 206;
    reply->size = count;
    if (reply->fd >= 0)
        reply->file_offset += first;
    else
        reply->bytes = (const char *)reply->bytes + first;
    reply_header(reply, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
                 (unsigned long long)(first + count - 1), (unsigned long long)size);
}

/* Files */

/* Keeps only characters that have no special meaning for a shell, a browser or a file system. */
static void make_plain(const char *name, char *out, size_t out_size)
{
    size_t used = 0;
    for (; *name && used + 1 < out_size; name++) {
        char c = *name;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
                     c == '-' || (c == '.' && used > 0);
        out[used++] = plain ? c : '_';
    }
    out[used] = '\0';
}

bool content_answer_blob(struct admin_call *call, const struct sha256 *hash, const char *file_name,
                         struct error *err)
{
    char plain[256], encoded[3 * sizeof plain];
    int fd;
    uint64_t size;
    if (!blob_open_checked(call->daemon->blobs, hash, &fd, &size, err))
        return false;
    reply_init(&call->reply, 200);
    call->reply.content_type = "application/octet-stream";
    call->reply.fd = fd;
    call->reply.size = size;
    make_plain(file_name, plain, sizeof plain);
    if (strcmp(plain, file_name) == 0 || !slice_percent_encode(slice_of(file_name), encoded, sizeof encoded))
        reply_header(&call->reply, "Content-Disposition", "attachment; filename=\"%s\"", plain);
    else
        reply_header(&call->reply, "Content-Disposition", "attachment; filename=\"%s\"; filename*=UTF-8''%s",
                     plain, encoded);
    content_cut(call, hash);
    return true;
}
