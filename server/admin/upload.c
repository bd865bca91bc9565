/* An image on its way in: its names are looked up before the first byte, its content once it is whole. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "server/admin/intake.h"
#include "server/admin/names.h"
#include "server/content.h"
#include "server/keep.h"
#include "server/log.h"
#include "server/matrix.h"
#include "server/note.h"

struct upload {
    struct intake intake; /* first */
    struct product product;
    char firmware[FIRMWARE_NAME_SIZE], version[VERSION_TEXT_SIZE];
    char file_name[FILE_NAME_SIZE]; /* "": not named */
};

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

static bool find_product(const struct request *request, struct db *db, void *cls, struct error *err)
{
    struct upload *upload = cls;
    return names_product(request, db, &upload->product, err);
}

static bool begin(struct request *request,
                  bool (*read_names)(const struct request *request, struct upload *upload, struct error *err),
                  struct error *err)
{
    static const char what[] = "an image";
    _cleanup_(cleanup_free) struct upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!intake_check(request, what, err) || !intake_look_up(request, find_product, upload, err) ||
        !read_names(request, upload, err) || !intake_begin(request, &upload->intake, what, err))
        return false;
    upload = NULL;
    return true;
}

static bool begin_by_path(struct request *request, struct error *err)
{
    return begin(request, read_path, err);
}

static bool begin_by_file_name(struct request *request, struct error *err)
{
    return begin(request, read_file_name, err);
}

const struct route_stream admin_upload_by_path = {begin_by_path, intake_data, intake_end};
const struct route_stream admin_upload_by_file_name = {begin_by_file_name, intake_data, intake_end};

/* Whole */

struct addition {
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
    content_look(call->daemon, blob_writer_path(upload->intake.blob), &content);
    return content_take_image(&content, &firmware, &version, image, err);
}

bool admin_image_add(struct admin_call *call, struct error *err)
{
    struct upload *upload = call->request->stream_state;
    struct addition addition = {
        .request = call->request, .upload = upload, .image.uploaded_ms = clock_utc_ms()};
    if (!intake_check_whole(&upload->intake, err))
        return false;
    snprintf(addition.image.version, sizeof addition.image.version, "%s", upload->version);
    snprintf(addition.image.file_name, sizeof addition.image.file_name, "%s", upload->file_name);
    if (!look(call, upload, &addition.image, err))
        return false;
    addition.image.size_bytes = (int64_t)blob_written(upload->intake.blob);
    if (!keep_blob(call->daemon, intake_take(&upload->intake), &addition.image.sha256, add_image, &addition, err))
        return false;
    if (addition.is_new) {
        log_image(&addition);
        matrix_add(call->daemon->matrix, addition.firmware.id, addition.image.id);
    }
    reply_json(&call->reply, addition.is_new ? 201 : 200,
               admin_image_json(addition.firmware.name, &addition.image));
    return true;
}
