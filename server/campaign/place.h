/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The place of a device in its campaigns, when the device itself changes: retired, held out, replaced, moved to another
   firmware, deleted. A device that takes no part has the outcome `out`; the next of the list takes its place in the
   stage. Writer's thread, in the transaction of the change, after the device is stored. */
#ifndef DFOTA_SERVER_CAMPAIGN_PLACE_H
#define DFOTA_SERVER_CAMPAIGN_PLACE_H

#include "storage/campaign_device.h"

/* The device was retired, held out, or moved to another firmware, or the opposite. */
bool campaign_device_changed(struct db *db, int64_t device_id, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* The new device takes the rank of the old one, and its stage, in drafts and live campaigns. Call it before the old one
   is retired. Where the new one has a place already, the old one keeps its own. ERROR_CAMPAIGN_CONFLICT: the new one is
   in a list that leads to another version. */
bool campaign_device_replaced(struct db *db, int64_t old_id, int64_t new_id, int64_t now_ms,
                              struct error *err) __attribute__((warn_unused_result));

/* The device is about to be deleted: its places are. */
bool campaign_device_forget(struct db *db, int64_t device_id, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

#endif
