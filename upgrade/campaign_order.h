/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The order of the devices of a list: which of them go first. It is fixed when the list is made. Pure. */
#ifndef DFOTA_UPGRADE_CAMPAIGN_ORDER_H
#define DFOTA_UPGRADE_CAMPAIGN_ORDER_H

#include <stddef.h>
#include <stdint.h>
#include "base/enum_names.h"

enum campaign_order {
    ORDER_NONE,  /* not said */
    ORDER_GIVEN, /* as the list was written */
    ORDER_HASH,  /* by a hash of the campaign and the device: another order in each campaign */
    ORDER_SPREAD /* devices with other tags in turn; by hash where the tags are the same */
};
extern const struct enum_names campaign_order_names; /* "", "given", "hash", "spread" */

struct order_item {
    int64_t device_id;
    uint64_t hash;  /* of the device, made by campaign_order_item() */
    uint64_t group; /* of its tags */
    size_t turn;    /* internal */
};

/* `device` is "imei:…". `tags` is as upgrade/tag.h makes it. */
struct order_item campaign_order_item(int64_t campaign_id, int64_t device_id, const char *device,
                                      const char *tags);
/* ORDER_NONE and ORDER_GIVEN change nothing. */
void campaign_order_sort(struct order_item *items, size_t count, enum campaign_order order);

#endif
