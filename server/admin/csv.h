/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists in a body of text/csv (RFC 4180), read with libcsv. The text is UTF-8, with or without a byte order
   mark, or GBK. */
#ifndef DFOTA_SERVER_ADMIN_CSV_H
#define DFOTA_SERVER_ADMIN_CSV_H

#include "base/error.h"
#include "base/slice.h"
#include "upgrade/identity.h"

#define CSV_LINES_MAX  20000 /* all are one transaction, and everything else waits for it */
#define CSV_FIELDS_MAX 8

struct csv_row {
    unsigned line;  /* where it begins, from 1 */
    unsigned count; /* of fields; may be more than CSV_FIELDS_MAX, whose content is then not known */
    /* UTF-8, without the blanks around; empty where the row has no more fields */
    struct slice field[CSV_FIELDS_MAX];
};

/* Calls take(cls) for each row; it returns false with an error. Lines without any character are skipped.
   ERROR_INVALID: a quote is in a wrong place, a quoted field has no end, or the text is neither UTF-8 nor
   GBK. The number of the line is put before each error. */
bool csv_rows(struct slice text, bool (*take)(void *cls, const struct csv_row *row, struct error *err),
              void *cls, struct error *err) __attribute__((warn_unused_result));

struct csv_line {
    struct identity identity;
    struct slice field[CSV_FIELDS_MAX]; /* the first is the IMEI */
};

/* A list with one device per line. The id comes first: an IMEI, or what a module sends as imei instead; or
   imei:…, mac:…, uid:…. Calls take(cls) for each device. A first line that begins with "imei" is a heading.
   `form` is the text about a line with more than `fields` fields: "a line is IMEI[,version]". ERROR_INVALID,
   ERROR_BAD_DEVICE, or ERROR_TOO_LARGE for more than CSV_LINES_MAX devices. */
bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct error *err) __attribute__((warn_unused_result));

/* The id of a device, as in a line of csv_read(). */
bool csv_identity(struct slice text, struct identity *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
