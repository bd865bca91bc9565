/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists in a body of text/csv: one device per line. The id comes first: an IMEI, or what a module sends as
   imei instead; or imei:…, mac:…, uid:…. */
#ifndef DFOTA_SERVER_ADMIN_CSV_H
#define DFOTA_SERVER_ADMIN_CSV_H

#include "base/error.h"
#include "base/slice.h"
#include "upgrade/identity.h"

#define CSV_LINES_MAX  20000 /* devices: all are one transaction, and everything else waits for it */
#define CSV_FIELDS_MAX 3

struct csv_line {
    struct identity identity;
    /* trimmed, without quotes; empty if the line has fewer fields; the first is the id */
    struct slice field[CSV_FIELDS_MAX];
};

/* Calls take(cls) for each line with content. When take() returns false with an error, the line number is
   put before its text. A first line that begins with "imei" is a heading. Blank lines are skipped. Fields
   may be in double quotes, lines may end in CRLF, a byte order mark may come first. `form` is the text
   about a line with more than `fields` fields: "a line is IMEI[,version]". ERROR_INVALID,
   ERROR_BAD_DEVICE, ERROR_TOO_LARGE. */
bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct error *err) __attribute__((warn_unused_result));

#endif
