/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/package_format.h"
#include "server/access/signing_key.h"
#include "server/admin/content.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/build/scheduler.h"
#include "server/core/log.h"
#include "server/planning/package_key.h"
#include "server/planning/request.h"
#include "server/admin/event_by.h"
#include "server/admin/reason.h"
#include "server/ledger/event.h"
#include "storage/improvement.h"
#include "upgrade/full.h"

static bool find_images(const struct request *request, struct db *db, struct hop *ret, struct error *err)
{
    struct version from, to;
    char from_text[VERSION_TEXT_SIZE], to_text[VERSION_TEXT_SIZE];
    if (!path_params_version(request, 2, ret->firmware.name, &from, err) ||
        !path_params_version(request, 3, ret->firmware.name, &to, err))
        return false;
    version_format(&from, from_text);
    version_format(&to, to_text);
    int order = version_compare(&from, &to);
    if (order == 0)
        return error_set(err, ERROR_NOT_AN_UPGRADE,
                         "both versions are %s: a package needs two different versions", to_text);
    if (order > 0 && !ret->firmware.downgrades)
        return error_set(err, ERROR_NOT_AN_UPGRADE,
                         "%s is not above %s, and downgrades are not allowed for this firmware", to_text,
                         from_text);
    return path_params_build(request, db, ret->firmware.id, from_text, "from_variant", &ret->from, err) &&
           path_params_build(request, db, ret->firmware.id, to_text, "to_variant", &ret->to, err);
}

static bool find_package(const struct request *request, struct db *db, struct hop *hop, struct error *err)
{
    package_key_of(request->context, &hop->firmware, &hop->from, &hop->to, &hop->key);
    return package_find(db, &hop->key, &hop->package, &hop->found, err);
}

bool hop_find(const struct request *request, struct db *db, struct hop *ret, struct error *err)
{
    if (!path_params_firmware(request, db, &ret->product, &ret->firmware, err) ||
        !find_images(request, db, ret, err))
        return false;
    if (!ret->firmware.format[0])
        return error_set(err, ERROR_FORMAT_NOT_SET,
                         "firmware %s has no package format: set the one that its modules can apply",
                         ret->firmware.name);
    return find_package(request, db, ret, err);
}

bool hop_find_asked(const struct request *request, struct db *db, struct hop *ret, struct error *err)
{
    char from[BUILD_NAME_SIZE], to[BUILD_NAME_SIZE];
    if (!hop_find(request, db, ret, err))
        return false;
    image_build_name(&ret->from, from);
    image_build_name(&ret->to, to);
    return ret->found || error_set(err, ERROR_PACKAGE_NOT_FOUND,
                                   "the package %s→%s does not exist: ask for it first", from, to);
}

static bool is_of_csdk(const struct package *package)
{
    return strcmp(package->key.format, FULL_FORMAT) == 0;
}

/* The limit of a full package of CSDK is that of the module. */
static int64_t limit_of(const struct firmware *firmware, const struct package *package)
{
    return is_of_csdk(package) ? PACKAGE_FORMAT_EC618_FULL_MAX : firmware->max_package_bytes;
}

/* Computed each time, never stored: a changed limit applies at once. */
static bool is_oversize(const struct firmware *firmware, const struct package *package,
                        char reason[REASON_SIZE])
{
    int64_t counted = package_counted(package), limit = limit_of(firmware, package);
    if (counted <= limit)
        return false;
    reason_write(reason, REASON_SIZE,
                 REASON(package->uncounted_bytes ? REASON_HOP_CORE_OVERSIZE : REASON_HOP_OVERSIZE,
                        R_NUMBER(counted), R_NUMBER(limit)));
    return true;
}

/* Adds how the package was made. */
static void add_making(json_t *json, const struct package *package)
{
    static const char *const efforts[] = {"", "quick", "good", "best"};
    size_t effort = (size_t)package->effort % (sizeof efforts / sizeof *efforts);
    json_object_set_new(json, "origin", field_text(enum_name(&package_origin_names, package->origin)));
    json_object_set_new(json, "effort", field_text(efforts[effort]));
    json_object_set_new(json, "note", field_text(package->note));
}

/* Adds who uploaded and who released the package. */
static void add_trust(json_t *json, const struct package *package)
{
    json_t *released = json_null();
    if (package->released_ms)
        released = json_pack("{s:I, s:o, s:o}", "at", (json_int_t)package->released_ms, "by",
                             field_text(package->released_by), "note", field_text(package->released_note));
    json_object_set_new(json, "uploaded_by", field_text(package->uploaded_by));
    json_object_set_new(json, "released", released);
    json_t *quarantine = json_null();
    if (package->quarantine[0]) {
        quarantine = json_pack("{s:I}", "at", (json_int_t)package->quarantined_ms);
        reason_to_json(quarantine, "reason", package->quarantine);
    }
    json_object_set_new(json, "quarantine", quarantine);
}

/* True: a smaller package may follow. More effort is being spent now, or will be because this one is a
   little over the limit. */
static bool is_improving(const struct daemon *daemon, const struct firmware *firmware,
                         const struct package *package)
{
    return (package_state(package) == PACKAGE_READY &&
            improvement_may_fit(package_counted(package), package->tried, firmware->max_package_bytes)) ||
           scheduler_is_improving(daemon->scheduler, package->id);
}

static json_t *ends_to_json(const char *from, const char *from_variant, const char *to,
                            const char *to_variant)
{
    return json_pack("{s:s, s:o, s:s, s:o}", "from", from, "from_variant", field_text(from_variant), "to", to,
                     "to_variant", field_text(to_variant));
}

/* Takes over `ends`. */
static json_t *to_json(const struct daemon *daemon, const struct firmware *firmware, json_t *ends,
                       const struct package *package)
{
    char reason[REASON_SIZE];
    bool ready = package->size_bytes > 0, oversize = is_oversize(firmware, package, reason);
    bool timed = package->started_ms && package->finished_ms >= package->started_ms;
    json_t *json = ends;
    json_t *made = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:I, s:b, s:I, s:I, s:o, s:o}", "format", package->key.format, "state",
        oversize ? "oversize" : enum_name(&package_state_names, package->state), "size",
        field_number(package->size_bytes), "counted",
        ready ? json_integer((json_int_t)package_counted(package)) : json_null(), "sha256",
        ready ? field_hash(&package->sha256) : json_null(), "limit", (json_int_t)limit_of(firmware, package),
        "proven", ready && package->proven, "crashes", (json_int_t)package->crashes, "queued_at",
        (json_int_t)package->queued_ms, "finished_at", field_number(package->finished_ms), "duration_ms",
        timed ? json_integer(package->finished_ms - package->started_ms) : json_null());
    json_object_update(json, made);
    json_decref(made);
    reason_to_json(json, "error", oversize ? reason : package->error);
    add_making(json, package);
    add_trust(json, package);
    json_object_set_new(json, "improving", json_boolean(is_improving(daemon, firmware, package)));
    return json;
}

json_t *hop_to_json(const struct daemon *daemon, const struct hop *hop)
{
    return to_json(daemon, &hop->firmware,
                   ends_to_json(hop->from.version, hop->from.variant, hop->to.version, hop->to.variant),
                   &hop->package);
}

/* Takes over `by`. */
static json_t *hop_detail(const struct hop *hop, json_t *by)
{
    return json_pack("{s:o, s:s, s:s, s:o*, s:s, s:o*}", "by", by, "format", hop->key.format, "from",
                     hop->from.version, "from_variant", event_text(hop->from.variant), "to", hop->to.version,
                     "to_variant", event_text(hop->to.variant));
}

bool hop_note(const struct request *request, struct db *db, const struct hop *hop, enum ledger_kind kind,
              const char *by, json_t *more, struct error *err)
{
    const struct event event = {.kind = kind,
                                .product = hop->product.product_key,
                                .firmware = hop->firmware.name,
                                .package = hop->package.size_bytes ? &hop->package.sha256 : NULL};
    json_t *detail = hop_detail(hop, by ? event_by_name(request, by) : event_by(request));
    if (more)
        json_object_update(detail, more);
    json_decref(more);
    return event_add(db, &event, detail, err);
}

/* Equal bytes under two versions are two rows of one package. Only the way up can be asked for, unless the
   firmware allows downgrades. */
static bool may_go(const struct firmware *firmware, const struct package_of_firmware *row)
{
    struct version from, to;
    return version_parse(slice_of(row->from), &from) && version_parse(slice_of(row->to), &to) &&
           (firmware->downgrades || version_compare(&from, &to) < 0);
}

/* The full packages of CSDK, which lead from any version. */
static bool add_full_packages(struct admin_call *call, const struct firmware *firmware, json_t *items,
                              struct error *err)
{
    _cleanup_(cleanup_free) struct image *images = NULL;
    size_t count;
    if (!image_list(call->db, firmware->id, &images, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct package_key key;
        struct package package;
        bool found;
        package_key_of_whole(firmware, &images[i], &key);
        if (!package_find(call->db, &key, &package, &found, err))
            return false;
        if (found)
            json_array_append_new(
                items, to_json(call->daemon, firmware,
                               ends_to_json("any", "", images[i].version, images[i].variant), &package));
    }
    return true;
}

bool admin_package_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct package_of_firmware *list = NULL;
    struct product product;
    struct firmware firmware;
    size_t count;
    if (!path_params_firmware(call->request, call->db, &product, &firmware, err) ||
        !package_list(call->db, firmware.id, &list, &count, err))
        return false;
    json_t *items = json_array();
    if (!add_full_packages(call, &firmware, items, err)) {
        json_decref(items);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (may_go(&firmware, &list[i]))
            json_array_append_new(items, to_json(call->daemon, &firmware,
                                                 ends_to_json(list[i].from, list[i].from_variant, list[i].to,
                                                              list[i].to_variant),
                                                 &list[i].package));
    return list_answer(call, &list_packages, items, err);
}

bool admin_package_show(struct admin_call *call, struct error *err)
{
    struct hop hop;
    char log[PACKAGE_LOG_SIZE];
    if (!hop_find_asked(call->request, call->db, &hop, err) ||
        !package_log(call->db, hop.package.id, log, sizeof log, err))
        return false;
    json_t *json = hop_to_json(call->daemon, &hop);
    json_object_set_new(json, "log", field_text(log));
    reply_json(&call->reply, 200, json);
    return true;
}

/* Asking */

struct ask {
    const struct admin_call *call;
    struct hop hop;
};

static bool note_asked(const struct ask *wanted, struct db *db, struct error *err)
{
    const struct hop *hop = &wanted->hop;
    const struct event event = {
        .kind = LEDGER_PACKAGE_ASKED, .product = hop->product.product_key, .firmware = hop->firmware.name};
    return event_add(db, &event, hop_detail(hop, event_by(wanted->call->request)), err);
}

static bool ask(void *cls, struct db *db, struct error *err)
{
    struct ask *wanted = cls;
    struct hop *hop = &wanted->hop;
    const struct package_request request = {.firmware = &hop->firmware,
                                            .from = &hop->from,
                                            .to = &hop->to,
                                            .requeue_failed = true,
                                            .now_ms = clock_utc_ms()};
    return hop_find(wanted->call->request, db, hop, err) &&
           package_request(db, wanted->call->daemon, &request, err) &&
           find_package(wanted->call->request, db, hop, err) && note_asked(wanted, db, err);
}

bool admin_package_ask(struct admin_call *call, struct error *err)
{
    struct ask wanted = {.call = call};
    struct hop *hop = &wanted.hop;
    if (!call_change(call, ask, &wanted, err))
        return false;
    bool made = hop->package.size_bytes > 0;
    if (!made)
        log_line(LOG_LEVEL_INFO, "package-asked", "product", hop->product.product_key, "firmware",
                 hop->firmware.name, "from", hop->from.version, "to", hop->to.version, NULL);
    reply_json(&call->reply, made ? 200 : 202, hop_to_json(call->daemon, hop));
    return true;
}

/* Content */

static bool check_served(const struct hop *hop, struct error *err)
{
    const struct package *package = &hop->package;
    char reason[REASON_SIZE], text[REASON_TEXT_SIZE];
    if (is_oversize(&hop->firmware, package, reason))
        return error_set(err, ERROR_PACKAGE_OVERSIZE, "%s", reason_text(reason, REASON_ENGLISH, text));
    if (package_state(package) == PACKAGE_FAILED)
        return error_set(err, ERROR_PACKAGE_NOT_READY, "the package could not be made: %s", package->error);
    if (package_state(package) == PACKAGE_UNPROVEN)
        return error_set(err, ERROR_PACKAGE_NOT_READY,
                         "the package is unproven: an admin must release it first");
    return package_state(package) == PACKAGE_READY ||
           error_set(err, ERROR_PACKAGE_NOT_READY, "the package is %s",
                     enum_name(&package_state_names, package->state));
}

static bool make_again(void *cls, struct db *db, struct error *err)
{
    const struct event event = {.kind = LEDGER_PACKAGE_LOST, .package = cls};
    return package_make_again(db, cls, clock_utc_ms(), err) &&
           event_add(db, &event,
                     json_pack("{s:s}", "reason", "the file is damaged: the package is made again"), err);
}

/* A damaged file is never sent; the package is made again. */
static bool take_back(struct admin_call *call, struct hop *hop, struct error *err)
{
    struct error damage = *err;
    log_line(LOG_LEVEL_ERROR, "blob-corrupt", "product", hop->product.product_key, "firmware",
             hop->firmware.name, "from", hop->from.version, "to", hop->to.version, "error", damage.text,
             NULL);
    if (!call_change(call, make_again, &hop->package.sha256, err))
        return false;
    scheduler_wake(call->daemon->scheduler);
    return error_set(err, ERROR_CORRUPT,
                     "the file of the package %s→%s is damaged on the disk: the package is made again",
                     hop->from.version, hop->to.version);
}

bool admin_package_content(struct admin_call *call, struct error *err)
{
    struct hop hop;
    char name[FIRMWARE_NAME_SIZE + 2 * VERSION_TEXT_SIZE + FORMAT_SIZE];
    if (!hop_find_asked(call->request, call->db, &hop, err) || !check_served(&hop, err))
        return false;
    snprintf(name, sizeof name, "%s_%s-%s.%s", hop.firmware.name, hop.from.version, hop.to.version,
             hop.package.key.format);
    if (!content_answer_blob(call, &hop.package.sha256, name, err))
        return err->code == ERROR_CORRUPT ? take_back(call, &hop, err) : false;
    if (call->reply.status >= 400)
        return true; /* a range behind the end */
    struct signature signature;
    _cleanup_(cleanup_free) char *text = NULL;
    if (signature_make_package(call->daemon->signing_key->key, &hop.package.sha256, &signature))
        text = signature_base64(signature.byte, sizeof signature.byte);
    reply_header(&call->reply, "X-Dfota-Signature", "%s", text ? text : "");
    return true;
}

/* Of the same bytes, without them: 64 bytes, for openssl and for programs on hosts. */
bool admin_package_signature(struct admin_call *call, struct error *err)
{
    struct hop hop;
    struct signature signature;
    if (!hop_find_asked(call->request, call->db, &hop, err) || !check_served(&hop, err))
        return false;
    if (!signature_make_package(call->daemon->signing_key->key, &hop.package.sha256, &signature))
        return error_set(err, ERROR_INTERNAL, "the package cannot be signed");
    reply_text(&call->reply, 200, "application/octet-stream", (const char *)signature.byte,
               sizeof signature.byte);
    return true;
}
