/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the whole server has at this moment, as far as the caller may see it: for GET /overview and
   GET /metrics. */
#ifndef DFOTA_SERVER_ADMIN_OVERVIEW_H
#define DFOTA_SERVER_ADMIN_OVERVIEW_H

#include "server/admin/attention.h"

struct overview_row { /* a firmware */
    struct product product;
    struct firmware firmware;
    struct overview_counts counts;
};

struct overview {
    struct overview_row *row; /* those with the most devices first; owned */
    size_t count, products;
    struct overview_counts all;      /* their sums */
    bool two_images, format, target; /* at least one firmware has two images, a format, a target */
    struct attention attention;      /* the next things to do; the items are owned */
};

/* Fills *ret; the caller frees it with overview_free() also after an error. */
bool overview_load(struct admin_call *call, struct overview *ret, struct error *err);
void overview_free(struct overview *overview);

#endif
