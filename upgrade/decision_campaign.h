/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the decision: the rules of campaigns. */
#ifndef DFOTA_UPGRADE_DECISION_CAMPAIGN_H
#define DFOTA_UPGRADE_DECISION_CAMPAIGN_H

#include "upgrade/question.h"

/* A campaign can forbid that downloads are continued: while it is paused, and after it was cancelled or got another
   target. */
bool decision_campaign_check_transfer(struct question *q);

/* A paused campaign begins nothing new. A running one serves the devices that a stage has admitted. */
bool decision_campaign_check(struct question *q);

#endif
