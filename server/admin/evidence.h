/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Inside of the files on evidence: the payload of an evidence file while it is written. doc/evidence.md describes the
   file. */
#ifndef DFOTA_SERVER_ADMIN_EVIDENCE_H
#define DFOTA_SERVER_ADMIN_EVIDENCE_H

#include <stdio.h>
#include "server/admin/campaign.h"
#include "storage/package.h"
#include "storage/proof.h"

#define EVIDENCE_BYTES_MAX (40 << 20) /* of the payload; dfotactl reads answers of 64 MiB, in base64 */

struct evidence_package { /* bytes that a device of the campaign was sent */
    struct sha256 sha256;
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], format[FORMAT_SIZE];
    int64_t size_bytes;
};

struct evidence {
    struct db *db;
    struct campaign_path path;
    FILE *out;
    bool whole_chain; /* all rows of the ledger since the campaign began, not only those about it */
    struct evidence_package *package; /* owned */
    size_t package_count, package_room;
};

/* Writes the JSON and frees it. ERROR_TOO_LARGE. */
bool evidence_write(struct evidence *evidence, json_t *json, struct error *err)
    __attribute__((warn_unused_result));

/* Writes the array of all devices with their outcomes, and collects the packages that they were sent. */
bool evidence_write_devices(struct evidence *evidence, struct error *err) __attribute__((warn_unused_result));
/* Writes the object with the rows of the ledger and its head. After the devices. */
bool evidence_write_ledger(struct evidence *evidence, struct error *err) __attribute__((warn_unused_result));

#endif
