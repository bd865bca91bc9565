/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/campaigns/{campaign}/devices: the devices of a campaign. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/campaign.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

/* ---- a list that comes as a file ---- */

struct posted {
    struct admin_call *call;
    struct campaign_path path;
    struct device_csv list;
    struct campaign_audience audience;
};

static bool clear_filter(struct campaign *campaign)
{
    campaign->filter[0] = '\0';
    return true;
}

static bool store(void *cls, struct db *db, struct error *err)
{
    struct posted *posted = cls;
    struct campaign *campaign = &posted->path.campaign;
    struct stages stages;
    return campaign_path_find(posted->call->request, db, &posted->path, err) &&
           campaign_check_draft(campaign, err) && clear_filter(campaign) &&
           campaign_audience_set(db, &posted->path.firmware, campaign, &posted->audience, err) &&
           campaign_update(db, campaign, err) && campaign_stages_load(db, campaign->id, &stages, err) &&
           campaign_note(db, campaign, LEDGER_CAMPAIGN_SET, clock_utc_ms(),
                         campaign_detail(campaign, stages.count, event_by(posted->call->request)), err);
}

bool admin_campaign_devices_put(struct admin_call *call, struct error *err)
{
    struct posted posted = {.call = call};
    bool ok = call_check_type(call, "text/csv", "the list of devices", err) &&
              device_csv_parse_ranked(call->request->body, &posted.list, err) &&
              campaign_audience_take(&posted.list, &posted.audience, err) &&
              call_change(call, store, &posted, err);
    free(posted.audience.line);
    device_csv_free(&posted.list);
    if (!ok)
        return false;
    reply_json(&call->reply, 200,
               json_pack("{s:I, s:I, s:I}", "campaign", (json_int_t)posted.path.campaign.id, "devices",
                         (json_int_t)posted.path.campaign.devices, "new_devices",
                         (json_int_t)posted.audience.added));
    return true;
}

/* ---- the list that is shown ---- */

json_t *campaign_device_to_json(const struct campaign_device_listed *listed)
{
    const struct campaign_device *row = &listed->row;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "device", listed->device, "id_kind",
                     identity_kind_name(listed->id_kind), "outcome", campaign_outcome_name(row->outcome),
                     "since", field_number(row->at_ms), "stage",
                     row->admitted && row->outcome != OUTCOME_OUT ? json_integer((json_int_t)row->stage + 1)
                                                                  : json_null(),
                     "confirmed_version", field_text(listed->confirmed_version), "asked_version",
                     field_text(listed->asked_version), "last_seen_at", field_number(listed->last_seen_ms));
}

static bool read_outcome(const struct request *request, char text[16], enum campaign_outcome *ret,
                         struct error *err)
{
    bool found;
    *ret = CAMPAIGN_OUTCOME_COUNT;
    if (!request_query(request, "outcome", text, 16, &found, err))
        return false;
    if (!found)
        text[0] = '\0';
    return !found || campaign_outcome_parse(slice_of(text), ret) ||
           error_set(err, ERROR_BAD_REQUEST,
                     "outcome is waiting, admitted, confirmed, not_applied, diverged, silent or out");
}

bool admin_campaign_devices(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device_listed *list = NULL;
    struct campaign_path path;
    enum campaign_outcome outcome;
    char text[16], firmware[3 * FIRMWARE_NAME_SIZE];
    uint64_t limit = PAGE_DEFAULT, after = 0;
    size_t count;
    call_store_counts(call);
    if (!campaign_path_find(call->request, call->db, &path, err) ||
        !read_outcome(call->request, text, &outcome, err) ||
        !call_query_number(call->request, "limit", 1, PAGE_MAX, &limit, err) ||
        !call_query_number(call->request, "after", 0, INT64_MAX, &after, err) ||
        !campaign_device_list(call->db, path.campaign.id, outcome, (int64_t)after - 1, (int64_t)limit, &list,
                              &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, campaign_device_to_json(&list[i]));
    call_answer_items(call, items);
    slice_percent_encode(slice_of(path.firmware.name), firmware, sizeof firmware);
    if (count == limit) /* `after` is the next rank */
        reply_header(
            &call->reply, "Link",
            "</api/v1/products/%s/firmware/%s/campaigns/%lld/devices?limit=%llu&after=%lld%s%s>; rel=\"next\"",
            path.product.product_key, firmware, (long long)path.campaign.id, (unsigned long long)limit,
            (long long)list[count - 1].row.rank + 1, text[0] ? "&outcome=" : "", text);
    return true;
}
