/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/firmware/{firmware}/campaigns: campaigns as an admin writes and reads them. */
#include "server/admin/campaign.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"
#include "server/ledger/event.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

/* ---- what the handlers share ---- */

bool campaign_path_find(const struct request *request, struct db *db, struct campaign_path *ret,
                        struct error *err)
{
    char text[CAMPAIGN_NAME_SIZE];
    if (!path_params_firmware(request, db, &ret->product, &ret->firmware, err))
        return false;
    if (!request_param(request, 2, text, sizeof text, err))
        return error_set(err, ERROR_CAMPAIGN_NOT_FOUND,
                         "a campaign has a number, and a name of at most 64 bytes");
    return campaign_get(db, ret->firmware.id, text, &ret->campaign, err);
}

bool campaign_read_target(struct db *db, const struct firmware *firmware, const char *text,
                          char ret[VERSION_TEXT_SIZE], struct error *err)
{
    struct version version;
    struct image image;
    if (!name_parse_version_of(slice_of(text), firmware->name, &version, err))
        return false;
    version_format(&version, ret);
    if (!image_get(db, firmware->id, ret, &image, err))
        return false;
    return !image.withdrawn_ms ||
           error_set(err, ERROR_IMAGE_WITHDRAWN, "version %s is withdrawn: %s", ret, image.withdrawn_reason);
}

bool campaign_check_name(const char *name, struct error *err)
{
    uint64_t number;
    if (!call_check_text("name", name, CAMPAIGN_NAME_SIZE - 1, err))
        return false;
    return (!slice_u64(slice_of(name), &number) && !strchr(name, '/')) ||
           error_set(err, ERROR_INVALID, "the name of a campaign is no number and has no /");
}

bool campaign_check_draft(const struct campaign *campaign, struct error *err)
{
    return campaign->state == CAMPAIGN_DRAFT ||
           error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s is %s: only a draft can be changed so",
                     campaign->name, campaign_state_name(campaign->state));
}

/* ---- writing ---- */

struct draft {
    struct admin_call *call;
    bool exists;
    const char *name, *target, *order; /* NULL: not given */
    json_t *devices, *first, *filter, *frozen, *stages, *pause_when_done, *finish_transfers;
    struct campaign_path path;
    struct campaign_audience audience;
};

static bool read_flag(const char *name, const json_t *value, bool *ret, struct error *err)
{
    if (!value)
        return true;
    *ret = json_is_true(value);
    return json_is_boolean(value) || error_set(err, ERROR_INVALID, "%s is true or false", name);
}

static bool read_order(struct draft *draft, struct error *err)
{
    struct campaign *campaign = &draft->path.campaign;
    bool has_list = campaign->audience == AUDIENCE_LIST && !campaign->filter[0];
    unsigned order;
    if (!draft->order)
        return true;
    if (!enum_find(&campaign_order_names, slice_of(draft->order), &order) || order == ORDER_NONE)
        return error_set(err, ERROR_INVALID, "order is given, hash or spread");
    if (has_list && !json_is_array(draft->devices) && order != campaign->order)
        return error_set(err, ERROR_INVALID,
                         "the order is fixed when a list is made: send the devices with the order");
    campaign->order = (enum campaign_order)order;
    return true;
}

/* Devices that go first are part of a list, which is replaced as a whole. A frozen filter makes the rest of its
   list later. */
static bool check_first(const struct draft *draft, struct error *err)
{
    const struct campaign *campaign = &draft->path.campaign;
    bool is_list = campaign->audience == AUDIENCE_LIST, is_frozen = is_list && campaign->filter[0];
    bool is_sent = json_array_size(draft->first) || (draft->first && is_list);
    return !is_sent || is_frozen || json_is_array(draft->devices) ||
           error_set(err, ERROR_INVALID,
                     "first is for a list, and for a frozen filter: send devices and first together");
}

/* The audience is open. */
static bool clear_list(struct db *db, struct campaign *campaign, struct error *err)
{
    campaign->audience = AUDIENCE_ALL;
    campaign->filter[0] = '\0';
    campaign->devices = campaign->firsts = 0;
    return campaign_device_drop_all(db, campaign->id, err);
}

/* Whether a filter is frozen has no default: the two differ in which devices go to another version. */
static bool read_filter(struct draft *draft, struct db *db, struct error *err)
{
    struct campaign *campaign = &draft->path.campaign;
    const char *text = json_string_value(draft->filter);
    struct filter filter;
    if (!text || !text[0])
        return error_set(err, ERROR_INVALID, "filter is a text with at least one condition, or null");
    if (!json_is_boolean(draft->frozen))
        return error_set(err, ERROR_INVALID,
                         "say with \"frozen\": true that the start fixes the devices, or with false that the "
                         "filter is asked at each check-in");
    if (json_is_array(draft->devices))
        return error_set(err, ERROR_INVALID, "a campaign has devices or a filter, not both");
    bool frozen = json_is_true(draft->frozen);
    if (!frozen && json_array_size(draft->first))
        return error_set(err, ERROR_INVALID, "first is for a list, and for a frozen filter");
    if (!filter_parse(slice_of(text), &filter, err) || !clear_list(db, campaign, err))
        return false;
    snprintf(campaign->filter, sizeof campaign->filter, "%s", text);
    if (frozen && campaign->order == ORDER_GIVEN)
        return error_set(err, ERROR_INVALID, "the order of a filter is hash or spread");
    campaign->audience = frozen ? AUDIENCE_LIST : AUDIENCE_ALL;
    return !json_array_size(draft->first) ||
           (campaign_audience_read(db, draft->path.product.id, draft->first, true, &draft->audience, err) &&
            campaign_audience_set(db, &draft->path.firmware, campaign, &draft->audience, err));
}

static bool read_devices(struct draft *draft, struct db *db, struct error *err)
{
    struct campaign *campaign = &draft->path.campaign;
    int64_t product_id = draft->path.product.id;
    if (!read_order(draft, err))
        return false;
    if (draft->filter && !json_is_null(draft->filter))
        return read_filter(draft, db, err);
    if (draft->frozen)
        return error_set(err, ERROR_INVALID, "frozen belongs to a filter: send both");
    if (json_is_null(draft->devices) || (json_is_null(draft->filter) && campaign->filter[0])) {
        if (!clear_list(db, campaign, err))
            return false;
    }
    if (!check_first(draft, err))
        return false;
    if (!json_is_array(draft->devices) && !json_array_size(draft->first))
        return !draft->devices || json_is_null(draft->devices) ||
               error_set(err, ERROR_INVALID, "devices is a list of device ids");
    if (json_is_array(draft->devices))
        campaign->filter[0] = '\0';
    return campaign_audience_read(db, product_id, draft->first, true, &draft->audience, err) &&
           campaign_audience_read(db, product_id, draft->devices, false, &draft->audience, err) &&
           campaign_audience_set(db, &draft->path.firmware, campaign, &draft->audience, err);
}

static bool note(const struct draft *draft, struct db *db, const struct stages *stages, struct error *err)
{
    const struct campaign *campaign = &draft->path.campaign;
    return campaign_note(db, campaign, draft->exists ? LEDGER_CAMPAIGN_SET : LEDGER_CAMPAIGN_ADDED,
                         clock_utc_ms(),
                         campaign_detail(campaign, stages->count, event_by(draft->call->request)), err);
}

static bool has_content(const struct draft *draft)
{
    return draft->name || draft->target || draft->devices || draft->first || draft->filter || draft->frozen ||
           draft->order || draft->stages;
}

static bool read_fields(struct draft *draft, struct db *db, struct error *err)
{
    struct campaign *campaign = &draft->path.campaign;
    if (draft->name)
        snprintf(campaign->name, sizeof campaign->name, "%s", draft->name);
    return (!draft->name || campaign_check_name(draft->name, err)) &&
           (!draft->target ||
            campaign_read_target(db, &draft->path.firmware, draft->target, campaign->target, err)) &&
           read_flag("pause_when_done", draft->pause_when_done, &campaign->pause_when_done, err) &&
           read_flag("finish_transfers", draft->finish_transfers, &campaign->finish_transfers, err);
}

static bool store(struct draft *draft, struct db *db, struct error *err)
{
    struct campaign *campaign = &draft->path.campaign;
    struct stages stages;
    bool sets_stages = draft->stages || !draft->exists;
    if (!read_fields(draft, db, err) || (sets_stages && !campaign_read_stages(draft->stages, &stages, err)))
        return false;
    if (!draft->exists && !campaign_add(db, campaign, err))
        return false;
    if (!read_devices(draft, db, err) || !campaign_update(db, campaign, err) ||
        (sets_stages && !campaign_stages_set(db, campaign->id, &stages, err)))
        return false;
    return campaign_stages_load(db, campaign->id, &stages, err) && note(draft, db, &stages, err);
}

static bool add(void *cls, struct db *db, struct error *err)
{
    struct draft *draft = cls;
    struct campaign *campaign = &draft->path.campaign;
    if (!path_params_firmware(draft->call->request, db, &draft->path.product, &draft->path.firmware, err))
        return false;
    *campaign = (struct campaign){
        .firmware_id = draft->path.firmware.id, .finish_transfers = true, .created_ms = clock_utc_ms()};
    event_by_text(draft->call->request, campaign->created_by);
    return store(draft, db, err);
}

static bool set(void *cls, struct db *db, struct error *err)
{
    struct draft *draft = cls;
    draft->exists = true;
    return campaign_path_find(draft->call->request, db, &draft->path, err) &&
           (!has_content(draft) || campaign_check_draft(&draft->path.campaign, err)) && store(draft, db, err);
}

static bool run_draft(struct admin_call *call, bool is_new, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct draft draft = {.call = call};
    json_error_t why;
    if (!call_check_query(call->request, "", err) || !call_body(call, &body, err))
        return false;
    if (json_unpack_ex(body, &why, 0,
                       is_new ? "{s:s, s:s, s?o, s?o, s?o, s?o, s?s, s?o, s?o, s?o !}"
                              : "{s?s, s?s, s?o, s?o, s?o, s?o, s?s, s?o, s?o, s?o !}",
                       "name", &draft.name, "target", &draft.target, "devices", &draft.devices, "first",
                       &draft.first, "filter", &draft.filter, "frozen", &draft.frozen, "order", &draft.order,
                       "stages", &draft.stages, "pause_when_done", &draft.pause_when_done, "finish_transfers",
                       &draft.finish_transfers) != 0)
        return call_misfit(&why, err);
    bool ok = call_change(call, is_new ? add : set, &draft, err);
    free(draft.audience.line);
    return ok && campaign_answer(call, is_new ? 201 : 200, &draft.path.firmware, draft.path.campaign.id, err);
}

bool admin_campaign_add(struct admin_call *call, struct error *err)
{
    return run_draft(call, true, err);
}

bool admin_campaign_set(struct admin_call *call, struct error *err)
{
    return run_draft(call, false, err);
}

struct removal {
    const struct request *request;
    struct campaign_path path;
};

static bool take_out(void *cls, struct db *db, struct error *err)
{
    struct removal *removal = cls;
    const struct campaign *campaign = &removal->path.campaign;
    return campaign_path_find(removal->request, db, &removal->path, err) &&
           campaign_check_draft(campaign, err) &&
           campaign_note(db, campaign, LEDGER_CAMPAIGN_DELETED, clock_utc_ms(),
                         json_pack("{s:o}", "by", event_by(removal->request)), err) &&
           campaign_device_drop_all(db, campaign->id, err) && campaign_remove(db, campaign->id, err);
}

bool admin_campaign_remove(struct admin_call *call, struct error *err)
{
    struct removal removal = {.request = call->request};
    if (!call_check_query(call->request, "", err) || !call_check_no_body(call->request, err) ||
        !call_change(call, take_out, &removal, err))
        return false;
    reply_init(&call->reply, 204);
    return true;
}

/* ---- reading ---- */

bool admin_campaign_show(struct admin_call *call, struct error *err)
{
    struct campaign_path path;
    return call_check_query(call->request, "", err) &&
           campaign_path_find(call->request, call->db, &path, err) &&
           campaign_answer(call, 200, &path.firmware, path.campaign.id, err);
}

static bool add_items(struct admin_call *call, const struct firmware *firmware, const struct campaign *list,
                      size_t count, json_t *items, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        json_t *item;
        if (!campaign_to_json(call->db, firmware, &list[i], &item, err))
            return false;
        json_array_append_new(items, item);
    }
    return true;
}

bool admin_campaign_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign *list = NULL;
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct campaign_path path;
    char firmware[3 * FIRMWARE_NAME_SIZE];
    uint64_t limit = PAGE_DEFAULT, before = INT64_MAX;
    size_t count;
    if (!call_check_query(call->request, "limit before", err) ||
        !path_params_firmware(call->request, call->db, &path.product, &path.firmware, err) ||
        !call_query_number(call->request, "limit", 1, PAGE_MAX, &limit, err) ||
        !call_query_number(call->request, "before", 1, INT64_MAX, &before, err) ||
        !campaign_list(call->db, path.firmware.id, (int64_t)before, (int64_t)limit, &list, &count, err) ||
        !add_items(call, &path.firmware, list, count, items, err))
        return false;
    call_answer_items(call, json_incref(items));
    slice_percent_encode(slice_of(path.firmware.name), firmware, sizeof firmware);
    if (count == limit)
        reply_header(&call->reply, "Link",
                     "</api/v1/products/%s/firmware/%s/campaigns?limit=%llu&before=%lld>; rel=\"next\"",
                     path.product.product_key, firmware, (unsigned long long)limit,
                     (long long)list[count - 1].id);
    return true;
}

/* ---- all firmwares ---- */

/* With the key of its product. */
static bool add_anywhere(struct admin_call *call, const struct campaign *campaign, json_t *items,
                         struct error *err)
{
    struct firmware firmware;
    struct product product;
    bool found, known;
    json_t *item;
    if (!firmware_by_id(call->db, campaign->firmware_id, &firmware, &found, err) ||
        (found && !product_by_id(call->db, firmware.product_id, &product, &known, err)))
        return false;
    if (!found || !known || !access_sees(call->request, product.product_key))
        return true;
    if (!campaign_to_json(call->db, &firmware, campaign, &item, err))
        return false;
    json_object_set_new(item, "product", json_string(product.product_key));
    json_array_append_new(items, item);
    return true;
}

bool admin_campaign_list_all(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign *list = NULL;
    _cleanup_(cleanup_json) json_t *items = json_array();
    uint64_t limit = PAGE_DEFAULT, before = INT64_MAX;
    size_t count;
    if (!call_query_number(call->request, "limit", 1, PAGE_MAX, &limit, err) ||
        !call_query_number(call->request, "before", 1, INT64_MAX, &before, err) ||
        !campaign_list_all(call->db, (int64_t)before, (int64_t)limit, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_anywhere(call, &list[i], items, err))
            return false;
    call_answer_items(call, json_incref(items));
    if (count == limit)
        reply_header(&call->reply, "Link", "</api/v1/campaigns?limit=%llu&before=%lld>; rel=\"next\"",
                     (unsigned long long)limit, (long long)list[count - 1].id);
    return true;
}
