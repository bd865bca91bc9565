/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/device/device.h"
#include "upgrade/transcript.h"

/* Some modules send the query directly after the vendor's path ("/upgradeimei=…"), so only the beginning
   is compared. */
const struct route device_routes[] = {
    {"GET", "/api/site/firmware_upgrade", ROUTE_PREFIX, 0, NULL, luat_handle},
    {"GET", "/upgrade", ROUTE_PREFIX, 0, NULL, luat_handle},
    {"GET", "/api/site/turnkey_fota", 0, 0, NULL, turnkey_handle},
    {"POST", "/api/site/turnkey_fota_result", 0, 4096, NULL, turnkey_result_handle},
    /* Must come before the route with a version, which would match it. A worker reads the transcript,
       because that takes time. */
    {"POST", "/d/{}/report", ROUTE_WORKER | ROUTE_VET, TRANSCRIPT_MAX_BYTES, NULL, report_handle},
    {"GET", "/d/{}", 0, 0, NULL, link_handle},
    {"GET", "/d/{}/{}", 0, 0, NULL, link_handle},
};
const size_t device_route_count = sizeof device_routes / sizeof *device_routes;
