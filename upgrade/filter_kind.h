/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the filter: the kinds of its fields, how a value of each is read, and how it is compared. */
#ifndef DFOTA_UPGRADE_FILTER_KIND_H
#define DFOTA_UPGRADE_FILTER_KIND_H

#include "upgrade/filter.h"

/* Reads a value into *step. NULL: it is valid; otherwise what is wrong, static storage. */
const char *filter_kind_read(enum filter_kind kind, struct slice value, struct filter_step *step);

/* Whether step->op means something for this kind and value. */
bool filter_kind_has_operator(enum filter_kind kind, const struct filter_step *step);

/* Compares the value of a subject with the value of the step. `wanted`: the text of the latter. */
bool filter_kind_compare(enum filter_kind kind, const struct filter_value *value,
                         const struct filter_step *step, struct slice wanted, int64_t now_ms);

#endif
