/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET …/campaigns/{campaign}/evidence: one signed file about a campaign. GET /signing-key: the key to check it with. */
#include "server/admin/evidence.h"

#include <config.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/signing_key.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "storage/package.h"

bool admin_signing_key_show(struct admin_call *call, struct error *err)
{
    (void)err;
    reply_json(&call->reply, 200, signing_key_json(call->daemon->signing_key));
    return true;
}

bool evidence_write(struct evidence *evidence, json_t *json, struct error *err)
{
    bool ok = json && json_dumpf(json, evidence->out, JSON_COMPACT | JSON_SORT_KEYS) == 0;
    json_decref(json);
    if (!ok)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    return ftell(evidence->out) <= EVIDENCE_BYTES_MAX ||
           error_set(err, ERROR_TOO_LARGE, "the evidence of this campaign has more than %d MiB",
                     EVIDENCE_BYTES_MAX >> 20);
}

/* ---- sections ---- */

static bool write_campaign(struct evidence *evidence, struct error *err)
{
    const struct campaign_path *path = &evidence->path;
    json_t *json;
    return campaign_to_json(evidence->db, &path->firmware, &path->campaign, &json, err) &&
           evidence_write(evidence, json, err);
}

static bool write_approvals(struct evidence *evidence, struct error *err)
{
    _cleanup_(cleanup_free) struct proof_approval *list = NULL;
    size_t count;
    if (!proof_approvals(evidence->db, evidence->path.campaign.id, &list, &count, err))
        return false;
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, json_pack("{s:I, s:o, s:I}", "stage", (json_int_t)list[i].stage + 1, "by",
                                              field_text(list[i].by), "at", (json_int_t)list[i].at_ms));
    return evidence_write(evidence, json, err);
}

static bool is_of_campaign(const struct evidence *evidence, const char *version)
{
    bool found = strcmp(evidence->path.campaign.target, version) == 0;
    for (size_t i = 0; i < evidence->package_count && !found; i++)
        found =
            strcmp(evidence->package[i].from, version) == 0 || strcmp(evidence->package[i].to, version) == 0;
    return found;
}

static bool add_image(struct evidence *evidence, json_t *array, const struct image *image, struct error *err)
{
    json_t *about;
    if (!admin_image_about_json(evidence->db, image->id, &about, err))
        return false;
    json_t *json = admin_image_json(evidence->path.firmware.name, image);
    json_object_set_new(json, "about", about);
    json_array_append_new(array, json);
    return true;
}

static bool write_images(struct evidence *evidence, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    size_t count;
    if (!image_list(evidence->db, evidence->path.firmware.id, &list, &count, err))
        return false;
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        if (is_of_campaign(evidence, list[i].version) && !add_image(evidence, json, &list[i], err)) {
            json_decref(json);
            return false;
        }
    return evidence_write(evidence, json, err);
}

/* How the package was made; null for bytes that the server has replaced or removed since. */
static json_t *making_json(const struct package *package)
{
    static const char *const efforts[] = {"", "quick", "good", "best"};
    json_t *released = json_null();
    char base[SHA256_HEX_SIZE];
    if (!package)
        return json_null();
    if (package->released_ms)
        released = json_pack("{s:o, s:I, s:o}", "by", field_text(package->released_by), "at",
                             (json_int_t)package->released_ms, "note", field_text(package->released_note));
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "origin",
        enum_name(&package_origin_names, package->origin), "recipe", field_text(package->key.recipe),
        "effort", field_text(efforts[(size_t)package->effort % (sizeof efforts / sizeof *efforts)]), "note",
        field_text(package->note), "proven", package->proven, "uploaded_by", field_text(package->uploaded_by),
        "released", released, "out_of_service", field_text(package->quarantine), "from_sha256",
        json_string(package_key_base(&package->key, base)), "to_sha256", field_hash(&package->key.to),
        "started_at", field_number(package->started_ms), "finished_at", field_number(package->finished_ms));
}

static const struct package *find_stored(const struct package_of_firmware *list, size_t count,
                                         const struct evidence_package *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (sha256_equal(&list[i].package.sha256, &wanted->sha256) && strcmp(list[i].from, wanted->from) == 0)
            return &list[i].package;
    return NULL;
}

static bool write_packages(struct evidence *evidence, struct error *err)
{
    _cleanup_(cleanup_free) struct package_of_firmware *list = NULL;
    size_t count;
    if (!package_list(evidence->db, evidence->path.firmware.id, &list, &count, err))
        return false;
    json_t *json = json_array();
    for (size_t i = 0; i < evidence->package_count; i++) {
        const struct evidence_package *package = &evidence->package[i];
        json_array_append_new(json, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "from", package->from, "to",
                                              package->to, "format", package->format, "size",
                                              (json_int_t)package->size_bytes, "sha256",
                                              field_hash(&package->sha256), "stored",
                                              making_json(find_stored(list, count, package))));
    }
    return evidence_write(evidence, json, err);
}

/* The devices come before what is about their packages. */
static bool write_sections(struct evidence *evidence, struct error *err)
{
    static const struct {
        const char *name;
        bool (*write)(struct evidence *evidence, struct error *err);
    } sections[] = {
        {"campaign", write_campaign}, {"approvals", write_approvals}, {"devices", evidence_write_devices},
        {"packages", write_packages}, {"images", write_images},       {"ledger", evidence_write_ledger}};
    json_t *head = json_pack("{s:s, s:s}", "product", evidence->path.product.product_key, "firmware",
                             evidence->path.firmware.name);
    fprintf(evidence->out,
            "{\"evidence\":1,\"made_at\":%lld,\"dfotad\":\"%s\",\"of\":", (long long)clock_utc_ms(),
            PACKAGE_VERSION);
    bool ok = evidence_write(evidence, head, err);
    for (size_t i = 0; ok && i < sizeof sections / sizeof *sections; i++) {
        fprintf(evidence->out, ",\n\"%s\":", sections[i].name);
        ok = sections[i].write(evidence, err);
    }
    fputs("}\n", evidence->out);
    return ok;
}

/* ---- the file ---- */

/* {"dfota_evidence":1,"payload":BASE64,"algorithm":"Ed25519","key":BASE64,"signature":BASE64} */
static char *seal(const struct signing_key *key, const char *payload, size_t size, size_t *ret_size)
{
    struct signature signature;
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    _cleanup_(cleanup_free) char *body = signature_base64(payload, size);
    _cleanup_(cleanup_free) char *public_key =
        signature_base64(key->public_key.byte, sizeof key->public_key.byte);
    bool ok = out && body && public_key &&
              signature_make(key->key, SIGNATURE_EVIDENCE_TAG, (struct slice){payload, size}, &signature);
    _cleanup_(cleanup_free) char *sealed =
        ok ? signature_base64(signature.byte, sizeof signature.byte) : NULL;
    if (sealed)
        fprintf(out,
                "{\"dfota_evidence\":1,\"algorithm\":\"Ed25519\",\n\"key\":\"%s\",\n\"signature\":\"%s\",\n"
                "\"payload\":\"%s\"}\n",
                public_key, sealed, body);
    ok = out && fclose(out) == 0 && sealed;
    if (ok)
        return text;
    free(text);
    return NULL;
}

static bool compose(struct admin_call *call, struct evidence *evidence, struct error *err)
{
    _cleanup_(cleanup_free) char *payload = NULL;
    size_t size = 0, sealed_size = 0;
    evidence->out = open_memstream(&payload, &size);
    if (!evidence->out || !db_begin_read(evidence->db, err)) {
        if (evidence->out)
            fclose(evidence->out);
        return error_set(err, ERROR_UNAVAILABLE, "the evidence cannot be read now: try again later");
    }
    bool ok = campaign_path_find(call->request, evidence->db, &evidence->path, err) &&
              write_sections(evidence, err);
    db_rollback(evidence->db);
    if (fclose(evidence->out) != 0)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!ok)
        return false;
    char *sealed = seal(call->daemon->signing_key, payload, size, &sealed_size);
    if (!sealed)
        return error_set(err, ERROR_INTERNAL, "the evidence cannot be signed");
    call->keeps_json = true;
    reply_init(&call->reply, 200);
    call->reply.content_type = "application/json";
    call->reply.bytes = sealed;
    call->reply.size = sealed_size;
    call->reply.release = free;
    call->reply.release_cls = sealed;
    return true;
}

/* One at a time: it takes memory. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

bool admin_evidence_get(struct admin_call *call, struct error *err)
{
    struct evidence evidence = {.db = call->db};
    char rows[16];
    bool found;
    if (!request_query(call->request, "rows", rows, sizeof rows, &found, err))
        return false;
    evidence.whole_chain = found && strcmp(rows, "all") == 0;
    if (found && !evidence.whole_chain && strcmp(rows, "campaign") != 0)
        return error_set(err, ERROR_BAD_REQUEST, "rows is campaign or all");
    if (evidence.whole_chain && call->request->actor.product[0])
        return error_set(err, ERROR_FORBIDDEN, "rows=all has rows of all products: this token has only one");
    if (pthread_mutex_trylock(&busy) != 0)
        return error_set(err, ERROR_UNAVAILABLE, "the evidence of another campaign is being made: try again");
    bool ok = compose(call, &evidence, err);
    pthread_mutex_unlock(&busy);
    free(evidence.package);
    return ok;
}
