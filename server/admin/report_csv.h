/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The list of a bulk report: one IMEI,version[,at[,variant]] per line. */
#ifndef DFOTA_SERVER_ADMIN_REPORT_CSV_H
#define DFOTA_SERVER_ADMIN_REPORT_CSV_H

#include "base/error.h"
#include "base/slice.h"
#include "server/admin/csv.h"
#include "server/checkin/base_build.h"
#include "upgrade/identity.h"
#include "upgrade/version.h"

struct report_order { /* one device and the version that it is said to run */
    unsigned line;
    struct identity identity;
    struct version version;
    struct build_told build;
    int64_t at_ms;   /* when the version was seen; 0: now */
    const char *why; /* why the report did not count; a static text; NULL: it counted */
    /* the report counted, but is older than what is known; a static text; NULL: no doubt */
    const char *warning;
};

/* Reads lines as csv_read() does. `at` is UTC in milliseconds, not after now_ms. A
   build is named by its variant or by the SHA-256 of its image. *ret belongs to the
   caller (free). An error begins with the number of its line: ERROR_BAD_DEVICE, ERROR_BAD_VERSION,
   ERROR_WRONG_FIRMWARE, ERROR_INVALID; or ERROR_TOO_LARGE. */
bool report_csv_parse(struct slice text, const char *firmware, int64_t now_ms, struct report_order **ret,
                      size_t *ret_count, struct csv_faults *faults, struct error *err)
    __attribute__((warn_unused_result));

#endif
