/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where a path ends. Pure; the graph was planned (plan_make()), and the marks in it change. */
#ifndef DFOTA_UPGRADE_PLAN_GAP_H
#define DFOTA_UPGRADE_PLAN_GAP_H

#include "upgrade/planner.h"

/* The first required version between two, or `to`. */
unsigned plan_gap_required(const struct plan_graph *graph, unsigned from, unsigned to);
/* The first two required stops without a path between them. */
struct plan_pair plan_gap_stretch(struct plan_graph *graph);
/* The smallest gap between a version that can be reached and a version that leads to the end of the stretch. */
struct plan_pair plan_gap_smallest(struct plan_graph *graph, struct plan_pair stretch);

#endif
