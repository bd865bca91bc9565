/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the decision: the rule of the allowance. */
#ifndef DFOTA_UPGRADE_DECISION_ALLOWANCE_H
#define DFOTA_UPGRADE_DECISION_ALLOWANCE_H

#include "upgrade/question.h"

/* For a request from the start, when all else allows the download. A device that is told to wait gets no attempt. */
bool decision_allowance_check(struct question *q);

#endif
