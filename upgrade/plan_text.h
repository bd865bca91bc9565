/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The result of a plan in words: the reason in a device's record, and advice for the admin. */
#ifndef DFOTA_UPGRADE_PLAN_TEXT_H
#define DFOTA_UPGRADE_PLAN_TEXT_H

#include "upgrade/planner.h"

#define PLAN_WHY_SIZE    160
#define PLAN_ADVICE_SIZE 480
#define PLAN_COUNT_SIZE  27 /* "18,446,744,073,709,551,615" and NUL */

/* "550,112" */
const char *plan_count_text(uint64_t number, char out[PLAN_COUNT_SIZE]);

/* "ready", "queued", …, or "oversize" for a ready package above the limit. */
const char *plan_state_name(const struct plan_graph *graph, const struct plan_edge *edge);

/* Why the hop from → to is excluded: "550,112 bytes, the limit is 491,520". Call after plan_make(), for an
   excluded hop. UTF-8. */
void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[PLAN_WHY_SIZE]);

/* One sentence that says why a device waits or gets nothing. "" for PLAN_PATH. UTF-8, cut at size. */
void plan_reason(struct plan_graph *graph, const struct plan *plan, char *out, size_t size);

/* What the admin can do if there is no path; "" if there is one or may be one. `missing`: versions that
   devices run and whose image is not stored (any order, may be NULL). The advice names one that fills the
   gap. UTF-8. */
void plan_advice(struct plan_graph *graph, const struct plan *plan, const struct version *missing,
                 size_t missing_count, char out[PLAN_ADVICE_SIZE]);

#endif
