/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Parts that the handlers of campaigns share. */
#ifndef DFOTA_SERVER_ADMIN_CAMPAIGN_H
#define DFOTA_SERVER_ADMIN_CAMPAIGN_H

#include "server/admin/call.h"
#include "server/admin/device_csv.h"
#include "server/campaign/member.h"
#include "storage/campaign_device.h"
#include "storage/product.h"

struct campaign_path { /* what the path of a request names */
    struct product product;
    struct firmware firmware;
    struct campaign campaign;
};

/* ERROR_CAMPAIGN_NOT_FOUND. */
bool campaign_path_find(const struct request *request, struct db *db, struct campaign_path *ret,
                        struct error *err) __attribute__((warn_unused_result));
/* Answers with the campaign as it is stored now. */
bool campaign_answer(struct admin_call *call, int status, const struct firmware *firmware, int64_t id,
                     struct error *err) __attribute__((warn_unused_result));
/* A target that an admin wrote: an image of the firmware that is not withdrawn. */
bool campaign_read_target(struct db *db, const struct firmware *firmware, const char *text,
                          char ret[VERSION_TEXT_SIZE], struct error *err) __attribute__((warn_unused_result));
bool campaign_check_name(const char *name, struct error *err) __attribute__((warn_unused_result));
/* ERROR_CAMPAIGN_STATE, unless it is a draft. */
bool campaign_check_draft(const struct campaign *campaign, struct error *err)
    __attribute__((warn_unused_result));

/* The stages of a body, NULL or null for one stage with all devices. ERROR_INVALID. */
bool campaign_read_stages(const json_t *list, struct stages *ret, struct error *err)
    __attribute__((warn_unused_result));
bool campaign_to_json(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                      json_t **ret, struct error *err) __attribute__((warn_unused_result));

json_t *campaign_device_to_json(const struct campaign_device_listed *listed);

/* A list of devices on its way into a campaign. */
struct campaign_audience {
    struct campaign_audience_line {
        struct identity identity;
        bool first;                         /* before all others */
        unsigned number;                    /* of the line of a file; 0: none */
        const char *tags, *note, *firmware; /* borrowed; "": left out */
    } * line;                               /* the owner's (free) */
    size_t count, room;
    int64_t added; /* of these: devices that the product did not have */
};

/* Appends the ids of an array of texts. ERROR_INVALID, ERROR_BAD_DEVICE, ERROR_TOO_LARGE. */
bool campaign_audience_read(struct db *db, int64_t product_id, const json_t *list, bool first,
                            struct campaign_audience *audience, struct error *err)
    __attribute__((warn_unused_result));
/* Appends the rows of a file, and borrows its texts. ERROR_TOO_LARGE. */
bool campaign_audience_take(const struct device_csv *list, struct campaign_audience *audience,
                            struct error *err) __attribute__((warn_unused_result));
/* Writer's thread: makes them the devices of the campaign, in the order of the campaign, and adds those that the
   product does not have. A device that is there twice keeps its first place. Sets campaign->audience,
   campaign->devices, and with a filter campaign->firsts. */
bool campaign_audience_set(struct db *db, const struct firmware *firmware, struct campaign *campaign,
                           struct campaign_audience *audience, struct error *err)
    __attribute__((warn_unused_result));

/* Sets campaign->order from the fields `order` and `devices` of a body, each NULL when it was not sent; null is the default.
   ERROR_INVALID. */
bool campaign_audience_order(const json_t *value, const json_t *devices, struct campaign *campaign,
                             struct error *err) __attribute__((warn_unused_result));

/* For campaign_order_sort(). */
struct order_item campaign_order_of(const struct campaign *campaign, const struct device *device);

#define CAMPAIGN_FILTER_MAX 100000 /* devices of a frozen filter: one transaction adds all */

struct campaign_selection { /* what a filter selects */
    char filter[FILTER_TEXT_MAX + 1], target[VERSION_TEXT_SIZE];
    enum campaign_order order;
    struct order_item *item; /* of a frozen filter, in order; the owner's (free) */
    size_t count, room;
    int64_t to_lead; /* of these: devices that do not run the target */
};

/* Any thread: reads the fleet in pages. Without a filter it selects nothing. ERROR_TOO_LARGE. */
bool campaign_filter_select(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                            const char *target, struct campaign_selection *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Writer's thread, before a start or a new target: makes the list of a frozen filter, or sets campaign->devices for a
   dynamic one. ERROR_CAMPAIGN_STATE: the filter was changed since. */
bool campaign_filter_apply(struct db *db, struct campaign *campaign,
                           const struct campaign_selection *selection, struct error *err)
    __attribute__((warn_unused_result));
/* What the filter selects now, by version. *ret is the caller's (free). *conflict: the first other list that has one of
   the devices, for a frozen filter. */
bool campaign_filter_groups(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                            struct campaign_group **ret, size_t *ret_count, struct error *conflict,
                            struct error *err) __attribute__((warn_unused_result));

/* The campaign that leads a device, and the place of the device in it; null: none. */
json_t *campaign_member_to_json(const struct campaign_member *member, const struct device *device);
/* The detail of campaign-added and campaign-set. Takes over `by`. */
json_t *campaign_detail(const struct campaign *campaign, unsigned stages, json_t *by);

/* What a campaign would do: how many devices by which path, how many bytes, what cannot be reached and why.
   Of a plain campaign that is not stored, campaign->id is 0. Any thread. */
bool campaign_effect(struct admin_call *call, struct db *db, const struct firmware *firmware,
                     const struct campaign *campaign, int64_t besides, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));
/* ?dry_run=1 */
bool campaign_is_dry_run(const struct request *request, bool *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
