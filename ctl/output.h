/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The form of the output: -o table, wide, json or csv, and --columns. One form for the whole run. */
#ifndef DFOTA_CTL_OUTPUT_H
#define DFOTA_CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include "ctl/failure.h"
#include "ctl/option.h"
#include "ctl/table.h"

/* *ret_for_programs: JSON or CSV, so notes for people are left out. The options must outlive the run. EXIT_USAGE:
   --columns and JSON. */
bool output_begin(const struct ctl_options *options, bool *ret_for_programs, struct failure *fail);

/* An object; `view` NULL: the whole answer in JSON, its plain members in CSV. */
void output_object(const json_t *object, const struct table_view *view);

/* An answer {"items":[…]}. EXIT_UNREACHABLE: it is not such an answer. EXIT_USAGE: there is no such column. */
bool output_list(const json_t *answer, const struct table_view *view, struct failure *fail);

/* EXIT_USAGE: an object did not have a column that --columns names. */
bool output_end(struct failure *fail);

#endif
