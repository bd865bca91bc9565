/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists in a body of text/csv: one device a line, its id first: an IMEI, or what a module sends as imei instead; or
   imei:…, mac:…, uid:…. */
#ifndef DFOTA_SERVER_ADMIN_CSV_H
#define DFOTA_SERVER_ADMIN_CSV_H

#include "base/error.h"
#include "base/slice.h"
#include "upgrade/identity.h"

#define CSV_LINES_MAX  20000 /* devices: all are one transaction, and everybody else waits for it */
#define CSV_FIELDS_MAX 3

struct csv_line {
    struct identity identity;
    struct slice field[CSV_FIELDS_MAX]; /* trimmed, without quotes; empty where the line has no more. The
                                           first is the IMEI */
};

/* Calls take(cls) for each line that tells something; it returns false with an error, before which the number
   of the line is put. A first line that begins with "imei" is a heading, blank lines are skipped, fields may
   stand in double quotes, lines may end in CRLF, a byte order mark may come first. `form` is said of a line
   with more than `fields`: "a line is IMEI[,version]". ERROR_INVALID, ERROR_BAD_DEVICE, ERROR_TOO_LARGE. */
bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct error *err) __attribute__((warn_unused_result));

#endif
