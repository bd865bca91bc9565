/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages that were made elsewhere: upload for one pair of images, proof if that is possible, and
   removal. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/firmware_limit.h"
#include "server/admin/handlers.h"
#include "server/admin/upload_stream.h"
#include "server/admin/package.h"
#include "server/build/inspect.h"
#include "server/build/uncounted.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"

struct delivery {
    struct upload_stream intake; /* must be first */
    char by[ADMIN_NAME_SIZE];
    bool raw; /* ?format=raw */
};

/* During the upload */

static bool read_by(const struct request *request, char by[ADMIN_NAME_SIZE], struct error *err)
{
    bool found;
    return request_query(request, "by", by, ADMIN_NAME_SIZE, &found, err) &&
           (by[0] || error_set(err, ERROR_INVALID, "say who uploads this package: add by=NAME"));
}

static bool look_up(const struct request *request, struct db *db, void *cls, struct error *err)
{
    struct delivery *delivery = cls;
    struct hop hop;
    return hop_find(request, db, &hop, err) && read_by(request, delivery->by, err) &&
           upload_stream_read_raw(request, &delivery->raw, err);
}

static bool begin(struct request *request, struct error *err)
{
    static const char what[] = "a package";
    _cleanup_(cleanup_free) struct delivery *delivery = calloc(1, sizeof *delivery);
    if (!delivery)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!upload_stream_check(request, what, err) || !upload_stream_look_up(request, look_up, delivery, err) ||
        !upload_stream_begin(request, &delivery->intake, what, err))
        return false;
    delivery = NULL;
    return true;
}

const struct route_stream admin_upload_package = {begin, upload_stream_data, upload_stream_end};

/* After the upload */

struct arrival {
    const struct admin_call *call;
    const struct delivery *delivery;
    struct hop hop; /* as it was when the file was inspected; later as it is stored */
    struct package_made made;
    char note[PACKAGE_NOTE_SIZE];
    struct sha256 replaced; /* the bytes that were there before */
    bool had_bytes, same;   /* there were bytes before; they were uploaded too and are the same */
};

/* Writer's thread. The file was inspected for one format and two images: they must not have changed since. */
static bool put(void *cls, struct db *db, struct error *err)
{
    struct arrival *arrival = cls;
    struct hop now;
    if (!hop_find(arrival->call->request, db, &now, err))
        return false;
    if (!package_key_equal(&now.key, &arrival->hop.key))
        return error_set(
            err, ERROR_PACKAGE_CHANGED,
            "the package format of the firmware was changed during the upload: upload the package again");
    arrival->had_bytes = now.found && now.package.size_bytes > 0;
    arrival->replaced = now.package.sha256;
    arrival->same = arrival->had_bytes && now.package.origin == PACKAGE_UPLOADED &&
                    now.package.proven == arrival->made.proven &&
                    now.package.uncounted_bytes == arrival->made.uncounted_bytes &&
                    sha256_equal(&now.package.sha256, &arrival->made.sha256);
    arrival->hop = now;
    if (arrival->same)
        return true;
    return package_put_uploaded(db, &now.key, &arrival->made, arrival->delivery->by, clock_utc_ms(), err) &&
           hop_find(arrival->call->request, db, &arrival->hop, err) &&
           hop_note(arrival->call->request, db, &arrival->hop, LEDGER_PACKAGE_UPLOADED, NULL,
                    json_pack("{s:b, s:I}", "proven", arrival->made.proven, "size",
                              (json_int_t)arrival->made.size_bytes),
                    err);
}

static void log_arrival(const struct arrival *arrival)
{
    const struct hop *hop = &arrival->hop;
    struct log_number size;
    char hex[SHA256_HEX_SIZE], before[SHA256_HEX_SIZE];
    sha256_hex(&hop->package.sha256, hex);
    sha256_hex(&arrival->replaced, before);
    log_line(LOG_LEVEL_INFO, "package-uploaded", "product", hop->product.product_key, "firmware",
             hop->firmware.name, "from", hop->from.version, "to", hop->to.version, "format", hop->key.format,
             "by", hop->package.uploaded_by, "size", log_i64(&size, hop->package.size_bytes), "sha256", hex,
             "proven", hop->package.proven ? "yes" : "no", "replaced", arrival->had_bytes ? before : NULL,
             NULL);
}

/* Adds the admin's statement to the note of the package. */
static void admit_raw(const struct content *content, char note[PACKAGE_NOTE_SIZE])
{
    char before[PACKAGE_NOTE_SIZE];
    memcpy(before, note, sizeof before);
    snprintf(note, PACKAGE_NOTE_SIZE,
             "accepted because the admin said format=raw, but it looks like %.150s%s%.*s", content->summary,
             before[0] ? "; " : "", PACKAGE_NOTE_SIZE > 220 ? PACKAGE_NOTE_SIZE - 220 : 0, before);
}

bool admin_package_upload(struct admin_call *call, struct error *err)
{
    struct delivery *delivery = call->request->stream_state;
    struct arrival arrival = {
        .call = call, .delivery = delivery, .made = {.origin = PACKAGE_UPLOADED, .log = ""}};
    struct content content;
    struct firmware_limit limit;
    if (!upload_stream_check_whole(&delivery->intake, err) ||
        !hop_find(call->request, call->db, &arrival.hop, err) ||
        !firmware_limit_find(call->daemon->config, call->db, &arrival.hop.firmware, &limit, err))
        return false;
    const char *path = blob_writer_path(delivery->intake.blob);
    const struct inspect_pair pair = {&arrival.hop.from, &arrival.hop.to, &arrival.hop.firmware,
                                      delivery->raw, limit.chip ? limit.chip->name : NULL};
    inspect_upload(call->daemon, path, &content);
    if (!inspect_accept_package(call->daemon, &content, path, &pair, &arrival.made.proven, arrival.note, err))
        return false;
    if (delivery->raw && strcmp(content.kind, "raw") != 0)
        admit_raw(&content, arrival.note);
    arrival.made.note = arrival.note;
    if (arrival.made.proven &&
        !uncounted_read(path, arrival.hop.key.format, &arrival.made.uncounted_bytes, err))
        return false;
    arrival.made.size_bytes = (int64_t)blob_written(delivery->intake.blob);
    if (!blob_commit(call->daemon->writer, call->daemon->blobs, upload_stream_take(&delivery->intake),
                     &arrival.made.sha256, put, &arrival, err))
        return false;
    if (!arrival.same)
        log_arrival(&arrival);
    if (arrival.had_bytes && !arrival.same)
        blob_remove_unused(call->daemon->writer, call->daemon->blobs, &arrival.replaced, 1);
    reply_json(&call->reply, arrival.same ? 200 : 201, hop_to_json(call->daemon, &arrival.hop));
    LOCATE(call, "products", arrival.hop.product.product_key, "firmware", arrival.hop.firmware.name,
           "packages", arrival.hop.from.version, arrival.hop.to.version);
    return true;
}

/* Forgetting */

struct forgetting {
    const struct admin_call *call;
    struct hop hop;
};

static bool forget(void *cls, struct db *db, struct error *err)
{
    struct forgetting *forgetting = cls;
    struct hop *hop = &forgetting->hop;
    if (!hop_find_asked(forgetting->call->request, db, hop, err))
        return false;
    if (hop->package.origin != PACKAGE_UPLOADED)
        return error_set(err, ERROR_NOT_UPLOADED,
                         "the package %s→%s was not uploaded: only uploaded packages can be forgotten",
                         hop->from.version, hop->to.version);
    return package_forget(db, hop->package.id, err) &&
           hop_note(forgetting->call->request, db, hop, LEDGER_PACKAGE_FORGOTTEN, NULL, NULL, err);
}

bool admin_package_forget(struct admin_call *call, struct error *err)
{
    struct forgetting forgetting = {.call = call};
    struct hop *hop = &forgetting.hop;
    char hex[SHA256_HEX_SIZE];
    if (!call_change(call, forget, &forgetting, err))
        return false;
    sha256_hex(&hop->package.sha256, hex);
    log_line(LOG_LEVEL_INFO, "package-forgotten", "product", hop->product.product_key, "firmware",
             hop->firmware.name, "from", hop->from.version, "to", hop->to.version, "sha256",
             hop->package.size_bytes ? hex : NULL, NULL);
    if (hop->package.size_bytes)
        blob_remove_unused(call->daemon->writer, call->daemon->blobs, &hop->package.sha256, 1);
    return true;
}
