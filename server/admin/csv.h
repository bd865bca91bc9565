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

#define CSV_FAULTS_MAX 100

/* What is wrong with the lines of a list. */
struct csv_faults {    /* all zeros at first */
    size_t count;      /* of wrong lines */
    struct csv_fault { /* the first CSV_FAULTS_MAX of them */
        unsigned line;
        struct error error;
    } fault[CSV_FAULTS_MAX];
};

/* Notes that a line is wrong, and returns true: the next line can be read. False: the error is none of the line (5xx,
   too large), or `faults` is NULL; *err has the number of the line then. */
bool csv_note_fault(struct csv_faults *faults, unsigned line, const struct error *why, struct error *err)
    __attribute__((warn_unused_result));
/* False when a line is wrong: *err is about the first one, and says how many more there are. NULL: none. */
bool csv_end_faults(const struct csv_faults *faults, struct error *err) __attribute__((warn_unused_result));

/* Calls take(cls) for each row; it returns false with an error. Lines without any character are skipped.
   ERROR_INVALID: a quote is in a wrong place, a quoted field has no end, or the text is neither UTF-8 nor
   GBK. The number of the line is put before each error. With `faults` the rows after a wrong one are read, too. */
bool csv_rows(struct slice text, bool (*take)(void *cls, const struct csv_row *row, struct error *err),
              void *cls, struct csv_faults *faults, struct error *err) __attribute__((warn_unused_result));

struct csv_line {
    unsigned line; /* where it begins, from 1 */
    struct identity identity;
    struct slice field[CSV_FIELDS_MAX]; /* the first is the IMEI */
};

/* A list with one device per line. The id comes first: an IMEI, or what a module sends as imei instead; or
   imei:…, mac:…, uid:…. Calls take(cls) for each device. A first line that begins with "imei" is a heading.
   `form` is the text about a line with more than `fields` fields: "a line is IMEI[,version]". ERROR_INVALID,
   ERROR_BAD_DEVICE, or ERROR_TOO_LARGE for more than CSV_LINES_MAX devices. */
bool csv_read(struct slice text, unsigned fields, const char *form,
              bool (*take)(void *cls, const struct csv_line *line, struct error *err), void *cls,
              struct csv_faults *faults, struct error *err) __attribute__((warn_unused_result));

/* The id of a device, as in a line of csv_read(). */
bool csv_identity(struct slice text, struct identity *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
