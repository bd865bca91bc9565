/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The result of a plan as reasons (reason.h): why a device waits or gets nothing. */
#ifndef DFOTA_UPGRADE_PLAN_TEXT_H
#define DFOTA_UPGRADE_PLAN_TEXT_H

#include "upgrade/planner.h"
#include "upgrade/reason.h"

#define PLAN_COUNT_SIZE 27 /* "18,446,744,073,709,551,615" and NUL */
#define PLAN_PAIR_SIZE  (2 * VERSION_TEXT_SIZE + 4)

/* "550,112" */
const char *plan_count_text(uint64_t number, char out[PLAN_COUNT_SIZE]);
/* "1147" */
const char *plan_version_text(const struct plan_graph *graph, unsigned at, char out[VERSION_TEXT_SIZE]);
/* "1147→1162" */
const char *plan_pair_text(const struct plan_graph *graph, unsigned from, unsigned to,
                           char out[PLAN_PAIR_SIZE]);
/* A reason whose only value is a version. */
void plan_write_about(const struct plan_graph *graph, unsigned at, enum reason_code code,
                      char out[REASON_SIZE]);

/* The image of the version is a full package. */
bool plan_is_full(const struct plan_graph *graph, unsigned at);

/* "ready", "queued", …, or "oversize" for a ready package above the limit. */
const char *plan_state_name(const struct plan_graph *graph, const struct plan_edge *edge);

/* Why the hop from → to is excluded: "550,112 bytes, the limit is 491,520". Call after plan_make(), for an
   excluded hop. */
void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE]);

/* Why a device waits or gets nothing. "" for PLAN_PATH. */
void plan_reason(struct plan_graph *graph, const struct plan *plan, char out[REASON_SIZE]);

#endif
