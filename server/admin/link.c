/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/link.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/admin.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/member.h"
#include "server/config/device_url.h"
#include "server/checkin/link_url.h"
#include "server/core/log.h"
#include "server/planning/package_key.h"
#include "server/planning/request.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"

/* "/d/", the token, "/", the version: some updaters cannot use a longer path. */
_Static_assert(3 + (LINK_TOKEN_SIZE - 1) + 1 + (VERSION_TEXT_SIZE - 1) <= 60,
               "the path of a link is too long");

bool link_has_address(struct admin_call *call)
{
    struct error err;
    if (call->daemon->device_url[0])
        return true;
    error_set(&err, ERROR_INVALID,
              "links need the address of this server: set the configuration key public_device_url, or bind "
              "device_listen to one address (0.0.0.0 and [::] cannot be used in links)");
    admin_render_problem(&call->reply, 409, &err);
    return false;
}

/* Making one */

static bool find_device(struct db *db, const struct firmware *firmware, const struct identity *identity,
                        struct device *ret, struct error *err)
{
    bool found;
    if (!device_find(db, firmware->product_id, identity, ret, &found, err))
        return false;
    if (!found)
        return device_add(db, firmware->product_id, identity, firmware->id, ret, err);
    /* no better evidence is known */
    bool moves = !ret->confirmed_version[0] && ret->firmware_id != firmware->id;
    bool stale = ret->notice[0] && !ret->blocked; /* such a notice asks for a new link */
    if (!moves && !stale)
        return true;
    if (moves)
        ret->firmware_id = firmware->id;
    if (stale)
        ret->notice[0] = '\0';
    return device_update(db, ret, err);
}

/* Asks for the package that the device will get first with this link. */
static bool need_first(struct daemon *daemon, struct db *db, const struct firmware *firmware,
                       const struct device *device, struct link_memo *memo, struct link_order *order,
                       struct error *err)
{
    struct checkin checkin = {.source = CHECKIN_LINK, .now_ms = order->link.created_ms};
    struct version confirmed = {.count = 0};
    static const struct sha256 unknown;
    char text[VERSION_TEXT_SIZE], need[sizeof memo->needed], hex[SHA256_HEX_SIZE];
    version_parse(slice_of(order->version), &checkin.version);
    if (device->firmware_id == firmware->id)
        version_parse(slice_of(device->confirmed_version), &confirmed);
    struct version base = decision_base(&checkin, &confirmed);
    if (base.count == 0) {
        order->base_unknown = true;
        return true;
    }
    version_format(&base, text);
    bool is_confirmed = confirmed.count && version_compare(&base, &confirmed) == 0;
    const struct sha256 *build = is_confirmed ? &device->build : &unknown;
    sha256_hex(build, hex);
    snprintf(need, sizeof need, "%s>%s %s", text, firmware->target, hex);
    bool known = strcmp(memo->needed, need) == 0;
    if (!known && !package_key_is_full(db, firmware, &base, &memo->full, err))
        return false;
    order->full = memo->full;
    if (known)
        return true;
    memcpy(memo->needed, need, sizeof memo->needed);
    return package_request_upgrade(db, daemon, firmware, text, build, order->link.created_ms, err);
}

static bool look_for_base(struct db *db, const struct firmware *firmware, struct link_memo *memo,
                          struct link_order *order, struct error *err)
{
    char builds[BUILDS_SIZE];
    size_t count;
    if (!order->version[0])
        return true;
    if (strcmp(memo->looked_for, order->version) != 0) {
        if (!image_builds(db, firmware->id, order->version, builds, &count, err))
            return false;
        snprintf(memo->looked_for, sizeof memo->looked_for, "%s", order->version);
        memo->base_missing = count == 0;
    }
    order->base_missing = memo->base_missing;
    return true;
}

/* The newest link of the device that is as good as the new one. A link that a check-in handed out is not: its
   reports prove nothing. */
static bool find_kept(struct db *db, struct link_order *order, struct error *err)
{
    _cleanup_(cleanup_free) struct link *list = NULL;
    size_t count = 0;
    if (order->keep && !link_list(db, order->link.device_id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count && !order->kept; i++) {
        order->kept = !list[i].revoked_ms && !list[i].handed_out &&
                      list[i].firmware_id == order->link.firmware_id &&
                      strcmp(list[i].version, order->version) == 0;
        if (order->kept)
            order->link = list[i];
    }
    return true;
}

bool link_order_make(struct daemon *daemon, struct db *db, const struct firmware *firmware, int64_t now_ms,
                     struct link_memo *memo, struct link_order *order, struct error *err)
{
    struct firmware led = *firmware;
    struct campaign_member member;
    struct device device;
    if (!find_device(db, firmware, &order->identity, &device, err) ||
        !campaign_member_load(db, firmware, &device, now_ms, &member, err))
        return false;
    memcpy(led.target, member.campaign.target, sizeof led.target);
    order->no_target = !led.target[0];
    order->link = (struct link){.device_id = device.id, .firmware_id = firmware->id, .created_ms = now_ms};
    order->state = device.state;
    order->held_out = device.held_out_ms;
    snprintf(order->link.version, sizeof order->link.version, "%s", order->version);
    return find_kept(db, order, err) && (order->kept || link_add(db, &order->link, err)) &&
           look_for_base(db, firmware, memo, order, err) &&
           need_first(daemon, db, &led, &device, memo, order, err);
}

bool link_order_note(const struct request *request, struct db *db, const struct product *product,
                     const struct firmware *firmware, const struct link_order *order, struct error *err)
{
    char token[LINK_TOKEN_SHOWN + 1];
    const struct event event = {.kind = LEDGER_LINK_MADE,
                                .at_ms = order->link.created_ms,
                                .product = product->product_key,
                                .firmware = firmware->name,
                                .identity = &order->identity};
    snprintf(token, sizeof token, "%.*s", LINK_TOKEN_SHOWN, order->link.token);
    return event_add(db, &event,
                     json_pack("{s:o, s:I, s:s, s:o*}", "by", event_by(request), "link",
                               (json_int_t)order->link.id, "token", token, "version",
                               event_text(order->version)),
                     err);
}

json_t *link_order_json(const struct daemon *daemon, const struct firmware *firmware,
                        const struct link_order *order)
{
    char url[LINK_URL_SIZE], report_url[LINK_URL_SIZE], missing[VERSION_TEXT_SIZE + 80] = "";
    const char *const warnings[] = {
        device_url_warn_local(daemon->device_url),
        device_url_warn_https(daemon->device_url),
        identity_is_doubtful(&order->identity) ? "the check digit of the IMEI is wrong" : "",
        missing,
        order->state == DEVICE_RETIRED ? "the device is retired: it gets code 27" : "",
        order->held_out ? "the device is held out of all campaigns: it gets code 27" : "",
        order->state == DEVICE_HELD ? "the device is held: it gets code 27 until an admin admits it" : "",
        order->base_unknown ? "no version is given, and none is reported yet: the device gets code 44" : "",
        order->no_target ? "no target is set for this firmware: the device gets code 27" : "",
        firmware->format[0] || order->full
            ? ""
            : "no package format is set for this firmware: the device gets code 21",
        NULL};
    if (order->base_missing && !order->full)
        snprintf(missing, sizeof missing,
                 "the image of version %s is not on the server: the device gets code 44", order->version);
    link_url(daemon, order->link.token, order->version, url);
    link_report_url(daemon, order->link.token, report_url);
    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:b}", "link", (json_int_t)order->link.id,
                     "device", order->identity.id, "id_kind", identity_kind_name(order->identity.kind),
                     "firmware", firmware->name, "version", field_text(order->version), "url", url,
                     "report_url", report_url, "at_commands", link_at_commands(url), "warnings",
                     field_warnings(warnings), "existed", order->kept);
}

/* For one device */

struct single {
    struct admin_call *call;
    const char *version, *firmware_name; /* as they were written; NULL: left out */
    struct product product;
    struct firmware firmware;
    struct link_order order;
};

bool link_only_firmware(struct db *db, int64_t product_id, struct firmware *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    size_t count;
    if (!firmware_list(db, product_id, &list, &count, err))
        return false;
    if (count == 0)
        return error_set(err, ERROR_FIRMWARE_NOT_FOUND,
                         "the product has no firmware yet: upload an image first");
    if (count > 1)
        return error_set(err, ERROR_INVALID, "name the firmware: the product has %zu firmwares", count);
    *ret = *list;
    return true;
}

/* The firmware that is named; else the one in the full version name, the one of the known device, or the
   only one of the product. */
static bool choose_firmware(struct db *db, struct single *single, struct error *err)
{
    struct full_name name;
    struct version version;
    struct device device;
    bool found;
    if (single->firmware_name)
        return firmware_get(db, single->product.id, single->firmware_name, &single->firmware, err);
    if (single->version && !version_parse(slice_of(single->version), &version))
        return name_parse_full(slice_of(single->version), &name, err) &&
               firmware_get(db, single->product.id, name.firmware, &single->firmware, err);
    if (!device_find(db, single->product.id, &single->order.identity, &device, &found, err))
        return false;
    if (found)
        return firmware_by_id(db, device.firmware_id, &single->firmware, &found, err);
    return link_only_firmware(db, single->product.id, &single->firmware, err);
}

static bool make_single(void *cls, struct db *db, struct error *err)
{
    struct single *single = cls;
    struct link_memo memo = {.needed = ""};
    struct version version;
    if (!choose_firmware(db, single, err))
        return false;
    if (single->version) {
        if (!name_parse_version_of(slice_of(single->version), single->firmware.name, &version, err))
            return false;
        version_format(&version, single->order.version);
    }
    return link_order_make(single->call->daemon, db, &single->firmware, clock_utc_ms(), &memo, &single->order,
                           err) &&
           link_order_note(single->call->request, db, &single->product, &single->firmware, &single->order,
                           err);
}

bool admin_link_add(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct single single = {.call = call};
    if (!path_params_product(call->request, call->db, &single.product, err) ||
        !path_params_identity(call->request, call->db, single.product.id, &single.order.identity, err))
        return false;
    /* all fields are optional, so the body may be empty */
    if (call->request->body.len && !call_body(call, &body, err))
        return false;
    if (body &&
        !body_unpack(body, err, "{s?s, s?s}", "version", &single.version, "firmware", &single.firmware_name))
        return false;
    if (!link_has_address(call))
        return true;
    if (!call_change(call, make_single, &single, err))
        return false;
    char token[LINK_TOKEN_SHOWN + 1];
    snprintf(token, sizeof token, "%.*s", LINK_TOKEN_SHOWN, single.order.link.token);
    log_line(LOG_LEVEL_INFO, "link-made", "product", single.product.product_key, "firmware",
             single.firmware.name, "device", single.order.identity.id, "version",
             single.order.version[0] ? single.order.version : NULL, "token", token, NULL);
    reply_json(&call->reply, 201, link_order_json(call->daemon, &single.firmware, &single.order));
    char number[24], device[IDENTITY_SIZE + 8];
    snprintf(number, sizeof number, "%lld", (long long)single.order.link.id);
    snprintf(device, sizeof device, "%s:%s", identity_kind_name(single.order.identity.kind),
             single.order.identity.id);
    LOCATE(call, "products", single.product.product_key, "devices", device, "links", number);
    return true;
}

/* Revoking */

struct revocation {
    const struct request *request;
    uint64_t link; /* 0: all */
    struct product product;
    struct device device;
};

static bool note_revocation(const struct revocation *revocation, struct db *db, struct error *err)
{
    const struct event event = {.kind = LEDGER_LINKS_REVOKED,
                                .product = revocation->product.product_key,
                                .device = &revocation->device};
    json_t *link =
        revocation->link ? json_integer((json_int_t)revocation->link) : NULL; /* NULL: all of them */
    return event_add(db, &event, json_pack("{s:o, s:o*}", "by", event_by(revocation->request), "link", link),
                     err);
}

static bool revoke_links(void *cls, struct db *db, struct error *err)
{
    struct revocation *revocation = cls;
    return path_params_device(revocation->request, db, &revocation->product, &revocation->device, err) &&
           link_revoke(db, revocation->device.id, (int64_t)revocation->link, clock_utc_ms(), err) &&
           note_revocation(revocation, db, err);
}

static bool run_revocation(struct admin_call *call, struct revocation *revocation, struct error *err)
{
    struct log_number number;
    if (!call_change(call, revoke_links, revocation, err))
        return false;
    log_line(LOG_LEVEL_INFO, "links-revoked", "product", revocation->product.product_key, "device",
             revocation->device.device, "link",
             revocation->link ? log_i64(&number, (long long)revocation->link) : "all", NULL);
    reply_init(&call->reply, 204);
    return true;
}

bool admin_link_revoke_all(struct admin_call *call, struct error *err)
{
    struct revocation revocation = {.request = call->request};
    return run_revocation(call, &revocation, err);
}

bool admin_link_revoke(struct admin_call *call, struct error *err)
{
    struct revocation revocation = {.request = call->request};
    if (!slice_u64(call->request->param[2], &revocation.link) || revocation.link == 0 ||
        revocation.link > INT64_MAX)
        return error_set(err, ERROR_LINK_NOT_FOUND, "a link id must be a number");
    return run_revocation(call, &revocation, err);
}
