/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Campaigns as they are printed. */
#ifndef DFOTA_CTL_CAMPAIGN_H
#define DFOTA_CTL_CAMPAIGN_H

#include "ctl/session.h"

/* A page, and a table of its stages. Adds texts for the table to the stages. */
void campaign_print(const struct session *session, json_t *campaign);

#endif
