/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The campaign that leads a device, and the place of the device in it. */
#ifndef DFOTA_SERVER_CAMPAIGN_MEMBER_H
#define DFOTA_SERVER_CAMPAIGN_MEMBER_H

#include "storage/campaign_device.h"
#include "upgrade/decision.h"

struct campaign_member {
    struct campaign campaign;      /* id 0: no campaign leads the device */
    struct campaign_device device; /* valid with `known` */
    bool known;                    /* the device is in the list, or a stage has admitted it */
    bool holds;                    /* no stage has admitted it, and the current one does not */
    char stage[STAGE_TEXT_SIZE];   /* with `holds`: what the current one admits */
};

/* The cost does not depend on how many devices the campaign has. device_id 0: the device is new. */
bool campaign_member_load(struct db *db, int64_t firmware_id, int64_t device_id, struct campaign_member *ret,
                          struct error *err) __attribute__((warn_unused_result));

/* The fields of campaigns in the snapshot. */
void campaign_member_fill(const struct campaign_member *member, struct snapshot *known);

#endif
