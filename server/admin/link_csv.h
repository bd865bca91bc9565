/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The list of a bulk call: one IMEI[,version] per line. */
#ifndef DFOTA_SERVER_ADMIN_LINK_CSV_H
#define DFOTA_SERVER_ADMIN_LINK_CSV_H

#include "server/admin/csv.h"
#include "server/admin/link.h"

/* Reads lines as csv_read() does. `version` is for lines without one and may be "". *ret belongs to the
   caller (free). An error begins with the number of its line: ERROR_BAD_DEVICE, ERROR_BAD_VERSION,
   ERROR_WRONG_FIRMWARE, ERROR_INVALID; or ERROR_TOO_LARGE. */
bool link_csv_parse(struct slice text, const char *firmware, const char *version, struct link_order **ret,
                    size_t *ret_count, struct csv_faults *faults, struct error *err)
    __attribute__((warn_unused_result));

/* Writes imei,version,url,report_url with a heading, for a spreadsheet. The text belongs to the caller
   (free); NULL: out of memory. No field can begin with a character that a spreadsheet takes for a formula:
   there are only digits, versions and URLs. */
char *link_csv_write(const struct daemon *daemon, const struct link_order *orders, size_t count,
                     size_t *ret_len);

#endif
