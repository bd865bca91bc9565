/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* --dry-run of campaign start and target set, and their question. */
#ifndef DFOTA_CTL_CAMPAIGN_EFFECT_H
#define DFOTA_CTL_CAMPAIGN_EFFECT_H

#include "ctl/session.h"

/* Makes the call with dry_run=1. Takes over body, which may be NULL for a call without one. *ret is owned by the
   caller. */
bool campaign_effect_fetch(struct session *session, const char *method, struct client_path *path,
                           json_t *body, json_t **ret, struct failure *fail);

/* The same, and prints the effect. */
bool campaign_effect_show(struct session *session, const char *method, struct client_path *path, json_t *body,
                          struct failure *fail);

#endif
