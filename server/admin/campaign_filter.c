/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The devices that the filter of a campaign selects. The fleet is read in pages, with a connection for reading, before
   the change that needs the result. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/campaign.h"
#include "server/campaign/life.h"
#include "storage/device.h"
#include "storage/image.h"

#define PAGE_ROWS 5000

struct walk {
    struct db *db;
    const struct firmware *firmware;
    struct filter filter;
    int64_t now_ms;
    bool (*take)(void *cls, const struct device *device, struct error *err);
    void *cls;

    struct device row;
    bool shared, failed;
    int64_t rows, last_id;
    struct device *page; /* that the filter selects: a statement cannot run while another gives rows */
    size_t count;
    struct error *err;
};

static bool keep(void *cls)
{
    struct walk *walk = cls;
    struct filter_subject subject;
    walk->rows++;
    walk->last_id = walk->row.id;
    device_subject(&walk->row, walk->firmware->name, &subject);
    if (filter_selects(&walk->filter, &subject, walk->now_ms))
        walk->page[walk->count++] = walk->row;
    return true;
}

static bool walk_pages(struct walk *walk, struct error *err)
{
    do {
        const struct device_walk part = {.product_id = walk->firmware->product_id,
                                         .firmware_id = walk->firmware->id,
                                         .state = DEVICE_ACTIVE,
                                         .after = walk->last_id,
                                         .most = PAGE_ROWS};
        walk->rows = 0;
        walk->count = 0;
        if (!device_walk(walk->db, &part, &walk->row, &walk->shared, keep, walk, err))
            return false;
        for (size_t i = 0; i < walk->count; i++)
            if (!walk->take(walk->cls, &walk->page[i], err))
                return false;
    } while (walk->rows == PAGE_ROWS);
    return true;
}

/* Calls take(cls) for each active device of the firmware that the filter selects. */
static bool each_selected(struct db *db, const struct firmware *firmware, const char *filter,
                          bool (*take)(void *cls, const struct device *device, struct error *err), void *cls,
                          struct error *err)
{
    struct walk *walk = calloc(1, sizeof *walk);
    bool ok = walk && (walk->page = calloc(PAGE_ROWS, sizeof *walk->page));
    if (!ok)
        error_set(err, ERROR_INTERNAL, "out of memory");
    if (ok) {
        walk->db = db;
        walk->firmware = firmware;
        walk->now_ms = clock_utc_ms();
        walk->take = take;
        walk->cls = cls;
        ok = filter_parse(slice_of(filter), &filter_device, &walk->filter, err) && walk_pages(walk, err);
    }
    if (walk)
        free(walk->page);
    free(walk);
    return ok;
}

static const char *runs(const struct device *device)
{
    return device->asked_version[0] ? device->asked_version : device->confirmed_version;
}

/* ---- before a start ---- */

struct selecting {
    const struct campaign *campaign;
    struct campaign_selection *selection;
};

static bool take_item(void *cls, const struct device *device, struct error *err)
{
    struct selecting *selecting = cls;
    struct campaign_selection *selection = selecting->selection;
    const struct campaign *campaign = selecting->campaign;
    selection->to_lead += !device->held_out_ms && strcmp(runs(device), selection->target) != 0;
    if (campaign->audience == AUDIENCE_ALL)
        return true;
    if (selection->count == CAMPAIGN_FILTER_MAX)
        return error_set(err, ERROR_TOO_LARGE,
                         "the filter selects more than %d devices: use a dynamic one, or several campaigns",
                         CAMPAIGN_FILTER_MAX);
    if (selection->count == selection->room) {
        size_t room = selection->room ? selection->room * 2 : 256;
        struct order_item *item = reallocarray(selection->item, room, sizeof *item);
        if (!item)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        selection->item = item;
        selection->room = room;
    }
    selection->item[selection->count++] = campaign_order_of(campaign, device);
    return true;
}

bool campaign_filter_select(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                            const char *target, struct campaign_selection *ret, struct error *err)
{
    struct selecting selecting = {campaign, ret};
    *ret = (struct campaign_selection){.order = campaign->order};
    snprintf(ret->filter, sizeof ret->filter, "%s", campaign->filter);
    snprintf(ret->target, sizeof ret->target, "%s", target);
    if (!campaign->filter[0])
        return true;
    if (!each_selected(db, firmware, campaign->filter, take_item, &selecting, err))
        return false;
    campaign_order_sort(ret->item, ret->count, campaign->order == ORDER_NONE ? ORDER_HASH : campaign->order);
    return true;
}

bool campaign_filter_apply(struct db *db, struct campaign *campaign,
                           const struct campaign_selection *selection, struct error *err)
{
    if (strcmp(campaign->filter, selection->filter) != 0 || campaign->order != selection->order)
        return error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s has just been changed: look at it again",
                         campaign->name);
    if (campaign->filter[0] && campaign->audience == AUDIENCE_ALL)
        campaign->devices = selection->to_lead;
    if (!campaign->filter[0] || campaign->audience == AUDIENCE_ALL || campaign->state != CAMPAIGN_DRAFT)
        return true;
    int64_t rank = campaign->firsts;
    for (size_t i = 0; i < selection->count; i++) {
        bool is_new;
        if (!campaign_device_select(db, campaign, selection->item[i].device_id, rank, &is_new, err))
            return false;
        rank += is_new;
        campaign->devices += is_new;
    }
    return true;
}

/* ---- for the effect ---- */

struct grouping {
    struct db *db;
    const struct campaign *campaign;
    json_t *in, *out; /* devices by version, or by version and build: see key_of() */
    json_t *several;  /* versions with several builds */
    size_t selected;
    struct error *conflict; /* "": none so far */
};

#define KEY_SIZE (VERSION_TEXT_SIZE + SHA256_HEX_SIZE + 1)

/* "1147", or "1147 HASH" of a known build among several. */
static void key_of(const struct grouping *grouping, const struct device *device, char out[KEY_SIZE])
{
    const char *version = runs(device);
    char hex[SHA256_HEX_SIZE];
    bool is_known = !device->held_out_ms && !sha256_is_zero(&device->build) &&
                    strcmp(version, device->confirmed_version) == 0 &&
                    json_object_get(grouping->several, version);
    sha256_hex(&device->build, hex);
    snprintf(out, KEY_SIZE, is_known ? "%s %s" : "%s", version, hex);
}

static void count_key(json_t *counts, const char *key, int64_t devices)
{
    json_int_t before = json_integer_value(json_object_get(counts, key));
    json_object_set_new(counts, key, json_integer(before + devices));
}

static bool find_several(struct grouping *grouping, int64_t firmware_id, struct error *err)
{
    _cleanup_(cleanup_free) struct image *list = NULL;
    size_t count;
    if (!image_list(grouping->db, firmware_id, &list, &count, err))
        return false;
    for (size_t i = 1; i < count; i++)
        if (strcmp(list[i].version, list[i - 1].version) == 0)
            json_object_set_new(grouping->several, list[i].version, json_true());
    return true;
}

static bool find_conflict(struct grouping *grouping, int64_t device_id, struct error *err)
{
    struct campaign other;
    bool found;
    if (grouping->conflict->text[0])
        return true;
    if (!campaign_device_conflict(grouping->db, grouping->campaign, device_id, &other, &found, err))
        return false;
    if (found)
        campaign_refuse_conflict(grouping->campaign, &other, grouping->conflict);
    return true;
}

static bool take_version(void *cls, const struct device *device, struct error *err)
{
    struct grouping *grouping = cls;
    const struct campaign *campaign = grouping->campaign;
    struct campaign_device row;
    char key[KEY_SIZE];
    bool found = false;
    if (campaign->audience == AUDIENCE_LIST && ++grouping->selected > CAMPAIGN_FILTER_MAX)
        return error_set(err, ERROR_TOO_LARGE,
                         "the filter selects more than %d devices: use a dynamic one, or several campaigns",
                         CAMPAIGN_FILTER_MAX);
    if (campaign->devices &&
        campaign->audience == AUDIENCE_LIST && /* a device that an admin named first is counted already */
        !campaign_device_find(grouping->db, campaign->id, device->id, &row, &found, err))
        return false;
    key_of(grouping, device, key);
    if (!found)
        count_key(device->held_out_ms ? grouping->out : grouping->in, key, 1);
    return campaign->audience == AUDIENCE_ALL || find_conflict(grouping, device->id, err);
}

static bool add_firsts(struct grouping *grouping, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_group *group = NULL;
    size_t count;
    if (grouping->campaign->audience == AUDIENCE_ALL)
        return true;
    if (!campaign_device_groups(grouping->db, grouping->campaign, &group, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        count_key(group[i].out ? grouping->out : grouping->in, group[i].version, group[i].devices);
    return true;
}

static void add_groups(json_t *counts, bool out, struct campaign_group *list, size_t *count)
{
    const char *key;
    json_t *devices;
    json_object_foreach (counts, key, devices) {
        struct campaign_group *group = &list[(*count)++];
        struct slice rest = slice_of(key), version;
        *group = (struct campaign_group){.out = out, .devices = json_integer_value(devices)};
        slice_split(&rest, ' ', &version);
        slice_copy(version, group->version, sizeof group->version);
        if (rest.ptr)
            sha256_from_hex(rest, &group->build);
    }
}

static int by_devices(const void *a, const void *b)
{
    const struct campaign_group *left = a, *right = b;
    return left->out != right->out          ? (left->out ? 1 : -1)
           : left->devices > right->devices ? -1
           : left->devices < right->devices ? 1
                                            : strcmp(left->version, right->version);
}

bool campaign_filter_groups(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                            struct campaign_group **ret, size_t *ret_count, struct error *conflict,
                            struct error *err)
{
    _cleanup_(cleanup_json) json_t *in = json_object();
    _cleanup_(cleanup_json) json_t *out = json_object();
    _cleanup_(cleanup_json) json_t *several = json_object();
    struct grouping grouping = {db, campaign, in, out, several, 0, conflict};
    if (!find_several(&grouping, firmware->id, err) || !add_firsts(&grouping, err) ||
        !each_selected(db, firmware, campaign->filter, take_version, &grouping, err))
        return false;
    *ret_count = 0;
    *ret = calloc(json_object_size(in) + json_object_size(out) + 1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    add_groups(in, false, *ret, ret_count);
    add_groups(out, true, *ret, ret_count);
    qsort(*ret, *ret_count, sizeof **ret, by_devices);
    return true;
}
