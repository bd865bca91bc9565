/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How the modules ended: one line for people, or JSON. */
#ifndef DFOTA_SIM_SUMMARY_H
#define DFOTA_SIM_SUMMARY_H

#include "sim/fleet.h"

/* "20 modules: 14 reached, 6 refused; 71 asks, 20 packages applied, 861180 bytes; 14 as wanted" */
void summary_print(const struct fleet *fleet, FILE *out);

/* One JSON object with the totals and every module, and a newline. ERROR_INTERNAL: out of memory, or `out`
   cannot be written. */
bool summary_print_json(const struct fleet *fleet, FILE *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
