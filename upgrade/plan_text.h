/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The result of a plan as reasons (reason.h): the reason in a device's record, and advice for the admin. */
#ifndef DFOTA_UPGRADE_PLAN_TEXT_H
#define DFOTA_UPGRADE_PLAN_TEXT_H

#include "upgrade/planner.h"
#include "upgrade/reason.h"

#define PLAN_COUNT_SIZE 27 /* "18,446,744,073,709,551,615" and NUL */

/* "550,112" */
const char *plan_count_text(uint64_t number, char out[PLAN_COUNT_SIZE]);

/* "ready", "queued", …, or "oversize" for a ready package above the limit. */
const char *plan_state_name(const struct plan_graph *graph, const struct plan_edge *edge);

/* Why the hop from → to is excluded: "550,112 bytes, the limit is 491,520". Call after plan_make(), for an
   excluded hop. */
void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE]);

/* Why a device waits or gets nothing. "" for PLAN_PATH. */
void plan_reason(struct plan_graph *graph, const struct plan *plan, char out[REASON_SIZE]);

/* What the admin can do if there is no path; "" if there is one or may be one. `missing`: versions that
   devices run and whose image is not stored (any order, may be NULL). The advice names one that fills the
   gap. */
void plan_advice(struct plan_graph *graph, const struct plan *plan, const struct version *missing,
                 size_t missing_count, char out[REASON_SIZE]);

#endif
