/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One round of a rehearsal. */
#ifndef DFOTA_SIM_REHEARSAL_ROUND_H
#define DFOTA_SIM_REHEARSAL_ROUND_H

#include "sim/rehearsal.h"

/* Each module asks once. A module that must wait, or whose download was cut, asks again in the same round. *ret_moved:
   a module got bytes. */
bool rehearsal_round(struct rehearsal *rehearsal, bool *ret_moved, struct error *err)
    __attribute__((warn_unused_result));

#endif
