/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How much the server stores, as the last daily count found it. Any thread. */
#ifndef DFOTA_SERVER_DB_SIZES_H
#define DFOTA_SERVER_DB_SIZES_H

#include "storage/blob.h"
#include "storage/growth.h"

struct stored_sizes {
    int64_t at_ms; /* UTC, of the count; 0: not counted yet */
    struct growth_counts rows;
    struct blob_totals blobs;
    int64_t unknown_blobs;
};

struct sizes;
bool sizes_open(struct sizes **ret, struct error *err);
void sizes_close(struct sizes *sizes); /* NULL is fine */
void sizes_set(struct sizes *sizes, const struct stored_sizes *now);
void sizes_get(struct sizes *sizes, struct stored_sizes *ret);

#endif
