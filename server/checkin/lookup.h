/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Loads what storage knows of a device, at once and in the writer's thread: the snapshot that the rules judge. */
#ifndef DFOTA_SERVER_CHECKIN_LOOKUP_H
#define DFOTA_SERVER_CHECKIN_LOOKUP_H

#include "server/checkin/facts.h"
#include "server/context.h"

/* Writer's thread, in a transaction: first stores what the device's transfers have had acknowledged up to now, because
   the decision depends on that. ERROR_NOT_FOUND: the URL of a link names a version that cannot be read.
   `stops_at_change`: for a reader, after which the writer decides: fails when the device says something new, which would be
   stored. Without it the lookup goes on. */
bool lookup_load(struct daemon *daemon, struct db *db, const struct client_identity *client,
                 const struct checkin *checkin, bool stops_at_change, struct facts *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Without a request, for a device and a firmware that the caller has: what record_report() needs. */
bool lookup_device(struct daemon *daemon, struct db *db, const struct device *device,
                   const struct firmware *firmware, int64_t now_ms, struct facts *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
