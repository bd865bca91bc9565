/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an admin can do when a plan has no path, as a reason (reason.h). */
#ifndef DFOTA_UPGRADE_PLAN_ADVICE_H
#define DFOTA_UPGRADE_PLAN_ADVICE_H

#include "upgrade/planner.h"
#include "upgrade/reason.h"

/* What the admin can do if there is no path; "" if there is one or may be one. `missing`: versions that
   devices run and whose image is not stored (any order, may be NULL). The advice names one that fills the
   gap. */
void plan_advice(struct plan_graph *graph, const struct plan *plan, const struct version *missing,
                 size_t missing_count, char out[REASON_SIZE]);

#endif
