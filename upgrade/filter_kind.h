/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the filter: the kinds of its fields, how a value of each is read, and how it is compared. */
#ifndef DFOTA_UPGRADE_FILTER_KIND_H
#define DFOTA_UPGRADE_FILTER_KIND_H

#include "upgrade/filter.h"

enum filter_kind {
    FILTER_KIND_VERSION, /* struct version */
    FILTER_KIND_TAG,     /* const char *, of upgrade/tag.h */
    FILTER_KIND_TEXT,    /* const char * */
    FILTER_KIND_AGE,     /* int64_t: a time, 0: never */
    FILTER_KIND_NUMBER,  /* int64_t */
    FILTER_KIND_FLAG     /* bool */
};

/* Reads a value into *step. NULL: it is valid; otherwise what is wrong, static storage. */
const char *filter_kind_read(enum filter_kind kind, struct slice value, struct filter_step *step);

/* Whether < and > mean something for this value. */
bool filter_kind_has_order(enum filter_kind kind, const struct filter_step *step);

/* Compares the member of a device with the value of the step. `value`: the text of the value. */
bool filter_kind_compare(enum filter_kind kind, const void *member, const struct filter_step *step,
                         struct slice value, int64_t now_ms);

#endif
