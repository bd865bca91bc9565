/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl status */
#include "ctl/command.h"

bool status_show(struct session *session, struct failure *fail)
{
    static const struct table_column columns[] = {
        {"Server version", "version", TABLE_TEXT},
        {"Running for", "uptime_ms", TABLE_DURATION},
        {"Products", "products", TABLE_NUMBER},
        {"Devices", "devices", TABLE_NUMBER},
        {"Claims to look at", "conflicts", TABLE_NUMBER},
        {"Packages ready", "packages.ready", TABLE_NUMBER},
        {"Packages queued", "packages.queued", TABLE_NUMBER},
        {"Packages generating", "packages.generating", TABLE_NUMBER},
        {"Packages failed", "packages.failed", TABLE_NUMBER},
        {"Queue takes", "packages.estimate_ms", TABLE_DURATION},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    return session_show(session, "GET", "/status", &view, fail);
}
