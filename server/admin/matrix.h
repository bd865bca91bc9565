/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How long a queue takes, for the handlers that tell. */
#ifndef DFOTA_SERVER_ADMIN_MATRIX_H
#define DFOTA_SERVER_ADMIN_MATRIX_H

#include <jansson.h>
#include "server/admin/call.h"

/* Time to make all that is queued or being made now, from what packages took lately: a number of milliseconds, or null
   where nothing was measured in a format of it. *ret is the caller's. */
bool admin_backlog_estimate(struct admin_call *call, json_t **ret, struct error *err);

#endif
