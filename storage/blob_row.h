/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which blobs the rows name: those of images, of packages, and of packages that are smaller and not yet
   sent. */
#ifndef DFOTA_STORAGE_BLOB_ROW_H
#define DFOTA_STORAGE_BLOB_ROW_H

#include "storage/db.h"

struct blob_row {
    struct sha256 sha256;
    int64_t size_bytes;
    char what[160]; /* "image 1147 of AirM2M_780E_LTE_AT", for people: one of the rows that name the blob */
};

/* Each blob once, in the order of the hashes. *ret is the caller's (free). */
bool blob_row_list(struct db *db, struct blob_row **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

#endif
