/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/attention.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/backup_result.h"
#include "server/admin/reason.h"
#include "server/campaign/life.h"
#include "storage/outbox.h"
#include "storage/webhook.h"

#define TEXT_SIZE         600
#define PATH_SIZE         1024
#define CONFLICT_SHOWN_MS (7 * DAY_MS)

/* ---- Items ---- */

void attention_put(struct attention *attention, const char *kind, json_t *subject, int64_t since_ms,
                   json_t *action, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    if (json_array_size(attention->items) == ATTENTION_MAX) {
        attention->more = true;
        json_decref(subject);
        json_decref(action);
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_object_set_new(subject, "kind", json_string(kind));
    json_object_set_new(subject, "text", field_text(text));
    json_object_set_new(subject, "since", field_number(since_ms));
    json_object_set_new(subject, "action", action);
    json_array_append_new(attention->items, subject);
}

json_t *attention_action(const char *name, const char *method, const char *format, ...)
{
    char path[PATH_SIZE] = "";
    va_list args;
    va_start(args, format);
    if (method)
        vsnprintf(path, sizeof path, format, args);
    va_end(args);
    return json_pack("{s:s, s:o, s:o}", "do", name, "method", field_text(method), "path", field_text(path));
}

const char *attention_encode(const char *name, char out[3 * FIRMWARE_NAME_SIZE])
{
    if (!slice_percent_encode(slice_of(name), out, 3 * FIRMWARE_NAME_SIZE))
        out[0] = '\0';
    return out;
}

/* How many of a list of ATTENTION_OF_KIND + 1 rows are shown. */
static size_t shown(struct attention *attention, size_t count)
{
    attention->more |= count > ATTENTION_OF_KIND;
    return count > ATTENTION_OF_KIND ? ATTENTION_OF_KIND : count;
}

/* The product that the caller may see; "": all. */
static const char *product_of(const struct attention *attention)
{
    return attention->call->request->actor.product;
}

/* ---- Campaigns ---- */

static json_t *campaign_subject(const struct product *product, const struct firmware *firmware,
                                const struct campaign *campaign)
{
    return json_pack("{s:s, s:s, s:I, s:s, s:s}", "product", product->product_key, "firmware", firmware->name,
                     "campaign", (json_int_t)campaign->id, "name", campaign->name, "target",
                     campaign->target);
}

static bool put_campaign(struct attention *attention, const struct campaign *campaign, struct error *err)
{
    struct db *db = attention->call->db;
    char encoded[3 * FIRMWARE_NAME_SIZE], why[REASON_TEXT_SIZE];
    struct firmware firmware;
    struct product product;
    int64_t paused_ms = 0;
    bool found;
    if (!firmware_by_id(db, campaign->firmware_id, &firmware, &found, err) ||
        !product_by_id(db, firmware.product_id, &product, &found, err))
        return false;
    const struct overview_campaign names = {product.product_key, firmware.name, campaign->name};
    if (campaign->state == CAMPAIGN_PAUSED && !overview_paused_ms(db, &names, &paused_ms, err))
        return false;
    json_t *subject = campaign_subject(&product, &firmware, campaign);
    if (campaign->state != CAMPAIGN_PAUSED) {
        json_object_set_new(subject, "stage", json_integer((json_int_t)campaign->asked_stage));
        attention_put(
            attention, "stage-waits", subject, 0,
            attention_action("approve", "POST", "/products/%s/firmware/%s/campaigns/%lld/approve?stage=%lld",
                             product.product_key, attention_encode(firmware.name, encoded),
                             (long long)campaign->id, (long long)campaign->asked_stage),
            "campaign %s: stage %lld waits for approval", campaign->name, (long long)campaign->asked_stage);
    } else if (campaign->breach) {
        json_object_set_new(subject, "stage", json_integer((json_int_t)campaign->breach_stage + 1));
        reason_to_json(subject, "reason", campaign->paused_why);
        attention_put(attention, "gate-broken", subject, paused_ms, attention_action("decide", NULL, " "),
                      "campaign %s is paused: %s", campaign->name,
                      reason_text(campaign->paused_why, REASON_ENGLISH, why));
    } else {
        attention_put(
            attention, "campaign-done", subject, paused_ms, attention_action("decide", NULL, " "),
            "campaign %s has finished its last stage, and is paused: resume it for later devices, or cancel it",
            campaign->name);
    }
    return true;
}

static bool put_campaigns(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    size_t count;
    if (!overview_campaigns(attention->call->db, product_of(attention), ATTENTION_MAX, &ids, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct campaign campaign;
        bool found;
        if (!campaign_by_id(attention->call->db, ids[i], &campaign, &found, err) ||
            (found && !put_campaign(attention, &campaign, err)))
            return false;
    }
    return true;
}

/* ---- Hops and devices ---- */

#define QUERY_SIZE (2 * VARIANT_SIZE + 32)

/* Which of several builds the package is made from and for: the query of its path. "" if the versions say it. */
static void query_of(const struct overview_hop *hop, char out[QUERY_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    if (hop->from_several)
        used = (size_t)snprintf(out, QUERY_SIZE, "?from_variant=%s", hop->from_variant);
    if (hop->to_several)
        snprintf(out + used, QUERY_SIZE - used, "%c%s=%s", used ? '&' : '?',
                 hop->from[0] ? "to_variant" : "variant", hop->to_variant);
}

static bool put_quarantines(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_hop *hops = NULL;
    char encoded[3 * FIRMWARE_NAME_SIZE], why[REASON_TEXT_SIZE];
    size_t count;
    if (!overview_quarantines(attention->call->db, product_of(attention), ATTENTION_OF_KIND + 1, &hops,
                              &count, err))
        return false;
    count = shown(attention, count);
    for (size_t i = 0; i < count; i++) {
        const struct overview_hop *hop = &hops[i];
        json_t *subject = json_pack("{s:s, s:s, s:o, s:s}", "product", hop->product, "firmware",
                                    hop->firmware, "from", field_text(hop->from), "to", hop->to);
        const char *firmware = attention_encode(hop->firmware, encoded);
        reason_to_json(subject, "reason", hop->reason);
        char query[QUERY_SIZE];
        query_of(hop, query);
        json_t *action =
            hop->from[0]
                ? attention_action("lift", "DELETE", "/products/%s/firmware/%s/packages/%s/%s/quarantine%s",
                                   hop->product, firmware, hop->from, hop->to, query)
                : attention_action("lift", "DELETE", "/products/%s/firmware/%s/images/%s/quarantine%s",
                                   hop->product, firmware, hop->to, query);
        attention_put(attention, "out-of-service", subject, hop->since_ms, action,
                      "the package %s%sto V%s is out of service: %s", hop->from[0] ? "from V" : "",
                      hop->from[0] ? hop->from : "", hop->to, reason_text(hop->reason, REASON_ENGLISH, why));
    }
    return true;
}

static json_t *subject_of_device(const struct overview_device *device)
{
    char id[IDENTITY_SIZE + 8];
    snprintf(id, sizeof id, "%s:%s", identity_kind_name(device->id_kind), device->device);
    return json_pack("{s:s, s:s, s:s}", "product", device->product, "firmware", device->firmware, "device",
                     id);
}

static bool put_claims(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_device *list = NULL;
    size_t count;
    if (!overview_claims(attention->call->db, product_of(attention), ATTENTION_OF_KIND + 1, &list, &count,
                         err))
        return false;
    count = shown(attention, count);
    for (size_t i = 0; i < count; i++) {
        json_t *subject = subject_of_device(&list[i]);
        json_object_set_new(subject, "version", json_string(list[i].version));
        json_object_set_new(subject, "confirmed", field_text(list[i].confirmed));
        attention_put(
            attention, "claim", subject, list[i].since_ms, attention_action("settle-claim", NULL, " "),
            "device %s has confirmed V%s; evidence of a lower grade says V%s, and changes nothing until an "
            "admin accepts it",
            list[i].device, list[i].confirmed, list[i].version);
    }
    return true;
}

static bool put_stale_links(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_device *list = NULL;
    size_t count;
    if (!overview_stale_links(attention->call->db, product_of(attention), ATTENTION_OF_KIND + 1, &list,
                              &count, err))
        return false;
    count = shown(attention, count);
    for (size_t i = 0; i < count; i++)
        attention_put(
            attention, "stale-link", subject_of_device(&list[i]), list[i].since_ms,
            attention_action("make-link", NULL, " "),
            "device %s uses an old link, or does not take its package: report its version, or make a new link",
            list[i].device);
    return true;
}

static bool put_secret_conflicts(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct overview_device *list = NULL;
    int64_t since_ms = clock_utc_ms() - CONFLICT_SHOWN_MS;
    size_t count;
    if (!overview_secret_conflicts(attention->call->db, since_ms, product_of(attention),
                                   ATTENTION_OF_KIND + 1, &list, &count, err))
        return false;
    count = shown(attention, count);
    for (size_t i = 0; i < count; i++)
        attention_put(
            attention, "secret-conflict", subject_of_device(&list[i]), list[i].since_ms,
            attention_action("look-at-secret", NULL, " "),
            "the id of device %s came with the secret of another device or product: rotate that secret "
            "if it may be in wrong hands",
            list[i].device);
    return true;
}

/* ---- The server ---- */

static bool put_disk(struct attention *attention, struct error *err)
{
    uint64_t free_bytes, reserve;
    if (!blobs_space(attention->call->daemon->blobs, &free_bytes, &reserve, err))
        return false;
    if (reserve && free_bytes < 2 * reserve)
        attention_put(
            attention, "disk-low",
            json_pack("{s:I, s:I}", "free", (json_int_t)free_bytes, "reserve", (json_int_t)reserve), 0,
            attention_action("free-disk", NULL, " "),
            "the disk of the data directory has %llu MB left; with less than %llu MB nothing is uploaded or made",
            (unsigned long long)free_bytes / 1000000, (unsigned long long)reserve / 1000000);
    return true;
}

/* Of the whole server, like the disk. */
static void put_certificate(struct attention *attention, const char *key, int64_t ends_ms)
{
    if (!ends_ms || ends_ms - clock_utc_ms() >= CERTIFICATE_WARN_DAYS * DAY_MS)
        return;
    attention_put(
        attention, "certificate", json_pack("{s:s, s:I}", "name", key, "ends_at", (json_int_t)ends_ms), 0,
        attention_action("replace-certificate", NULL, " "),
        "the certificate of %s ends in less than %d days, or has ended: put a new one in its place, and "
        "reload the server (SIGHUP)",
        key, CERTIFICATE_WARN_DAYS);
}

static bool put_webhooks(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct webhook *list = NULL;
    size_t count;
    if (!webhook_list(attention->call->db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        _cleanup_(cleanup_free) struct outbox_row *first = NULL;
        size_t any = 0;
        bool failed = list[i].failed > 0;
        if (!access_sees(attention->call->request, list[i].product_key))
            continue;
        if (!outbox_list(attention->call->db, list[i].id, failed, 0, 1, &first, &any, err))
            return false;
        if (!any || !first->error[0])
            continue;
        attention_put(attention, "webhook",
                      json_pack("{s:I, s:s, s:I, s:I, s:s}", "webhook", (json_int_t)list[i].id, "name",
                                list[i].name, "failed", (json_int_t)list[i].failed, "waiting",
                                (json_int_t)list[i].waiting, "error", first->error),
                      first->since_ms, attention_action("fix-webhook", NULL, " "),
                      "webhook %s cannot deliver: %s", list[i].name, first->error);
    }
    return true;
}

static bool put_full(struct attention *attention, struct error *err)
{
    _cleanup_(cleanup_free) struct admission_network *list = NULL;
    size_t count;
    if (!product_networks_full(attention->call->db, clock_utc_ms() / DAY_MS, &list, &count, err))
        return false;
    size_t put = 0;
    for (size_t i = 0; i < count; i++) {
        if (!access_sees(attention->call->request, list[i].product))
            continue;
        if (put++ == ATTENTION_OF_KIND) {
            attention->more = true;
            break;
        }
        attention_put(
            attention, "admission-full",
            json_pack("{s:s, s:o, s:I}", "product", list[i].product, "network", field_text(list[i].network),
                      "count", (json_int_t)list[i].devices),
            0, attention_action("raise-limit", NULL, " "),
            "%s: %lld new devices%s%s today, the limit; further ones are refused until the next day (UTC)",
            list[i].product, (long long)list[i].devices, list[i].network[0] ? " of " : "", list[i].network);
    }
    return true;
}

static bool put_backup(struct attention *attention, struct error *err)
{
    struct backup_state state;
    int64_t now_ms = clock_utc_ms();
    if (!backup_state_load(attention->call->db, &state, err))
        return false;
    if (!backup_is_due(attention->call->daemon->config, &state, now_ms))
        return true;
    long long days = (long long)(backup_age_ms(&state, now_ms) / DAY_MS);
    int64_t last_ms = state.complete_ms;
    json_t *subject = json_pack("{s:I}", "count", (json_int_t)days);
    json_t *action = attention_action("make-backup", NULL, " ");
    if (last_ms)
        attention_put(attention, "backup-due", subject, last_ms, action, "no complete backup for %lld days",
                      days);
    else
        attention_put(attention, "backup-due", subject, 0, action,
                      "no complete backup was made in the %lld days of this server", days);
    return true;
}

/* What only a person for the whole server can settle. */
static bool put_machine(struct attention *attention, struct error *err)
{
    const struct daemon *daemon = attention->call->daemon;
    if (product_of(attention)[0])
        return true;
    put_certificate(attention, "device_tls_cert", daemon->device_certificate_ends_ms);
    put_certificate(attention, "admin_tls_cert", daemon->admin_certificate_ends_ms);
    return put_disk(attention, err) && put_backup(attention, err);
}

bool attention_server(struct attention *attention, struct error *err)
{
    return put_machine(attention, err) && put_campaigns(attention, err) && put_quarantines(attention, err) &&
           put_claims(attention, err) && put_stale_links(attention, err) &&
           put_secret_conflicts(attention, err) && put_webhooks(attention, err) && put_full(attention, err);
}
