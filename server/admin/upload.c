/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Upload of an image: its names are checked before the first byte, its content once the file is complete. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/package_format.h"
#include "server/admin/firmware_limit.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "server/admin/upload_stream.h"
#include "server/admin/path_params.h"
#include "server/build/inspect.h"
#include "server/build/unpack.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"
#include "server/planning/prebuild.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"
#include "storage/matrix.h"
#include "upgrade/name_dialect.h"
#include "upgrade/name_file.h"

struct upload {
    struct upload_stream intake; /* must be first */
    struct product product;
    char firmware[FIRMWARE_NAME_SIZE], version[VERSION_TEXT_SIZE], variant[VARIANT_SIZE];
    char file_name[FILE_NAME_SIZE]; /* "": not given */
    int64_t core_id;                /* as the admin says; DB_UNKNOWN: not given */
    bool raw;                       /* the admin says that it is a raw image */
};

/* Names */

static bool read_path(const struct request *request, struct upload *upload, struct error *err)
{
    struct version version;
    if (!path_params_firmware_text(request, upload->firmware, err) ||
        !path_params_version(request, 2, upload->firmware, &version, err))
        return false;
    version_format(&version, upload->version);
    return true;
}

/* A browser or a script may send a whole path; only the name of the file is used. */
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
    if (!name_file_parse(slice_of(upload->file_name), &name, err))
        return false;
    snprintf(upload->firmware, sizeof upload->firmware, "%s", name.firmware);
    version_format(&name.version, upload->version);
    return true;
}

static bool read_core_id(const struct request *request, struct upload *upload, struct error *err)
{
    uint64_t number = UINT64_MAX;
    if (!call_query_number(request, "core_id", 0, INT32_MAX, &number, err))
        return false;
    upload->core_id = number == UINT64_MAX ? DB_UNKNOWN : (int64_t)number;
    return true;
}

static bool find_product(const struct request *request, struct db *db, void *cls, struct error *err)
{
    struct upload *upload = cls;
    return path_params_product(request, db, &upload->product, err);
}

static bool begin(struct request *request,
                  bool (*read_names)(const struct request *request, struct upload *upload, struct error *err),
                  struct error *err)
{
    static const char what[] = "an image";
    bool given;
    _cleanup_(cleanup_free) struct upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!upload_stream_check(request, what, err) ||
        !upload_stream_look_up(request, find_product, upload, err) || !read_names(request, upload, err) ||
        !path_params_variant(request, "variant", upload->variant, &given, err) ||
        !upload_stream_read_raw(request, &upload->raw, err) || !read_core_id(request, upload, err) ||
        !upload_stream_begin(request, &upload->intake, what, err))
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

const struct route_stream admin_upload_by_path = {begin_by_path, upload_stream_data, upload_stream_end};
const struct route_stream admin_upload_by_file_name = {begin_by_file_name, upload_stream_data,
                                                       upload_stream_end};

/* After the upload */

struct addition {
    const struct request *request;
    const struct config *config;
    const struct upload *upload;
    struct firmware firmware;
    struct image image;
    struct unpacked unpacked;
    const struct family *family; /* the module family that its content is for; NULL: not known */
    bool is_new, firmware_created, format_dropped;
};

static bool note_image(const struct addition *addition, struct db *db, struct error *err)
{
    const struct image *image = &addition->image;
    const struct event event = {.kind = LEDGER_IMAGE_UPLOADED,
                                .at_ms = image->uploaded_ms,
                                .product = addition->upload->product.product_key,
                                .firmware = addition->firmware.name};
    return event_add(db, &event,
                     json_pack("{s:o, s:o*, s:o*, s:o*, s:o, s:I, s:o*, s:s, s:o*}", "by",
                               event_by(addition->request), "content", event_text(image->content), "core_id",
                               image->core_id == DB_UNKNOWN ? NULL : json_integer((json_int_t)image->core_id),
                               "file_name", event_text(image->file_name), "sha256",
                               event_hash(&image->sha256), "size", (json_int_t)image->size_bytes, "variant",
                               event_text(image->variant), "version", image->version, "warnings",
                               event_text(image->warnings)),
                     err);
}

static bool note_format(const struct addition *addition, struct db *db, struct error *err)
{
    const struct firmware *firmware = &addition->firmware;
    const struct event event = {.kind = LEDGER_FIRMWARE_SET,
                                .product = addition->upload->product.product_key,
                                .firmware = firmware->name};
    return event_add(db, &event,
                     json_pack("{s:o, s:b, s:o*, s:I}", "by", event_by(addition->request), "downgrades",
                               (int)firmware->downgrades, "format", event_text(firmware->format),
                               "max_package_bytes", (json_int_t)firmware->max_package_bytes),
                     err);
}

/* The default format stays only as long as no image is known to be for modules with another updater. */
static bool drop_default_format(struct addition *addition, struct db *db, struct error *err)
{
    struct firmware *firmware = &addition->firmware;
    char before[FORMAT_SIZE];
    memcpy(before, firmware->format, sizeof before);
    firmware->format[0] = '\0';
    firmware->format_is_default = 0;
    if (!firmware_update(db, firmware, err) || addition->firmware_created)
        return addition->firmware_created;
    addition->format_dropped = true;
    image_warn(&addition->image,
               "its content is for %s, so the default package format %s was removed: set the one that these "
               "modules can apply",
               addition->family->whom, before);
    return matrix_forget_format(db, firmware->id, before, err) && note_format(addition, db, err);
}

static bool heed_family(struct addition *addition, struct db *db, struct error *err)
{
    struct firmware *firmware = &addition->firmware;
    const struct family *family = addition->family;
    if (!family)
        return true;
    snprintf(firmware->family, sizeof firmware->family, "%s", family->name);
    if (firmware->format_is_default)
        return drop_default_format(addition, db, err);
    if (package_format_is(firmware->format, PACKAGE_FORMAT_BSDIFF))
        image_warn(&addition->image, "its content is for %s, which cannot apply packages of the format %s",
                   family->whom, firmware->format);
    return firmware_update(db, firmware, err);
}

/* A file that lost bytes in the transfer differs in size from the other images of its firmware. */
static bool heed_size(struct addition *addition, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    struct image *image = &addition->image;
    int64_t least = 0, most = 0;
    size_t count;
    if (addition->upload->intake.digest.given || image_is_full(image))
        return true;
    if (!image_list(db, addition->firmware.id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (image_is_full(&list[i]) || list[i].withdrawn_ms || strcmp(list[i].version, image->version) == 0)
            continue;
        least = least == 0 || list[i].size_bytes < least ? list[i].size_bytes : least;
        most = list[i].size_bytes > most ? list[i].size_bytes : most;
    }
    if (most > 0 && (image->size_bytes < least - least * 3 / 10 || image->size_bytes > most + most * 4 / 10))
        image_warn(
            image,
            "its size is far from that of the other images (%lld to %lld bytes), and it came without a "
            "digest: check that the file is complete",
            (long long)least, (long long)most);
    return true;
}

static bool add_image(void *cls, struct db *db, struct error *err)
{
    struct addition *addition = cls;
    const struct upload *upload = addition->upload;
    bool found;
    if (!firmware_find(db, upload->product.id, upload->firmware, &addition->firmware, &found, err) ||
        !firmware_ensure(db, upload->product.id, upload->firmware, addition->image.uploaded_ms,
                         &addition->firmware, err))
        return false;
    addition->firmware_created = !found;
    addition->image.firmware_id = addition->firmware.id;
    return heed_family(addition, db, err) && heed_size(addition, db, err) &&
           firmware_limit_take_image(addition->config, db, &addition->firmware, &addition->image, err) &&
           image_add(db, upload->product.id, &addition->image, &addition->is_new, err) &&
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
            log_line(LOG_LEVEL_WARN, "image-doubtful", "product", product, "firmware",
                     addition->firmware.name, "version", addition->image.version, "warning", warning, NULL);
    if (addition->firmware_created)
        log_line(LOG_LEVEL_INFO, "firmware-created", "product", product, "firmware", addition->firmware.name,
                 "format", addition->firmware.format[0] ? addition->firmware.format : "none", NULL);
    if (!addition->firmware.format[0] && !image_is_full(&addition->image))
        log_line(LOG_LEVEL_WARN, "format-not-set", "product", product, "firmware", addition->firmware.name,
                 "warning", "its devices get code 21 until a package format is set", NULL);
}

/* Checks, before anything is stored, that the content is what its name says. */
static bool look(const struct admin_call *call, const struct upload *upload, struct addition *addition,
                 struct error *err)
{
    struct image *image = &addition->image;
    struct content content;
    struct firmware firmware = {0};
    struct version version;
    bool found;
    if (!firmware_find(call->db, upload->product.id, upload->firmware, &firmware, &found, err))
        return false;
    if (!found) /* the firmware will be created, with the default format for its name */
        firmware = (struct firmware){.id = 0};
    snprintf(firmware.name, sizeof firmware.name, "%s", upload->firmware);
    version_parse(slice_of(upload->version), &version);
    inspect_upload(call->daemon, blob_writer_path(upload->intake.blob), &content);
    if (!inspect_accept_image(&content, &firmware, &version, upload->raw, image, err))
        return false;
    addition->family = upload->raw ? NULL : content_family(&content);
    if (content.mangled[0] && !upload->intake.digest.given)
        image_warn(
            image,
            "%s, and it came without a digest: a transfer as text may have changed it. Send it with curl -T "
            "FILE, or with dfotactl image upload, which adds a digest",
            content.mangled);
    return true;
}

/* The vendor writes the kind of a core into the name of its .soc, and into no other place. */
static bool take_core_id(const struct upload *upload, const struct unpacked *unpacked, struct image *image,
                         struct error *err)
{
    uint64_t named;
    bool found = name_dialect_core_id(slice_of(upload->file_name), &named) ||
                 name_dialect_core_id(slice_of(unpacked->name), &named);
    image->core_id = found ? (int64_t)named : upload->core_id;
    return upload->core_id == DB_UNKNOWN || image->core_id == upload->core_id ||
           error_set(
               err, ERROR_INVALID,
               "the name of the file says core_id %lld, and the upload says core_id=%lld: leave out one "
               "of the two",
               (long long)image->core_id, (long long)upload->core_id);
}

/* Adds notices about what the upload changed besides storing the image. */
static void add_firmware_notice(const struct addition *addition, json_t *answer)
{
    const struct firmware *firmware = &addition->firmware;
    char notice[FAMILY_ADVICE_SIZE];
    if (firmware->format[0])
        snprintf(
            notice, sizeof notice,
            "its package format is %s, the default: only devices whose updater is bspatch can apply it; for "
            "others set the format that fits",
            firmware->format);
    else
        family_advise(firmware->name, addition->family, notice);
    json_object_set_new(answer, "firmware_created", json_true());
    json_object_set_new(answer, "format", field_text(firmware->format));
    json_object_set_new(answer, "notice", json_string(notice));
}

/* What came, when it was an archive: the image has other bytes. */
static void add_archive(const struct unpacked *unpacked, json_t *answer)
{
    if (unpacked->happened)
        json_object_set_new(answer, "archive",
                            json_pack("{s:o, s:I, s:o, s:o}", "sha256", field_hash(&unpacked->archive),
                                      "size", (json_int_t)unpacked->archive_bytes, "firmware",
                                      field_text(unpacked->name), "left_out",
                                      field_text(unpacked->left_out)));
}

bool admin_image_add(struct admin_call *call, struct error *err)
{
    struct upload *upload = call->request->stream_state;
    struct addition addition = {.request = call->request,
                                .config = call->daemon->config,
                                .upload = upload,
                                .image.uploaded_ms = clock_utc_ms()};
    if (!upload_stream_check_whole(&upload->intake, err))
        return false;
    snprintf(addition.image.version, sizeof addition.image.version, "%s", upload->version);
    memcpy(addition.image.variant, upload->variant, sizeof upload->variant);
    snprintf(addition.image.file_name, sizeof addition.image.file_name, "%s", upload->file_name);
    if (!upload->raw && !unpack_upload(call->daemon, &upload->intake.blob, &addition.unpacked, err))
        return false;
    addition.image.size_bytes = (int64_t)blob_written(upload->intake.blob);
    if (!take_core_id(upload, &addition.unpacked, &addition.image, err) ||
        !look(call, upload, &addition, err))
        return false;
    if (!blob_commit(call->daemon->writer, call->daemon->blobs, upload_stream_take(&upload->intake),
                     &addition.image.sha256, add_image, &addition, err))
        return false;
    if (addition.is_new) {
        log_image(&addition);
        prebuild_add(call->daemon->prebuild, addition.firmware.id, addition.image.id);
    }
    json_t *answer = admin_image_json(addition.firmware.name, &addition.image);
    add_archive(&addition.unpacked, answer);
    if (addition.firmware_created)
        add_firmware_notice(&addition, answer);
    reply_json(&call->reply, addition.is_new ? 201 : 200, answer);
    const char *const parts[] = {"products", upload->product.product_key, "firmware", addition.firmware.name,
                                 "images",   addition.image.version,      NULL};
    call_locate_build(call, parts, addition.image.variant);
    return true;
}
