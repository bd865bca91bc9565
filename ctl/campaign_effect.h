/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* --dry-run of campaign start and target set. */
#ifndef DFOTA_CTL_CAMPAIGN_EFFECT_H
#define DFOTA_CTL_CAMPAIGN_EFFECT_H

#include "ctl/session.h"

/* Makes the call with dry_run=1, and prints the effect. Takes over body, which may be NULL for a call without
   one. */
bool campaign_effect_show(struct session *session, const char *method, struct client_path *path, json_t *body,
                          struct failure *fail);

#endif
