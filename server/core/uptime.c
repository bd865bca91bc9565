/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/uptime.h"

#include "base/clock.h"
#include "storage/pending_report.h"

static struct {
    int64_t at_start_ms, boot_ms;
} served;

bool uptime_begin(struct db *db, struct error *err)
{
    served.boot_ms = clock_boot_ms();
    return uptime_load(db, &served.at_start_ms, err);
}

int64_t uptime_now_ms(void)
{
    return served.at_start_ms + clock_boot_ms() - served.boot_ms;
}
