/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/lookup_allowance.h"

#include "base/clock.h"
#include "server/checkin/checkin_task.h"
#include "server/checkin/waiting.h"
#include "storage/traffic.h"

bool lookup_allowance(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct allowance *allowance = &known->allowance;
    struct allowance_use *use = &known->allowance_use;
    const struct decision_limits limits = checkin_limits(daemon->config);
    int64_t device_id = facts->device.id, sent = 0;
    if (known->package != PACKAGE_READY)
        return true;
    allowance->hours = hours_of(facts->firmware.hours);
    allowance->max_bytes_per_month = (uint64_t)facts->firmware.max_bytes_per_month;
    if (allowance->max_bytes_per_month && device_id &&
        !traffic_of(db, device_id, hours_month(&allowance->hours, facts->checkin.now_ms), &sent, err))
        return false;
    use->month_bytes = (uint64_t)sent;
    if (!allowance_transfers(&limits.allowance))
        return true;
    /* A download that the device has given up does not keep it waiting. */
    use->transfers = transfers_load(daemon->transfers, known->attempt_open ? facts->attempt.id : 0).running;
    use->waiting = waiting_before(daemon->waiting, device_id, clock_boot_ms());
    return true;
}
