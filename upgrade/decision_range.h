/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the decision: the rules for requests with a Range header. */
#ifndef DFOTA_UPGRADE_DECISION_RANGE_H
#define DFOTA_UPGRADE_DECISION_RANGE_H

#include "upgrade/question.h"

bool decision_range_check(struct question *q);

/* A request from the middle gets the bytes that are pinned to the open attempt, or 416. Other bytes would
   give a file that is put together from two packages. The target may have changed meanwhile. */
bool decision_range_continue(struct question *q);

#endif
