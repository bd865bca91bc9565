/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/upload_stream.h"

#include <stdlib.h>
#include <strings.h>

#include "server/http/router.h"

#define CHECK_SPACE_EVERY (8 * 1024 * 1024) /* bytes; other requests write to the same disk meanwhile */

static bool too_large(const struct config *config, const char *what, struct error *err)
{
    return error_set(err, ERROR_TOO_LARGE, "%s may have at most %llu bytes (max_image_bytes)", what,
                     (unsigned long long)config->max_image_bytes);
}

static bool begins_with(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && strncasecmp(text.ptr, word, len) == 0;
}

/* A client that sends one of these types sends a form or text, and may change bytes: curl --data drops
   line ends. */
static bool is_for_bytes(struct slice type)
{
    static const char *const others[] = {"multipart/", "text/", "application/x-www-form-urlencoded",
                                         "application/json", "application/xml"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (begins_with(type, others[i]))
            return false;
    return true;
}

/* The body is stored as it arrives: a form around the file would be stored with it. */
bool upload_stream_check(const struct request *request, const char *what, struct error *err)
{
    struct slice value;
    if (!call_check_by(request, err) || !idempotency_check_none(request, err))
        return false;
    if (request_header(request, "Content-Type", &value) && !is_for_bytes(value))
        return error_set(
            err, ERROR_UNSUPPORTED_TYPE,
            "send only the bytes of %s, as application/octet-stream, not as %.*s (curl -X %s -T FILE, not "
            "--data or -F)",
            what, (int)(value.len < 80 ? value.len : 80), value.ptr, request->route->method);
    if (request_header(request, "Content-Encoding", &value) && !begins_with(value, "identity"))
        return error_set(err, ERROR_UNSUPPORTED_TYPE, "send %s as it is, without Content-Encoding", what);
    return true;
}

bool upload_stream_read_raw(const struct request *request, bool *ret_raw, struct error *err)
{
    char format[16];
    if (!request_query(request, "format", format, sizeof format, ret_raw, err))
        return false;
    return !*ret_raw || strcmp(format, "raw") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "format can only be raw: the file is then taken as it is");
}

static bool failed(const struct error *err)
{
    call_log_failure(err);
    return false;
}

bool upload_stream_look_up(struct request *request,
                           bool (*look_up)(const struct request *request, struct db *db, void *cls,
                                           struct error *err),
                           void *cls, struct error *err)
{
    struct daemon *daemon = request->context;
    struct db *db;
    if (!reader_pool_take(daemon->reader_pool, &db, err))
        return failed(err);
    bool ok = look_up(request, db, cls, err);
    reader_pool_give(daemon->reader_pool, db);
    return ok || failed(err);
}

bool upload_stream_begin(struct request *request, struct upload_stream *intake, const char *what,
                         struct error *err)
{
    struct daemon *daemon = request->context;
    uint64_t announced = request->body_length > 0 ? (uint64_t)request->body_length : 0;
    if (announced > daemon->config->max_image_bytes)
        return too_large(daemon->config, what, err);
    if (!digest_read(request, &intake->digest, err))
        return false;
    if (!blobs_check_space(daemon->blobs, announced, err) || !blob_begin(daemon->blobs, &intake->blob, err))
        return failed(err);
    intake->hash = intake->digest.given ? sha256_begin() : NULL;
    intake->what = what;
    intake->check_space_at = CHECK_SPACE_EVERY;
    request->stream_state = intake;
    return true;
}

static void drop(struct upload_stream *intake)
{
    if (intake) {
        blob_drop(intake->blob);
        sha256_free(intake->hash);
    }
    free(intake);
}

static bool add_bytes(struct daemon *daemon, struct upload_stream *intake, const void *bytes, size_t len,
                      struct error *err)
{
    uint64_t written = blob_written(intake->blob), most = daemon->config->max_image_bytes;
    if (written > most || len > most - written)
        return too_large(daemon->config, intake->what, err);
    if (written >= intake->check_space_at) {
        intake->check_space_at = written + CHECK_SPACE_EVERY;
        if (!blobs_check_space(daemon->blobs, len, err))
            return false;
    }
    if (intake->hash)
        sha256_add(intake->hash, bytes, len);
    return blob_add(intake->blob, bytes, len, err);
}

bool upload_stream_data(struct request *request, const void *bytes, size_t len, struct error *err)
{
    struct upload_stream *intake = request->stream_state;
    if (add_bytes(request->context, intake, bytes, len, err))
        return true;
    drop(intake);
    request->stream_state = NULL;
    return failed(err);
}

void upload_stream_end(struct request *request)
{
    drop(request->stream_state);
    request->stream_state = NULL;
}

bool upload_stream_check_whole(struct upload_stream *intake, struct error *err)
{
    struct sha256 hash;
    if (blob_written(intake->blob) == 0)
        return error_set(err, ERROR_INVALID, "the body is empty: send the bytes of %s", intake->what);
    if (!intake->hash)
        return true;
    sha256_end(intake->hash, &hash);
    intake->hash = NULL;
    return digest_check(&intake->digest, &hash, err);
}

struct blob_writer *upload_stream_take(struct upload_stream *intake)
{
    struct blob_writer *blob = intake->blob;
    intake->blob = NULL;
    return blob;
}
