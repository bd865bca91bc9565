/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A list of devices to import: device, tags, note, firmware. A header in the first line names the columns,
   in any order. Without a header, a line is one device. */
#ifndef DFOTA_SERVER_ADMIN_DEVICE_CSV_H
#define DFOTA_SERVER_ADMIN_DEVICE_CSV_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "server/admin/csv.h"
#include "upgrade/identity.h"

struct device_csv_row {
    unsigned line;
    struct identity identity;
    bool first;                    /* of a ranked list: the device goes before others */
    uint32_t tags, note, firmware; /* where each text is in device_csv.texts, with NUL; 0: left out */
};

struct device_csv { /* all zeros at first */
    struct device_csv_row *rows;
    size_t count, room;
    struct buffer texts;
};

/* All tags, notes and names are valid. ERROR_INVALID or ERROR_BAD_DEVICE, each with the number of
   the line; ERROR_TOO_LARGE. `faults`: as for csv_rows(). The caller frees *ret with device_csv_free(), also after an error. */
bool device_csv_parse(struct slice text, struct device_csv *ret, struct csv_faults *faults, struct error *err)
    __attribute__((warn_unused_result));
/* For a list whose devices have an order: there is another column, first, with "first", "yes" or nothing. Without a
   header a line is a device, or a device and "first". A first line that begins with "imei" is skipped. */
bool device_csv_parse_ranked(struct slice text, struct device_csv *ret, struct error *err)
    __attribute__((warn_unused_result));
void device_csv_free(struct device_csv *list);

/* A text of a row; "" where it is left out. */
const char *device_csv_text(const struct device_csv *list, uint32_t at);

#endif
