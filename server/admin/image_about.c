/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/images/{version}/about and /sbom: what an admin says about an image. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/body.h"
#include "server/admin/content.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "server/admin/path_params.h"
#include "server/ledger/event.h"
#include "storage/image_about.h"

struct about_change {
    const struct request *request;
    struct product product;
    struct firmware firmware;
    struct image image;
    struct image_about about;
    struct slice sbom;
    bool is_sbom; /* else the other fields */
};

bool admin_image_about_json(struct db *db, int64_t image_id, json_t **ret, struct error *err)
{
    struct image_about about;
    if (!image_about_load(db, image_id, &about, err))
        return false;
    json_t *sbom = json_null();
    if (about.sbom_size)
        sbom = json_pack("{s:I, s:o, s:o}", "size", (json_int_t)about.sbom_size, "sha256",
                         field_hash(&about.sbom_sha256), "format", field_text(about.sbom_format));
    *ret = json_pack("{s:o, s:o, s:o, s:o}", "purpose",
                     field_text(enum_name(&image_purpose_names, about.purpose)), "release_note",
                     field_text(about.release_note), "advisory", field_text(about.advisory), "sbom", sbom);
    return true;
}

/* ---- changes ---- */

static json_t *detail(const struct about_change *change)
{
    const struct image_about *about = &change->about;
    json_t *json = json_pack("{s:o, s:o*, s:s}", "by", event_by(change->request), "variant",
                             event_text(change->image.variant), "version", change->image.version);
    struct sha256 hash;
    if (change->is_sbom) {
        json_object_set_new(json, "sbom_sha256",
                            change->sbom.len ? event_hash(&about->sbom_sha256) : json_null());
        return json;
    }
    sha256_of(about->release_note, strlen(about->release_note), &hash);
    json_object_set_new(json, "purpose", field_text(enum_name(&image_purpose_names, about->purpose)));
    json_object_set_new(json, "advisory", field_text(about->advisory));
    json_object_set_new(json, "release_note_sha256",
                        about->release_note[0] ? event_hash(&hash) : json_null());
    return json;
}

static bool store(void *cls, struct db *db, struct error *err)
{
    struct about_change *change = cls;
    if (!path_params_named_image(change->request, db, &change->product, &change->firmware, &change->image,
                                 err))
        return false;
    const struct event event = {
        .kind = LEDGER_IMAGE_SET, .product = change->product.product_key, .firmware = change->firmware.name};
    return (change->is_sbom ? image_about_set_sbom(db, change->image.id, change->sbom, &change->about, err)
                            : image_about_set(db, change->image.id, &change->about, err)) &&
           event_add(db, &event, detail(change), err);
}

static bool answer(struct admin_call *call, const struct about_change *change, struct error *err)
{
    json_t *json;
    if (!admin_image_about_json(call->db, change->image.id, &json, err))
        return false;
    reply_json(&call->reply, 200, json);
    return true;
}

/* A note may have several lines. */
static bool is_note(const char *text)
{
    struct slice rest = slice_of(text), line;
    bool clean = true;
    while (rest.len && slice_split(&rest, '\n', &line))
        clean = clean && slice_is_clean_utf8(line);
    return clean;
}

static bool read_texts(json_t *body, struct image_about *ret, struct error *err)
{
    const char *purpose = "", *note = "", *advisory = "";
    unsigned number = 0;
    if (!body_unpack(body, err, "{s?s, s?s, s?s}", "purpose", &purpose, "release_note", &note, "advisory",
                     &advisory))
        return false;
    if (!enum_find(&image_purpose_names, slice_of(purpose), &number))
        return error_set(err, ERROR_INVALID, "purpose is security-fix, bug-fix, feature or other");
    if (strlen(note) > IMAGE_NOTE_MAX || !is_note(note))
        return error_set(err, ERROR_INVALID,
                         "release_note has at most %d bytes, and no control characters besides line ends",
                         IMAGE_NOTE_MAX);
    if (advisory[0] && !call_check_text("advisory", advisory, IMAGE_ADVISORY_MAX, err))
        return false;
    ret->purpose = (enum image_purpose)number;
    memcpy(ret->release_note, note, strlen(note) + 1);
    memcpy(ret->advisory, advisory, strlen(advisory) + 1);
    return true;
}

bool admin_image_about_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct about_change change = {.request = call->request};
    return call_body(call, &body, err) && read_texts(body, &change.about, err) &&
           call_change(call, store, &change, err) && answer(call, &change, err);
}

/* ---- the SBOM ---- */

/* The form that the file claims. Only that is read; the list itself is not checked. */
static void read_format(const json_t *sbom, char out[12])
{
    const char *form = json_string_value(json_object_get(sbom, "bomFormat"));
    if (form && strcmp(form, "CycloneDX") == 0)
        memcpy(out, "CycloneDX", 10);
    else if (json_is_string(json_object_get(sbom, "spdxVersion")) || json_object_get(sbom, "@context"))
        memcpy(out, "SPDX", 5);
}

bool admin_image_sbom_put(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct about_change change = {.request = call->request, .is_sbom = true, .sbom = call->request->body};
    if (!call_body(call, &body, err))
        return false;
    if (!json_is_object(body))
        return error_set(err, ERROR_INVALID, "an SBOM is a JSON object");
    read_format(body, change.about.sbom_format);
    sha256_of(change.sbom.ptr, change.sbom.len, &change.about.sbom_sha256);
    return call_change(call, store, &change, err) && answer(call, &change, err);
}

bool admin_image_sbom_delete(struct admin_call *call, struct error *err)
{
    struct about_change change = {.request = call->request, .is_sbom = true};
    return call_change(call, store, &change, err) && answer(call, &change, err);
}

bool admin_image_sbom_get(struct admin_call *call, struct error *err)
{
    struct about_change change;
    struct sha256 hash;
    struct slice sbom;
    bool found;
    if (!path_params_image(call->request, call->db, &change.product, &change.firmware, &change.image, err) ||
        !image_about_sbom(call->db, change.image.id, &sbom, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "version %s has no SBOM", change.image.version);
    sha256_of(sbom.ptr, sbom.len, &hash);
    call->keeps_json = true;
    reply_text(&call->reply, 200, "application/json", sbom.ptr, sbom.len);
    content_cut(call, &hash);
    free((char *)(uintptr_t)sbom.ptr);
    return true;
}
