/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A list of devices on its way into a campaign: from JSON or CSV, put into its order. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/campaign.h"
#include "server/admin/csv.h"
#include "server/admin/device_csv.h"
#include "server/admin/path_params.h"

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
    struct campaign_audience_line *made = &audience->line[audience->count++];
    *made = (struct campaign_audience_line){.tags = "", .note = "", .firmware = ""};
    return made;
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

bool campaign_audience_take(const struct device_csv *list, struct campaign_audience *audience,
                            struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct device_csv_row *row = &list->rows[i];
        struct campaign_audience_line *line = next_line(audience, err);
        if (!line)
            return false;
        *line = (struct campaign_audience_line){.identity = row->identity,
                                                .first = row->first,
                                                .number = row->line,
                                                .tags = device_csv_text(list, row->tags),
                                                .note = device_csv_text(list, row->note),
                                                .firmware = device_csv_text(list, row->firmware)};
    }
    return true;
}

/* ---- storing ---- */

struct putting {
    struct db *db;
    const struct firmware *firmware;
    struct campaign *campaign;
    struct campaign_audience *audience;
};

/* A device that is not known is added. Tags and note of a line are those of an import. */
static bool put_device(const struct putting *putting, const struct campaign_audience_line *line,
                       struct device *device, struct error *err)
{
    const struct firmware *firmware = putting->firmware;
    struct db *db = putting->db;
    bool found;
    if (line->firmware[0] && strcmp(line->firmware, firmware->name) != 0)
        return error_set(err, ERROR_INVALID, "line %u: the campaign is for the firmware %s", line->number,
                         firmware->name);
    if (!device_find(db, firmware->product_id, &line->identity, device, &found, err) ||
        (!found && !device_add(db, firmware->product_id, &line->identity, firmware->id, device, err)))
        return false;
    putting->audience->added += !found;
    const struct device before = *device;
    if (line->tags[0])
        snprintf(device->tags, sizeof device->tags, "%s", line->tags);
    if (line->note[0])
        snprintf(device->note, sizeof device->note, "%s", line->note);
    return device_equal(&before, device) || device_update(db, device, err);
}

static bool add_row(const struct putting *putting, int64_t device_id, struct error *err)
{
    struct campaign *campaign = putting->campaign;
    const struct campaign_device row = {.campaign_id = campaign->id,
                                        .device_id = device_id,
                                        .rank = campaign->devices,
                                        .outcome = OUTCOME_WAITING};
    bool is_new;
    if (!campaign_device_add(putting->db, &row, &is_new, err))
        return false;
    campaign->devices += is_new;
    return true;
}

/* All devices that are named first, or all others. The order of the others is that of the campaign. */
static bool put_all(const struct putting *putting, bool first, struct error *err)
{
    const struct campaign_audience *audience = putting->audience;
    _cleanup_(cleanup_free) struct order_item *items = calloc(audience->count, sizeof *items);
    struct device device;
    size_t count = 0;
    if (!items)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < audience->count; i++) {
        if (audience->line[i].first != first)
            continue;
        if (!put_device(putting, &audience->line[i], &device, err))
            return false;
        items[count++] = campaign_order_of(putting->campaign, &device);
    }
    if (!first)
        campaign_order_sort(items, count, putting->campaign->order);
    for (size_t i = 0; i < count; i++)
        if (!add_row(putting, items[i].device_id, err))
            return false;
    return true;
}

struct order_item campaign_order_of(const struct campaign *campaign, const struct device *device)
{
    char name[IDENTITY_SIZE + 8];
    snprintf(name, sizeof name, "%s:%s", identity_kind_name(device->id_kind), device->device);
    return campaign_order_item(campaign->id, device->id, name, device->tags);
}

bool campaign_audience_set(struct db *db, const struct firmware *firmware, struct campaign *campaign,
                           struct campaign_audience *audience, struct error *err)
{
    const struct putting putting = {db, firmware, campaign, audience};
    if (!audience->count)
        return error_set(err, ERROR_INVALID, "the list has no device");
    campaign->audience = AUDIENCE_LIST;
    campaign->devices = campaign->firsts = 0;
    if (!campaign_device_drop_all(db, campaign->id, err) || !put_all(&putting, true, err))
        return false;
    if (campaign->filter[0])
        campaign->firsts = campaign->devices;
    return put_all(&putting, false, err);
}

/* ORDER_NONE of a list is the order in which the list was sent. */
static enum campaign_order order_of_list(unsigned order)
{
    return order == ORDER_NONE ? ORDER_GIVEN : (enum campaign_order)order;
}

bool campaign_audience_order(const json_t *value, const json_t *devices, struct campaign *campaign,
                             struct error *err)
{
    bool has_list = campaign->audience == AUDIENCE_LIST && !campaign->filter[0];
    unsigned order = ORDER_NONE;
    if (!value)
        return true;
    if (!json_is_null(value) &&
        (!enum_find(&campaign_order_names, slice_of(json_string_value(value)), &order) ||
         order == ORDER_NONE))
        return error_set(err, ERROR_INVALID, "order is given, hash or spread");
    if (has_list && !devices && order_of_list(order) != order_of_list(campaign->order))
        return error_set(err, ERROR_INVALID,
                         "the order is fixed when a list is made: send the devices with the order");
    campaign->order = (enum campaign_order)order;
    return true;
}
