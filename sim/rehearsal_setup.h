/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What happens before the first round of a rehearsal. */
#ifndef DFOTA_SIM_REHEARSAL_SETUP_H
#define DFOTA_SIM_REHEARSAL_SETUP_H

#include "sim/rehearsal.h"

/* Makes the fleet, starts the scratch server, uploads the images, lets each module ask once, waits until the packages
   are made, and starts the campaign. */
bool rehearsal_prepare(struct rehearsal *rehearsal, struct image_store *store, struct error *err)
    __attribute__((warn_unused_result));

#endif
