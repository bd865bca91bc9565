/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What is known of a firmware, and the images that its devices still need. */
#include "storage/firmware.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/admin/firmware_limit.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "storage/quarantine.h"
#include "upgrade/full.h"

/* The module family, by the name of the firmware or by its images; NULL: not known. */
static const struct family *family_of(const struct firmware *firmware)
{
    const struct family *family = family_of_name(firmware->name);
    return family ? family : family_find(firmware->family);
}

#define SENTENCE_SIZE FIRMWARE_LIMIT_NOTE_SIZE
_Static_assert(SENTENCE_SIZE >= FAMILY_ADVICE_SIZE + 32, "a notice has room for an advice");

static const char *notice_of(const struct firmware *firmware, const struct firmware_limit *limit,
                             char out[SENTENCE_SIZE])
{
    const struct family *family = family_of(firmware);
    out[0] = '\0';
    if (!firmware->format[0]) {
        family_advise(firmware->name, family, out);
        strcat(out, " (PATCH {\"format\":…})");
    } else if (firmware->format_is_default && family) {
        snprintf(out, FAMILY_ADVICE_SIZE,
                 "the package format %s is only the default, and %s cannot apply it; set another format: %s",
                 firmware->format, family->whom, family->advice);
    } else if (limit->by_chip && !limit->chip && firmware->max_package_bytes == limit->usual) {
        firmware_limit_note(firmware, limit, out); /* nobody has decided on this limit */
    }
    return out;
}

static json_t *chip_limit(const struct firmware_limit *limit)
{
    return limit->chip ? json_integer((json_int_t)limit->chip->archive_bytes) : json_null();
}

static bool to_json(const struct admin_call *call, const struct firmware *firmware, json_t **ret,
                    struct error *err)
{
    struct db *db = call->db;
    const struct family *family = family_of(firmware);
    struct firmware_counts counts;
    int64_t quarantined;
    struct firmware_limit limit;
    char notice[SENTENCE_SIZE], note[FIRMWARE_LIMIT_NOTE_SIZE];
    if (!firmware_limit_find(call->daemon->config, db, firmware, &limit, err) ||
        !firmware_count(db, firmware->id, &counts, err) ||
        !quarantine_count(db, firmware->id, &quarantined, err))
        return false;
    firmware_limit_note(firmware, &limit, note);
    *ret = json_pack(
        "{s:s, s:o, s:b, s:o, s:I, s:o, s:o, s:o, s:b, s:I, s:I, s:I, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:o}",
        "firmware", firmware->name, "format", field_text(firmware->format), "format_is_default",
        firmware->format_is_default != 0, "fitting_format", field_text(family ? family->format : ""),
        "max_package_bytes", (json_int_t)firmware->max_package_bytes, "chip",
        field_text(limit.chip ? limit.chip->name : ""), "chip_limit", chip_limit(&limit), "limit_note",
        field_text(note), "downgrades", firmware->downgrades != 0, "canary_confirmations",
        (json_int_t)firmware->canary_confirmations, "quarantine_after",
        (json_int_t)firmware->quarantine_after, "quarantined", (json_int_t)quarantined, "hours",
        firmware->hours, "max_bytes_per_month", (json_int_t)firmware->max_bytes_per_month, "full_packages",
        enum_name(&full_packages_names, firmware->full_packages), "target", field_text(firmware->target),
        "images", (json_int_t)counts.images, "devices", (json_int_t)counts.devices, "created_at",
        (json_int_t)firmware->created_ms, "notice", field_text(notice_of(firmware, &limit, notice)));
    return true;
}

bool admin_firmware_answer(struct admin_call *call, const struct firmware *firmware, struct error *err)
{
    json_t *json;
    if (!to_json(call, firmware, &json, err))
        return false;
    reply_json(&call->reply, 200, json);
    return true;
}

bool admin_firmware_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct product product;
    size_t count;
    if (!path_params_product(call->request, call->db, &product, err) ||
        !firmware_list(call->db, product.id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        json_t *item;
        if (!to_json(call, &list[i], &item, err))
            return false;
        json_array_append_new(items, item);
    }
    return list_answer(call, &list_firmware, json_incref(items), err);
}

bool admin_firmware_show(struct admin_call *call, struct error *err)
{
    struct product product;
    struct firmware firmware;
    return path_params_firmware(call->request, call->db, &product, &firmware, err) &&
           admin_firmware_answer(call, &firmware, err);
}

/* Devices whose core can take the target as it is need no image of the version that they run. */
static bool find_target_core(struct db *db, const struct firmware *firmware, char ret[VERSION_TEXT_SIZE],
                             struct error *err)
{
    struct image target;
    bool found;
    if (!image_find(db, firmware->id, firmware->target, &target, &found, err))
        return false;
    snprintf(ret, VERSION_TEXT_SIZE, "%s", found && image_is_full(&target) ? target.core : "");
    return true;
}

bool admin_firmware_missing_bases(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct missing_base *list = NULL;
    struct product product;
    struct firmware firmware;
    struct version version;
    char core[VERSION_TEXT_SIZE];
    size_t count;
    if (!path_params_firmware(call->request, call->db, &product, &firmware, err) ||
        !find_target_core(call->db, &firmware, core, err) ||
        !firmware_missing_bases(call->db, firmware.id, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        if (!version_parse(slice_of(list[i].version), &version) || !full_takes(core, &version))
            json_array_append_new(items, json_pack("{s:s, s:I}", "version", list[i].version, "devices",
                                                   (json_int_t)list[i].devices));
    return list_answer(call, &list_missing_bases, items, err);
}
