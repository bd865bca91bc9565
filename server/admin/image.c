/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stored images: list, details, download. The upload is in upload.c. */
#include "server/admin/image.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "server/admin/content.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"

static json_t *warnings_to_json(const char *lines)
{
    json_t *array = json_array();
    struct slice rest = slice_of(lines), line;
    char text[WARNINGS_SIZE];
    while (rest.len > 0 && slice_split(&rest, '\n', &line))
        if (line.len > 0 && slice_copy(line, text, sizeof text))
            json_array_append_new(array, field_text(text));
    return array;
}

/* Where the script is in flash, for LuatOS. */
static json_t *script_to_json(const struct full_script *script)
{
    if (!script->address)
        return json_null();
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "address", (json_int_t)script->address, "area_bytes",
                     field_number(script->area), "kept_bytes", field_number(script->kept), "bytes",
                     field_number(script->bytes), "packed_bytes", field_number(script->packed), "bits",
                     field_number(script->bits));
}

json_t *admin_image_json(const char *firmware, const struct image *image)
{
    json_t *withdrawn = json_null();
    if (image->withdrawn_ms)
        withdrawn = json_pack("{s:I, s:o}", "at", (json_int_t)image->withdrawn_ms, "reason",
                              field_text(image->withdrawn_reason));
    return json_pack(
        "{s:s, s:s, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:s, s:o, s:o}",
        "firmware", firmware, "version", image->version, "variant", field_text(image->variant), "default",
        (int)image->is_default, "kind", enum_name(&image_kind_names, image->kind), "core",
        field_text(image->core), "content", field_text(image->content), "core_id",
        image->core_id == DB_UNKNOWN ? json_null() : json_integer((json_int_t)image->core_id), "chip",
        field_text(image->chip), "script", script_to_json(&image->script), "size",
        (json_int_t)image->size_bytes, "sha256", field_hash(&image->sha256), "file_name",
        field_text(image->file_name), "uploaded_at", (json_int_t)image->uploaded_ms, "withdrawn", withdrawn,
        "waypoint", enum_name(&waypoint_names, image->waypoint), "waypoint_reason",
        field_text(image->waypoint_reason), "warnings", warnings_to_json(image->warnings));
}

bool admin_image_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    struct product product;
    struct firmware firmware;
    size_t count;
    if (!path_params_firmware(call->request, call->db, &product, &firmware, err) ||
        !image_list(call->db, firmware.id, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, admin_image_json(firmware.name, &list[i]));
    return list_answer(call, &list_images, items, err);
}

bool admin_image_answer(struct admin_call *call, const struct firmware *firmware, const struct image *image,
                        struct error *err)
{
    json_t *about, *json;
    if (!admin_image_about_json(call->db, image->id, &about, err))
        return false;
    json = admin_image_json(firmware->name, image);
    json_object_set_new(json, "about", about);
    reply_json(&call->reply, 200, json);
    return true;
}

bool admin_image_show(struct admin_call *call, struct error *err)
{
    struct product product;
    struct firmware firmware;
    struct image image;
    return path_params_image(call->request, call->db, &product, &firmware, &image, err) &&
           admin_image_answer(call, &firmware, &image, err);
}

bool admin_image_content(struct admin_call *call, struct error *err)
{
    struct product product;
    struct firmware firmware;
    struct image image;
    char name[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE + 8];
    if (!path_params_image(call->request, call->db, &product, &firmware, &image, err))
        return false;
    snprintf(name, sizeof name, "%s_V%s.bin", firmware.name, image.version);
    if (content_answer_blob(call, &image.sha256, image.file_name[0] ? image.file_name : name, err))
        return true;
    if (err->code != ERROR_CORRUPT)
        return false;
    log_line(LOG_LEVEL_ERROR, "blob-corrupt", "product", product.product_key, "firmware", firmware.name,
             "version", image.version, "error", err->text, NULL);
    return error_set(err, ERROR_CORRUPT,
                     "the file of version %s is damaged on the disk: upload the same file again",
                     image.version);
}
