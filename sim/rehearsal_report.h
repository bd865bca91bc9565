/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What happened in a rehearsal, and whether the server and the modules agree. */
#ifndef DFOTA_SIM_REHEARSAL_REPORT_H
#define DFOTA_SIM_REHEARSAL_REPORT_H

#include "sim/rehearsal.h"

/* Asks the server for the outcome of each device, and prints the report: text, or JSON with --output. */
bool rehearsal_report(struct rehearsal *rehearsal, bool *ret_agree, struct error *err)
    __attribute__((warn_unused_result));

#endif
