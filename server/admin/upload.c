/* An image on its way in: written to disk as it comes, hashed on the way, its names looked up before the
   first byte. Until the image is in the database its bytes are nobody's: whatever ends the request early
   takes them away. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "server/admin/names.h"
#include "server/content.h"
#include "server/log.h"
#include "server/matrix.h"
#include "server/note.h"
#include "server/stop_point.h"

#define CHECK_SPACE_EVERY (8 * 1024 * 1024) /* bytes; others write to the same disk meanwhile */

struct upload { /* the loop's thread until the body is whole, then the worker's, then the loop's for end() */
    struct blob_writer *blob; /* NULL once it is kept */
    struct product product;
    char firmware[FIRMWARE_NAME_SIZE], version[VERSION_TEXT_SIZE];
    char file_name[FILE_NAME_SIZE]; /* "": not named */
    uint64_t check_space_at;        /* once this much is written */
};

/* A blob that a failed upload takes away again must not be the one that another upload has just kept and not
   committed: from the file's final name to the commit, or to the removal, there is one upload at a time. */
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

/* Names */

static bool read_path(const struct request *request, struct upload *upload, struct error *err)
{
    struct version version;
    if (!names_firmware_text(request, upload->firmware, err) ||
        !names_version(request, 2, upload->firmware, &version, err))
        return false;
    version_format(&version, upload->version);
    return true;
}

/* A browser or a script may send the whole path; only the name of the file speaks of the firmware. */
static void drop_folders(char *path)
{
    char *name = path;
    for (char *at = path; *at; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    memmove(path, name, strlen(name) + 1);
}

static bool read_file_name(const struct request *request, struct upload *upload, struct error *err)
{
    struct full_name name;
    bool found;
    if (!request_query(request, "filename", upload->file_name, sizeof upload->file_name, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_BAD_REQUEST,
                         "name the file: ?filename=AirM2M_780E_V1138_LTE_AT.dfota.bin");
    drop_folders(upload->file_name);
    if (!name_parse_full(slice_of(upload->file_name), &name, err))
        return false;
    snprintf(upload->firmware, sizeof upload->firmware, "%s", name.firmware);
    version_format(&name.version, upload->version);
    return true;
}

static bool find_product(const struct request *request, struct product *ret, struct error *err)
{
    struct daemon *daemon = request->context;
    struct db *db;
    if (!readers_take(daemon->readers, &db, err))
        return false;
    bool ok = names_product(request, db, ret, err);
    readers_give(daemon->readers, db);
    return ok;
}

/* The stream */

static bool too_large(const struct config *config, struct error *err)
{
    return error_set(err, ERROR_TOO_LARGE, "an image may have at most %llu bytes (max_image_bytes)",
                     (unsigned long long)config->max_image_bytes);
}

static bool begins_with(struct slice text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && strncasecmp(text.ptr, word, len) == 0;
}

/* The body is kept as it comes: an envelope around the image would be kept with it. (curl's --data-binary
   says application/x-www-form-urlencoded and sends the bytes as they are.) */
static bool check_plain(const struct request *request, struct error *err)
{
    struct slice value;
    if (request_header(request, "Content-Type", &value) && begins_with(value, "multipart/"))
        return error_set(err, ERROR_UNSUPPORTED_TYPE,
                         "send the bytes of the image alone, not in a form (curl -T FILE, not -F)");
    if (request_header(request, "Content-Encoding", &value) && !begins_with(value, "identity"))
        return error_set(err, ERROR_UNSUPPORTED_TYPE, "send the image as it is, without Content-Encoding");
    return true;
}

static bool failed(const struct error *err)
{
    call_log_failure(err);
    return false;
}

static bool begin(struct request *request,
                  bool (*read_names)(const struct request *request, struct upload *upload, struct error *err),
                  struct error *err)
{
    struct daemon *daemon = request->context;
    uint64_t announced = request->body_length > 0 ? (uint64_t)request->body_length : 0;
    _cleanup_(cleanup_free) struct upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!check_plain(request, err) || !find_product(request, &upload->product, err) ||
        !read_names(request, upload, err))
        return false;
    if (announced > daemon->config.max_image_bytes)
        return too_large(&daemon->config, err);
    if (!blobs_check_space(daemon->blobs, announced, err) || !blob_begin(daemon->blobs, &upload->blob, err))
        return false;
    upload->check_space_at = CHECK_SPACE_EVERY;
    request->stream_state = upload;
    upload = NULL;
    return true;
}

static bool begin_by_path(struct request *request, struct error *err)
{
    return begin(request, read_path, err) || failed(err);
}

static bool begin_by_file_name(struct request *request, struct error *err)
{
    return begin(request, read_file_name, err) || failed(err);
}

static void drop(struct upload *upload)
{
    if (upload)
        blob_drop(upload->blob);
    free(upload);
}

static bool add_bytes(struct daemon *daemon, struct upload *upload, const void *bytes, size_t len,
                      struct error *err)
{
    uint64_t written = blob_written(upload->blob);
    if (len > daemon->config.max_image_bytes - written)
        return too_large(&daemon->config, err);
    if (written >= upload->check_space_at) {
        upload->check_space_at = written + CHECK_SPACE_EVERY;
        if (!blobs_check_space(daemon->blobs, len, err))
            return false;
    }
    return blob_add(upload->blob, bytes, len, err);
}

static bool data(struct request *request, const void *bytes, size_t len, struct error *err)
{
    struct upload *upload = request->stream_state;
    if (add_bytes(request->context, upload, bytes, len, err))
        return true;
    drop(upload);
    request->stream_state = NULL;
    return failed(err);
}

static void end(struct request *request)
{
    drop(request->stream_state);
    request->stream_state = NULL;
}

const struct route_stream admin_upload_by_path = {begin_by_path, data, end};
const struct route_stream admin_upload_by_file_name = {begin_by_file_name, data, end};

/* Whole */

struct addition {
    struct daemon *daemon;
    const struct request *request;
    const struct upload *upload;
    struct firmware firmware;
    struct image image;
    bool is_new;
};

static bool note_image(const struct addition *addition, struct db *db, struct error *err)
{
    const struct image *image = &addition->image;
    const struct note note = {.kind = LEDGER_IMAGE_UPLOADED,
                              .at_ms = image->uploaded_ms,
                              .product = addition->upload->product.product_key,
                              .firmware = addition->firmware.name};
    return note_add(db, &note,
                    json_pack("{s:o, s:o*, s:o*, s:o, s:I, s:s, s:o*}", "by", note_by(addition->request),
                              "content", note_text(image->content), "file_name", note_text(image->file_name),
                              "sha256", note_hash(&image->sha256), "size", (json_int_t)image->size_bytes,
                              "version", image->version, "warnings", note_text(image->warnings)),
                    err);
}

static bool add_image(void *cls, struct db *db, struct error *err)
{
    struct addition *addition = cls;
    const struct upload *upload = addition->upload;
    if (!firmware_ensure(db, upload->product.id, upload->firmware, addition->image.uploaded_ms,
                         &addition->firmware, err))
        return false;
    addition->image.firmware_id = addition->firmware.id;
    return image_add(db, upload->product.id, &addition->image, &addition->is_new, err) &&
           (!addition->is_new || note_image(addition, db, err));
}

struct leftover {
    struct blobs *blobs;
    const struct sha256 *hash;
};

/* In the writer's thread, where packages become ready too: nobody can begin to use the blob meanwhile. */
static bool remove_unused(void *cls, struct db *db, struct error *err)
{
    const struct leftover *left = cls;
    bool used;
    return image_uses_blob(db, left->hash, &used, err) &&
           (used || blob_remove(left->blobs, left->hash, err));
}

static void take_away(struct admin_call *call, const struct sha256 *hash)
{
    struct leftover left = {call->daemon->blobs, hash};
    struct error err;
    if (!call_change(call, remove_unused, &left, &err)) /* the next start sweeps it away */
        log_line(LOG_LEVEL_WARN, "blob-left", "error", err.text, NULL);
}

void admin_blobs_remove(struct admin_call *call, const struct sha256 *hashes, size_t count)
{
    pthread_mutex_lock(&keeping);
    for (size_t i = 0; i < count; i++)
        take_away(call, &hashes[i]);
    pthread_mutex_unlock(&keeping);
}

static bool keep(struct admin_call *call, struct upload *upload, struct addition *addition, struct error *err)
{
    struct blob_writer *blob = upload->blob;
    upload->blob = NULL;
    addition->image.size_bytes = (int64_t)blob_written(blob);
    if (!blob_keep(blob, &addition->image.sha256, err))
        return false;
    stop_point("upload-renamed");
    if (call_change(call, add_image, addition, err))
        return true;
    take_away(call, &addition->image.sha256);
    return false;
}

static void log_image(const struct addition *addition)
{
    struct log_number size;
    char hex[SHA256_HEX_SIZE];
    const char *product = addition->upload->product.product_key;
    sha256_hex(&addition->image.sha256, hex);
    log_line(LOG_LEVEL_INFO, "image-added", "product", product, "firmware", addition->firmware.name,
             "version", addition->image.version, "size_bytes", log_i64(&size, addition->image.size_bytes),
             "sha256", hex, NULL);
    struct slice rest = slice_of(addition->image.warnings), line;
    char warning[WARNINGS_SIZE];
    while (rest.len > 0 && slice_split(&rest, '\n', &line))
        if (slice_copy(line, warning, sizeof warning))
            log_line(LOG_LEVEL_WARN, "image-doubtful", "product", product, "firmware", addition->firmware.name,
                     "version", addition->image.version, "warning", warning, NULL);
    if (!addition->firmware.format[0] && !image_is_full(&addition->image))
        log_line(LOG_LEVEL_WARN, "format-not-set", "product", product, "firmware", addition->firmware.name,
                 "warning", "its devices get code 21 until a package format is set", NULL);
}

/* Before anything of it is kept: is it what its name says? */
static bool look(const struct admin_call *call, const struct upload *upload, struct image *image, struct error *err)
{
    struct content content;
    struct firmware firmware = {0};
    struct version version;
    bool found;
    if (!firmware_find(call->db, upload->product.id, upload->firmware, &firmware, &found, err))
        return false;
    if (!found) /* it will be made, with the format that its name has */
        firmware = (struct firmware){.id = 0};
    snprintf(firmware.name, sizeof firmware.name, "%s", upload->firmware);
    version_parse(slice_of(upload->version), &version);
    content_look(call->daemon, blob_writer_path(upload->blob), &content);
    return content_take_image(&content, &firmware, &version, image, err);
}

bool admin_image_add(struct admin_call *call, struct error *err)
{
    struct upload *upload = call->request->stream_state;
    struct addition addition = {.daemon = call->daemon,
                                .request = call->request,
                                .upload = upload,
                                .image.uploaded_ms = clock_utc_ms()};
    if (blob_written(upload->blob) == 0)
        return error_set(err, ERROR_INVALID, "the body is empty: send the bytes of the image");
    snprintf(addition.image.version, sizeof addition.image.version, "%s", upload->version);
    snprintf(addition.image.file_name, sizeof addition.image.file_name, "%s", upload->file_name);
    if (!look(call, upload, &addition.image, err))
        return false;
    pthread_mutex_lock(&keeping);
    bool ok = keep(call, upload, &addition, err);
    pthread_mutex_unlock(&keeping);
    if (!ok)
        return false;
    if (addition.is_new) {
        log_image(&addition);
        matrix_add(call->daemon->matrix, addition.firmware.id, addition.image.id);
    }
    reply_json(&call->reply, addition.is_new ? 201 : 200,
               admin_image_json(addition.firmware.name, &addition.image));
    return true;
}
