/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/campaigns/{campaign}/devices: the devices of a campaign. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/campaign.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"

#define PIECES_MAX 20 /* of one page each, that one call with q reads */

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

static bool read_outcome(const struct request *request, enum campaign_outcome *ret, struct error *err)
{
    char text[16];
    bool found;
    *ret = CAMPAIGN_OUTCOME_COUNT;
    if (!request_query(request, "outcome", text, sizeof text, &found, err))
        return false;
    return !found || campaign_outcome_parse(slice_of(text), ret) ||
           error_set(err, ERROR_BAD_REQUEST,
                     "outcome is waiting, admitted, confirmed, not_applied, diverged, silent or out");
}

struct page {
    struct list_query query;
    int64_t campaign_id, limit, after; /* rank */
    enum campaign_outcome outcome;
    bool full; /* there are others */
    json_t *items;
};

/* Stops before the first one that does not fit into the page. */
static void add_devices(struct page *page, const struct campaign_device_listed *list, size_t count)
{
    for (size_t i = 0; i < count && !page->full; i++) {
        json_t *item = campaign_device_to_json(&list[i]);
        bool selected = list_selects(&page->query, item);
        page->full = selected && (int64_t)json_array_size(page->items) == page->limit;
        if (selected && !page->full)
            json_array_append(page->items, item);
        if (!page->full)
            page->after = list[i].row.rank;
        json_decref(item);
    }
}

static bool fill(struct page *page, struct error *err)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        _cleanup_(cleanup_free) struct campaign_device_listed *list = NULL;
        size_t count;
        if (!campaign_device_list(page->query.call->db, page->campaign_id, page->outcome, page->after,
                                  page->limit + 1, &list, &count, err))
            return false;
        add_devices(page, list, count);
        if (page->full || (int64_t)count <= page->limit)
            return true;
    }
    page->full = true;
    return true;
}

bool admin_campaign_devices(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct page page = {.items = items};
    struct campaign_path path;
    int64_t next = 0;
    call_store_counts(call);
    if (!list_read(call, &list_campaign_devices, &page.query, err) ||
        !campaign_path_find(call->request, call->db, &path, err) ||
        !read_outcome(call->request, &page.outcome, err) || !list_read_after(&page.query, &next, err))
        return false;
    page.campaign_id = path.campaign.id;
    page.limit = page.query.limit ? (int64_t)page.query.limit : LIST_PAGE_DEFAULT;
    page.after = next - 1; /* the cursor is the next rank */
    if (!fill(&page, err))
        return false;
    call_answer_items(call, json_incref(items));
    if (page.full)
        list_link_number(&page.query, page.after + 1);
    return true;
}
