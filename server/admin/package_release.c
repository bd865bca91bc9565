/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Release of an unproven package: devices get it after an admin has taken responsibility for exactly these
   bytes, with a name and a reason. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/package.h"
#include "server/core/log.h"

struct release {
    const struct admin_call *call;
    struct sha256 sha256; /* of the bytes that the admin has checked */
    const char *by, *note;
    struct hop hop;
};

static bool read_body(const struct admin_call *call, json_t **body, struct release *ret, struct error *err)
{
    const char *sha256;
    if (!call_body(call, body, err))
        return false;
    if (!body_unpack(*body, err, "{s:s, s:s, s:s}", "sha256", &sha256, "by", &ret->by, "note", &ret->note))
        return false;
    return call_check_text("by", ret->by, ADMIN_NAME_SIZE - 1, err) &&
           call_check_text("note", ret->note, PACKAGE_NOTE_SIZE - 1, err) &&
           (sha256_from_hex(slice_of(sha256), &ret->sha256) ||
            error_set(err, ERROR_INVALID, "sha256 must be the 64 hex digits of the package to release"));
}

static bool release(void *cls, struct db *db, struct error *err)
{
    struct release *wanted = cls;
    struct hop *hop = &wanted->hop;
    const struct request *request = wanted->call->request;
    if (!hop_find_asked(request, db, hop, err))
        return false;
    const struct package *package = &hop->package;
    char hex[SHA256_HEX_SIZE];
    sha256_hex(&package->sha256, hex);
    if (!package->size_bytes || package->state != PACKAGE_READY)
        return error_set(err, ERROR_PACKAGE_NOT_READY, "the package is %s: there is nothing to release",
                         enum_name(&package_state_names, package->state));
    if (!sha256_equal(&package->sha256, &wanted->sha256))
        return error_set(err, ERROR_PACKAGE_CHANGED, "the package %s→%s has another SHA-256: %s",
                         hop->from.version, hop->to.version, hex);
    if (package->proven)
        return error_set(err, ERROR_NOT_UNPROVEN, "the package is proven: it needs no release");
    return package_release(db, package->id, hop->firmware.id, wanted->by, wanted->note, clock_utc_ms(),
                           err) &&
           hop_find_asked(request, db, hop, err) &&
           hop_note(request, db, hop, LEDGER_PACKAGE_RELEASED, wanted->by,
                    json_pack("{s:o}", "note", event_text(wanted->note)), err);
}

bool admin_package_release(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct release wanted = {.call = call};
    struct hop *hop = &wanted.hop;
    char hex[SHA256_HEX_SIZE];
    if (!read_body(call, &body, &wanted, err) || !call_change(call, release, &wanted, err))
        return false;
    sha256_hex(&hop->package.sha256, hex);
    log_line(LOG_LEVEL_WARN, "package-released", "product", hop->product.product_key, "firmware",
             hop->firmware.name, "from", hop->from.version, "to", hop->to.version, "sha256", hex, "by",
             wanted.by, "note", wanted.note, NULL);
    reply_json(&call->reply, 200, hop_to_json(call->daemon, hop));
    return true;
}

static bool take_back(void *cls, struct db *db, struct error *err)
{
    struct release *wanted = cls;
    if (!hop_find_asked(wanted->call->request, db, &wanted->hop, err))
        return false;
    return !wanted->hop.package.released_ms ||
           (package_take_back(db, wanted->hop.package.id, wanted->hop.firmware.id, err) &&
            hop_note(wanted->call->request, db, &wanted->hop, LEDGER_RELEASE_TAKEN_BACK, NULL, NULL, err));
}

bool admin_package_take_back(struct admin_call *call, struct error *err)
{
    struct release wanted = {.call = call};
    const struct hop *hop = &wanted.hop;
    char hex[SHA256_HEX_SIZE];
    if (!call_change(call, take_back, &wanted, err))
        return false;
    sha256_hex(&hop->package.sha256, hex);
    if (hop->package.released_ms)
        log_line(LOG_LEVEL_INFO, "package-release-ended", "product", hop->product.product_key, "firmware",
                 hop->firmware.name, "from", hop->from.version, "to", hop->to.version, "sha256", hex, NULL);
    return true;
}
