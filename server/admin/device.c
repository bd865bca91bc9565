/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/device.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/campaign.h"
#include "server/admin/handlers.h"
#include "server/admin/link.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"
#include "storage/device_secret.h"
#include "storage/attempt.h"
#include "storage/guard.h"
#include "storage/said.h"
#include "storage/traffic.h"
#include "storage/transcript.h"
#include "storage/turnkey.h"
#include "upgrade/turnkey.h"

#define ATTEMPTS_MAX 100 /* the newest; the ledger has the older ones */

/* One device as JSON */

static const char *doubt(const struct device *device)
{
    const struct identity identity = device_identity(device);
    if (identity.kind != ID_IMEI)
        return "";
    if (!identity_is_imei(&identity))
        return "this id was sent as imei, but it is not an IMEI";
    return identity_is_doubtful(&identity) ? "the check digit of the IMEI is wrong" : "";
}

json_t *device_answer_to_json(const struct device *device)
{
    if (!device->last_code)
        return json_null();
    json_t *json = json_pack("{s:I, s:I}", "code", (json_int_t)device->last_code, "at",
                             (json_int_t)device->last_answer_ms);
    reason_to_json(json, "reason", device->last_reason);
    return json;
}

static json_t *claim_to_json(const struct claim *claim)
{
    if (!claim->version[0])
        return json_null();
    return json_pack("{s:s, s:I, s:s, s:s, s:o}", "version", claim->version, "at", (json_int_t)claim->at_ms,
                     "by", enum_name(&reported_by_names, claim->by), "grade", grade_name(claim->grade),
                     "origin", field_text(claim->origin));
}

static json_t *forms_to_json(int64_t forms)
{
    static const char *const names[] = {"14 digits", "15 digits", "16 digits", "text", "bytes"};
    json_t *list = json_array();
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (forms & 1LL << i)
            json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *tags_to_json(const char *tags)
{
    struct slice rest = slice_of(tags), tag;
    json_t *list = json_array();
    while (rest.len && slice_split(&rest, ' ', &tag))
        json_array_append_new(list, json_stringn(tag.ptr, tag.len));
    return list;
}

static void add_admin_fields(json_t *json, const struct device *device)
{
    json_object_set_new(json, "state", json_string(enum_name(&device_state_names, device->state)));
    json_object_set_new(json, "state_since", field_number(clock_clamp(device->state_ms, clock_utc_ms())));
    json_object_set_new(json, "held_out", json_boolean(device->held_out_ms));
    json_object_set_new(json, "held_out_since",
                        field_number(clock_clamp(device->held_out_ms, clock_utc_ms())));
    json_object_set_new(json, "tags", tags_to_json(device->tags));
    json_object_set_new(json, "note", field_text(device->note));
}

/* Adds the notices about the id itself. */
static void add_said(json_t *json, const struct said *said)
{
    char notice[NOTICE_SIZE];
    json_object_set_new(json, "id_forms", forms_to_json(said->forms));
    if ((said->forms & SAID_TEXT) && (said->forms & SAID_BYTES))
        json_array_append_new(
            json_object_get(json, "warnings"),
            json_string("this uid came both as bytes and as text: two clients use one chip, or there are two "
                        "modules"));
    if (!said->shared_ms) {
        json_object_set_new(json, "shared", json_null());
        return;
    }
    json_object_set_new(json, "shared",
                        json_pack("{s:[s, s], s:I}", "versions", said->version, said->before, "since",
                                  (json_int_t)clock_clamp(said->shared_ms, clock_utc_ms())));
    if (!json_is_null(json_object_get(json, "notice")))
        return;
    snprintf(notice, sizeof notice,
             "two modules seem to share this id: it reports %s and %s in turn without a delivery in between",
             said->version, said->before);
    json_object_set_new(json, "notice", json_string(notice));
}

static json_t *to_json(struct device *device, const char *firmware)
{
    device_clamp(device, clock_utc_ms()); /* no time may be in the future */
    const char *const warnings[] = {doubt(device), NULL};
    bool confirmed = device->confirmed_version[0];
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o}",
        "device", device->device, "id_kind", identity_kind_name(device->id_kind), "firmware", firmware,
        "confirmed_version", field_text(device->confirmed_version), "confirmed_at",
        field_number(device->confirmed_ms), "confirmed_by",
        field_text(enum_name(&reported_by_names, device->confirmed_by)), "confirmed_authenticated",
        confirmed ? json_boolean(device_is_authenticated(device)) : json_null(), "confirmed_grade",
        field_text(grade_name(device->confirmed_grade)), "build_sha256",
        sha256_is_zero(&device->build) ? json_null() : field_hash(&device->build), "claim",
        claim_to_json(&device->claim), "asked_version", field_text(device->asked_version), "first_seen_at",
        field_number(device->first_seen_ms), "last_seen_at", field_number(device->last_seen_ms), "check_ins",
        (json_int_t)device->check_ins, "last_answer", device_answer_to_json(device), "blocked",
        device->blocked, "notice", field_text(device->notice), "warnings", field_warnings(warnings));
}

json_t *device_to_json(struct device *device, const char *firmware, const struct said *said)
{
    json_t *json = to_json(device, firmware);
    add_admin_fields(json, device);
    add_said(json, said);
    return json;
}

bool device_add_build(struct db *db, const struct device *device, json_t *json, struct error *err)
{
    char variant[VARIANT_SIZE], name[BUILD_NAME_SIZE];
    bool found = !sha256_is_zero(&device->build) && device->confirmed_version[0];
    if (found && !image_variant_of(db, device->firmware_id, device->confirmed_version, &device->build,
                                   variant, &found, err))
        return false;
    if (found)
        name_write_build(device->confirmed_version, variant, name);
    json_object_set_new(json, "build_name", found ? json_string(name) : json_null());
    return true;
}

bool device_name_firmware(struct db *db, int64_t id, struct firmware *last, struct error *err)
{
    bool found = true;
    if (last->id == id)
        return true;
    if (!firmware_by_id(db, id, last, &found, err))
        return false;
    return found || error_set(err, ERROR_INTERNAL, "firmware %lld is gone", (long long)id);
}

static json_t *attempt_to_json(const struct attempt *attempt)
{
    bool pinned = attempt->size_bytes > 0; /* pinned to bytes */
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:o, "
        "s:o, s:o, s:o}",
        "attempt", (json_int_t)attempt->id, "from", attempt->from, "to", attempt->to, "target",
        attempt->target, "state", attempt_state_name(attempt->state), "bytes_acked",
        (json_int_t)attempt->bytes_acked, "size", field_number(attempt->size_bytes), "sha256",
        pinned ? field_hash(&attempt->package_sha256) : json_null(), "format", field_text(attempt->format),
        "proven", pinned ? json_boolean(attempt->proven) : json_null(), "released_by",
        field_text(attempt->released_by), "link", field_number(attempt->link_id), "origin",
        field_text(attempt->origin), "elsewhere", field_text(attempt->elsewhere), "beside", attempt->beside,
        "fetches", (json_int_t)attempt->fetches, "created_at", (json_int_t)attempt->created_ms, "sent_at",
        field_number(attempt->sent_ms), "delivered_at",
        field_number(attempt->by_proxy ? 0 : attempt->delivered_ms), "handed_over_at",
        field_number(attempt->by_proxy ? attempt->delivered_ms : 0), "ended_at",
        field_number(attempt->ended_ms));
    reason_to_json(json, "reason", attempt->reason);
    return json;
}

/* The result that the device itself sent, or null. */
static bool result_to_json(struct db *db, int64_t attempt_id, json_t **ret, struct error *err)
{
    struct turnkey turnkey;
    bool found;
    if (!turnkey_of_attempt(db, attempt_id, &turnkey, &found, err))
        return false;
    *ret = found && turnkey.result_ms
               ? json_pack("{s:I, s:s?, s:I}", "code", (json_int_t)turnkey.result_code, "meaning",
                           turnkey_meaning(turnkey.result_form, turnkey.result_code), "at",
                           (json_int_t)turnkey.result_ms)
               : json_null();
    return true;
}

/* A host that sends a growing log repeats the same statement about the same try. */
static bool is_said_before(const struct evidence *list, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (list[i].attempt_id == list[at].attempt_id && list[i].transcript_id != list[at].transcript_id &&
            strcmp(list[i].words, list[at].words) == 0)
            return true;
    return false;
}

/* What transcripts say about an attempt, in the order in which they arrived. */
static json_t *evidence_to_json(const struct evidence *list, size_t count, int64_t attempt_id)
{
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        if (list[i].attempt_id == attempt_id && !is_said_before(list, i))
            json_array_append_new(
                items, json_pack("{s:I, s:s, s:s, s:s}", "transcript", (json_int_t)list[i].transcript_id,
                                 "outcome", transcript_outcome_name(list[i].outcome), "cause",
                                 transcript_cause_name(list[i].cause), "words", list[i].words));
    return items;
}

static bool attempts_to_json(struct admin_call *call, int64_t device_id, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    _cleanup_(cleanup_free) struct evidence *evidence = NULL;
    size_t count, evidence_count;
    if (!attempt_list(call->db, device_id, ATTEMPTS_MAX, &list, &count, err) ||
        !evidence_list(call->db, device_id, &evidence, &evidence_count, err))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *result;
        if (!result_to_json(call->db, list[i].id, &result, err))
            return false;
        attempt_clamp(&list[i], clock_utc_ms());
        json_t *attempt = attempt_to_json(&list[i]);
        json_object_set_new(attempt, "result", result);
        json_object_set_new(attempt, "evidence", evidence_to_json(evidence, evidence_count, list[i].id));
        json_array_append_new(*ret, attempt);
    }
    return true;
}

/* For which origins the loop guard is closed; "" means all of them ("everybody"). */
static bool guard_to_json(struct admin_call *call, int64_t device_id, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) char(*list)[ORIGIN_SIZE] = NULL;
    size_t count;
    if (!guard_list(call->db, device_id, &list, &count, err))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(*ret, json_string(list[i][0] ? list[i] : "everybody"));
    return true;
}

/* The id of the device in the place of a retired one, with its kind; null: there is none. */
static bool successor_to_json(struct db *db, const struct device *device, json_t **ret, struct error *err)
{
    struct device successor;
    bool found = false;
    if (device->replaced_by && !device_by_id(db, device->replaced_by, &successor, &found, err))
        return false;
    *ret =
        found ? json_sprintf("%s:%s", identity_kind_name(successor.id_kind), successor.device) : json_null();
    return true;
}

/* The bytes that the device was sent in this month, on the clock of its firmware. */
static bool traffic_to_json(struct db *db, const struct device *device, const struct firmware *firmware,
                            json_t **ret, struct error *err)
{
    const struct hours hours = hours_of(firmware->hours);
    char text[MONTH_TEXT_SIZE];
    int64_t month = hours_month(&hours, clock_utc_ms()), bytes;
    if (!traffic_of(db, device->id, month, &bytes, err))
        return false;
    *ret = json_pack("{s:s, s:I}", "month", hours_month_text(month, text), "bytes", (json_int_t)bytes);
    return true;
}

/* The secret that the device used last, and the last one of another owner with which its id came. */
static bool add_secrets(struct db *db, int64_t product_id, int64_t device_id, json_t *json, struct error *err)
{
    struct device_secret_use used, conflict;
    struct device_secret secret = {.id = 0};
    int64_t now_ms = clock_utc_ms();
    if (!device_secret_used(db, device_id, &used, err) ||
        !device_secret_conflict(db, device_id, &conflict, err) ||
        (used.secret_id && !device_secret_get(db, product_id, used.secret_id, &secret, err)))
        return false;
    json_object_set_new(json, "secret",
                        used.secret_id ? json_pack("{s:I, s:s, s:I}", "secret", (json_int_t)used.secret_id,
                                                   "of", secret.device_id ? "device" : "product", "used_at",
                                                   (json_int_t)clock_clamp(used.at_ms, now_ms))
                                       : json_null());
    json_object_set_new(json, "secret_conflict",
                        conflict.secret_id ? json_pack("{s:I, s:I}", "secret", (json_int_t)conflict.secret_id,
                                                       "at", (json_int_t)clock_clamp(conflict.at_ms, now_ms))
                                           : json_null());
    explicit_bzero(&secret, sizeof secret);
    return true;
}

bool admin_device_answer(struct admin_call *call, struct device *device, struct error *err)
{
    _cleanup_(cleanup_json) json_t *links = NULL;
    _cleanup_(cleanup_json) json_t *attempts = NULL;
    _cleanup_(cleanup_json) json_t *blocked_for = NULL;
    struct firmware firmware = {.id = 0};
    if (!device_name_firmware(call->db, device->firmware_id, &firmware, err) ||
        !guard_to_json(call, device->id, &blocked_for, err) ||
        !admin_links_json(call, device->id, 0, &links, err) ||
        !attempts_to_json(call, device->id, &attempts, err))
        return false;
    struct said said;
    struct campaign_member member;
    json_t *successor, *traffic;
    if (!campaign_member_load(call->db, &firmware, device, clock_utc_ms(), &member, err) ||
        !said_of(call->db, device->id, &said, err) ||
        !traffic_to_json(call->db, device, &firmware, &traffic, err))
        return false;
    if (!successor_to_json(call->db, device, &successor, err)) {
        json_decref(traffic);
        return false;
    }
    json_t *json = device_to_json(device, firmware.name, &said);
    json_object_set_new(json, "replaced_by", successor);
    json_object_set_new(json, "traffic", traffic);
    json_object_set_new(json, "campaign", campaign_member_to_json(&member, device));
    json_object_set(json, "blocked_for", blocked_for);
    json_object_set(json, "links", links);
    json_object_set(json, "attempts", attempts);
    if (!device_add_build(call->db, device, json, err) ||
        !add_secrets(call->db, device->product_id, device->id, json, err)) {
        json_decref(json);
        return false;
    }
    reply_json(&call->reply, 200, json);
    return true;
}

bool admin_device_show(struct admin_call *call, struct error *err)
{
    struct product product;
    struct device device;
    call_store_counts(call);
    return path_params_device(call->request, call->db, &product, &device, err) &&
           admin_device_answer(call, &device, err);
}
