/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/firmware/{firmware}/campaigns: campaigns as an admin writes and reads them. */
#include "server/admin/campaign.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"
#include "server/ledger/event.h"

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

/* Each device gets the build that fits its own. */
static bool check_any_served(struct db *db, const struct firmware *firmware, const char *version,
                             struct error *err)
{
    bool any;
    return image_any_served(db, firmware->id, version, 0, &any, err) &&
           (any || error_set(err, ERROR_IMAGE_WITHDRAWN, "all builds of version %s are withdrawn", version));
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
        return err->code == ERROR_SEVERAL_BUILDS && check_any_served(db, firmware, ret, err);
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
    const char *name, *target; /* NULL: not given */
    json_t *devices, *first, *filter, *frozen, *order, *stages, *pause_when_done, *finish_transfers;
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
    if (!filter_parse(slice_of(text), &filter_device, &filter, err) || !clear_list(db, campaign, err))
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
    if (!campaign_audience_order(draft->order, draft->devices, campaign, err))
        return false;
    if (draft->filter && !json_is_null(draft->filter))
        return read_filter(draft, db, err);
    if (draft->frozen && !json_is_null(draft->frozen))
        return error_set(err, ERROR_INVALID, "frozen belongs to a filter: send both");
    if (draft->frozen && campaign->filter[0] && !draft->filter && !draft->devices)
        return error_set(err, ERROR_INVALID,
                         "frozen cannot be null, because it has no default: send a value");
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

static const struct body_field fields[] = {{"name", NULL},
                                           {"target", NULL},
                                           {"devices", "null"}, /* all devices */
                                           {"first", "[]"},
                                           {"filter", "null"},
                                           {"frozen", "null"},
                                           {"order", "null"},
                                           {"stages", "null"},
                                           {"pause_when_done", "false"},
                                           {"finish_transfers", "true"},
                                           {NULL, NULL}};

static bool run_draft(struct admin_call *call, bool is_new, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct draft draft = {.call = call};
    if (!(is_new ? call_body(call, &body, err) : body_patch(call, fields, &body, err)))
        return false;
    if (!body_unpack(body, err,
                     is_new ? "{s:s, s:s, s?o, s?o, s?o, s?o, s?o, s?o, s?o, s?o}"
                            : "{s?s, s?s, s?o, s?o, s?o, s?o, s?o, s?o, s?o, s?o}",
                     "name", &draft.name, "target", &draft.target, "devices", &draft.devices, "first",
                     &draft.first, "filter", &draft.filter, "frozen", &draft.frozen, "order", &draft.order,
                     "stages", &draft.stages, "pause_when_done", &draft.pause_when_done, "finish_transfers",
                     &draft.finish_transfers))
        return false;
    if (!is_new && !json_object_size(body))
        return admin_campaign_show(call, err);
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
    if (!call_change(call, take_out, &removal, err))
        return false;
    reply_init(&call->reply, 204);
    return true;
}

/* ---- reading ---- */

bool admin_campaign_show(struct admin_call *call, struct error *err)
{
    struct campaign_path path;
    return campaign_path_find(call->request, call->db, &path, err) &&
           campaign_answer(call, 200, &path.firmware, path.campaign.id, err);
}
