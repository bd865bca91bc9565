/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The campaign that leads a device, and the place of the device in it. */
#ifndef DFOTA_SERVER_CAMPAIGN_MEMBER_H
#define DFOTA_SERVER_CAMPAIGN_MEMBER_H

#include "storage/campaign_device.h"
#include "storage/device.h"
#include "upgrade/decision.h"

struct campaign_member {
    struct campaign campaign;      /* id 0: no campaign leads the device */
    struct campaign_device device; /* valid with `known` */
    bool known;    /* the device is in the list, or a stage has admitted it: the campaign is certain */
    bool others;   /* the device has a place in other live campaigns too: they lead to the same version */
    bool filtered; /* a filter decided whether this campaign or another one leads it, or none */
    bool holds;    /* no stage has admitted it, and the current one does not */
    char stage[REASON_SIZE]; /* with `holds`: what the current one admits (reason.h) */
};

/* Two steps, because a filter compares versions as the target is written. The cost does not depend on how many devices
   the campaign has. device_id 0: the device is new.
   1. The campaign that has a place for the device. Else an open one, until the second step: all open campaigns of a
      firmware lead to the same target. */
bool campaign_member_find(struct db *db, int64_t firmware_id, int64_t device_id, struct campaign_member *ret,
                          struct error *err) __attribute__((warn_unused_result));
/* 2. Of the open campaigns the first whose filter selects the device, or that has no filter; and what its stage says. */
bool campaign_member_choose(struct db *db, const struct filter_subject *subject, int64_t now_ms,
                            struct campaign_member *member, struct error *err)
    __attribute__((warn_unused_result));
/* Both, by what is stored of the device. */
bool campaign_member_load(struct db *db, const struct firmware *firmware, const struct device *device,
                          int64_t now_ms, struct campaign_member *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The device as a filter of this firmware sees it: versions of another firmware are not known. */
void campaign_member_subject(const struct firmware *firmware, const struct device *device,
                             struct filter_subject *ret);

/* The fields of campaigns in the snapshot. */
void campaign_member_fill(const struct campaign_member *member, struct snapshot *known);

#endif
