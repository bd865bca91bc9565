#include "server/admin/intake.h"

#include <stdlib.h>
#include <strings.h>

#include "server/http/router.h"
#include "server/log.h"

#define CHECK_SPACE_EVERY (8 * 1024 * 1024) /* bytes; others write to the same disk meanwhile */

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

/* The body is kept as it comes: an envelope around it would be kept with it. (curl's --data-binary says
   application/x-www-form-urlencoded and sends the bytes as they are.) */
bool intake_check(const struct request *request, const char *what, struct error *err)
{
    struct slice value;
    if (!call_check_by(request, err))
        return false;
    if (request_header(request, "Content-Type", &value) && begins_with(value, "multipart/"))
        return error_set(err, ERROR_UNSUPPORTED_TYPE,
                         "send the bytes of %s alone, not in a form (curl -X %s --data-binary @FILE, not -F)", what,
                         request->route->method);
    if (request_header(request, "Content-Encoding", &value) && !begins_with(value, "identity"))
        return error_set(err, ERROR_UNSUPPORTED_TYPE, "send %s as it is, without Content-Encoding", what);
    return true;
}

static bool failed(const struct error *err)
{
    call_log_failure(err);
    return false;
}

bool intake_look_up(struct request *request,
                    bool (*look_up)(const struct request *request, struct db *db, void *cls,
                                    struct error *err),
                    void *cls, struct error *err)
{
    struct daemon *daemon = request->context;
    struct db *db;
    if (!readers_take(daemon->readers, &db, err))
        return failed(err);
    bool ok = look_up(request, db, cls, err);
    readers_give(daemon->readers, db);
    return ok || failed(err);
}

bool intake_begin(struct request *request, struct intake *intake, const char *what, struct error *err)
{
    struct daemon *daemon = request->context;
    uint64_t announced = request->body_length > 0 ? (uint64_t)request->body_length : 0;
    if (announced > daemon->config.max_image_bytes)
        return too_large(&daemon->config, what, err);
    if (!blobs_check_space(daemon->blobs, announced, err) || !blob_begin(daemon->blobs, &intake->blob, err))
        return failed(err);
    intake->what = what;
    intake->check_space_at = CHECK_SPACE_EVERY;
    request->stream_state = intake;
    return true;
}

static void drop(struct intake *intake)
{
    if (intake)
        blob_drop(intake->blob);
    free(intake);
}

static bool add_bytes(struct daemon *daemon, struct intake *intake, const void *bytes, size_t len,
                      struct error *err)
{
    uint64_t written = blob_written(intake->blob);
    if (len > daemon->config.max_image_bytes - written)
        return too_large(&daemon->config, intake->what, err);
    if (written >= intake->check_space_at) {
        intake->check_space_at = written + CHECK_SPACE_EVERY;
        if (!blobs_check_space(daemon->blobs, len, err))
            return false;
    }
    return blob_add(intake->blob, bytes, len, err);
}

bool intake_data(struct request *request, const void *bytes, size_t len, struct error *err)
{
    struct intake *intake = request->stream_state;
    if (add_bytes(request->context, intake, bytes, len, err))
        return true;
    drop(intake);
    request->stream_state = NULL;
    return failed(err);
}

void intake_end(struct request *request)
{
    drop(request->stream_state);
    request->stream_state = NULL;
}

struct blob_writer *intake_take(struct intake *intake)
{
    struct blob_writer *blob = intake->blob;
    intake->blob = NULL;
    return blob;
}
