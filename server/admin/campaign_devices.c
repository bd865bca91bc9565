/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/campaigns/{campaign}/devices: the devices of a campaign. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/campaign.h"
#include "server/admin/csv.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

/* ---- a list on its way in ---- */

static struct campaign_audience_line *next_line(struct campaign_audience *audience, struct error *err)
{
    if (audience->count >= CSV_LINES_MAX) {
        error_set(err, ERROR_TOO_LARGE, "a list has at most %d devices", CSV_LINES_MAX);
        return NULL;
    }
    if (audience->count == audience->room) {
        size_t room = audience->room ? audience->room * 2 : 256;
        struct campaign_audience_line *line = reallocarray(audience->line, room, sizeof *line);
        if (!line) {
            error_set(err, ERROR_INTERNAL, "out of memory");
            return NULL;
        }
        audience->line = line;
        audience->room = room;
    }
    return &audience->line[audience->count++];
}

bool campaign_audience_read(struct db *db, int64_t product_id, const json_t *list, bool first,
                            struct campaign_audience *audience, struct error *err)
{
    size_t i;
    json_t *item;
    if (list && !json_is_array(list))
        return error_set(err, ERROR_INVALID, "%s is a list of device ids", first ? "first" : "devices");
    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);
        if (!text)
            return error_set(err, ERROR_INVALID, "a device id is a text");
        struct campaign_audience_line *line = next_line(audience, err);
        if (!line || !names_identity_in(db, product_id, slice_of(text), &line->identity, err))
            return false;
        line->first = first;
    }
    return true;
}

static bool put(struct db *db, const struct firmware *firmware, struct campaign *campaign,
                const struct identity *identity, int64_t *added, struct error *err)
{
    struct device device;
    bool found, is_new;
    if (!device_find(db, firmware->product_id, identity, &device, &found, err) ||
        (!found && !device_add(db, firmware->product_id, identity, firmware->id, &device, err)))
        return false;
    const struct campaign_device row = {.campaign_id = campaign->id,
                                        .device_id = device.id,
                                        .rank = campaign->devices,
                                        .outcome = OUTCOME_WAITING};
    if (!campaign_device_add(db, &row, &is_new, err))
        return false;
    *added += !found;
    campaign->devices += is_new;
    return true;
}

bool campaign_audience_set(struct db *db, const struct firmware *firmware, struct campaign *campaign,
                           struct campaign_audience *audience, struct error *err)
{
    if (!audience->count)
        return error_set(err, ERROR_INVALID, "the list has no device");
    campaign->audience = AUDIENCE_LIST;
    campaign->devices = 0;
    if (!campaign_device_drop_all(db, campaign->id, err))
        return false;
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < audience->count; i++)
            if (audience->line[i].first == first &&
                !put(db, firmware, campaign, &audience->line[i].identity, &audience->added, err))
                return false;
    return true;
}

struct posted {
    struct admin_call *call;
    struct campaign_path path;
    struct campaign_audience audience;
};

static bool take_line(void *cls, const struct csv_line *line, struct error *err)
{
    struct posted *posted = cls;
    struct campaign_audience_line *made = next_line(&posted->audience, err);
    if (!made)
        return false;
    *made = (struct campaign_audience_line){.identity = line->identity, .first = line->field[1].len > 0};
    return !made->first || slice_is(line->field[1], "first") ||
           error_set(err, ERROR_INVALID, "the word after the device is first, or missing");
}

static bool store(void *cls, struct db *db, struct error *err)
{
    struct posted *posted = cls;
    struct campaign *campaign = &posted->path.campaign;
    struct stages stages;
    return campaign_path_find(posted->call->request, db, &posted->path, err) &&
           campaign_check_draft(campaign, err) &&
           campaign_audience_set(db, &posted->path.firmware, campaign, &posted->audience, err) &&
           campaign_update(db, campaign, err) && campaign_stages_load(db, campaign->id, &stages, err) &&
           campaign_note(db, campaign, LEDGER_CAMPAIGN_SET, clock_utc_ms(),
                         json_pack("{s:s, s:o, s:I, s:I, s:s}", "audience", "list", "by",
                                   event_by(posted->call->request), "devices", (json_int_t)campaign->devices,
                                   "stages", (json_int_t)stages.count, "target", campaign->target),
                         err);
}

bool admin_campaign_devices_put(struct admin_call *call, struct error *err)
{
    struct posted posted = {.call = call};
    bool ok = call_check_type(call, "text/csv", "the list of devices", err) &&
              csv_read(call->request->body, 2, "a line is IMEI[,first]", take_line, &posted, err) &&
              call_change(call, store, &posted, err);
    free(posted.audience.line);
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
                     row->admitted ? json_integer((json_int_t)row->stage + 1) : json_null(),
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
                     "outcome is waiting, admitted, confirmed, not_applied, diverged or silent");
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
