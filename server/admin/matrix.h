/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Tells how long the queue takes. */
#ifndef DFOTA_SERVER_ADMIN_MATRIX_H
#define DFOTA_SERVER_ADMIN_MATRIX_H

#include <jansson.h>
#include "server/admin/call.h"

/* The time to make everything that is queued or being made now, estimated from recent packages: a number
   of milliseconds, or null if nothing was measured for one of the formats. *ret belongs to the caller. */
bool admin_backlog_estimate(struct admin_call *call, json_t **ret, struct error *err);

#endif
