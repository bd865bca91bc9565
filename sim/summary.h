/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What became of the modules: one line for a person, or JSON. */
#ifndef DFOTA_SIM_SUMMARY_H
#define DFOTA_SIM_SUMMARY_H

#include "sim/fleet.h"

/* "20 modules: 14 reached, 6 refused; 71 asks, 20 packages, 861180 bytes" */
void summary_print(const struct fleet *crew, FILE *out);

/* The counts and every module, one JSON object and a newline. ERROR_INTERNAL: no memory or out cannot be
 * written. */
bool summary_print_json(const struct fleet *crew, FILE *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
