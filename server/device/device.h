/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What modules speak: the routes of the device listener, and how it words refusals and errors. */
#ifndef DFOTA_SERVER_DEVICE_DEVICE_H
#define DFOTA_SERVER_DEVICE_DEVICE_H

#include "server/context.h"
#include "server/checkin/lookup.h"
#include "server/http/router.h"
#include "upgrade/answer.h"

extern const struct route device_routes[];
extern const size_t device_route_count;

/* A refusal of the dialect: {"code": N, "msg": "…"} in ASCII, under the status configured for the code. */
void device_refuse(const struct daemon *daemon, enum answer answer, struct reply *reply);
/* The same under another status, for the one endpoint whose clients read a 200 with JSON. */
void device_refuse_with(int status, enum answer answer, struct reply *reply);
/* For the listener: the same shape for errors, with the HTTP status as code. `context` is not looked at. */
void device_render_error(void *context, const struct error *err, struct reply *reply);

/* Who asks, as every dialect's query says it: project_key, and imei, mac or uid. False for malformed text
 * only. */
bool luat_read_client(struct slice query, struct client_identity *client, struct error *err);

/* Answers a query that cannot be read with its error, and notes what stands in it for the admin. */
void luat_fail(struct request *request, struct slice query, const struct error *err);

/* Handlers, one file each. */
void luat_handle(struct request *request);                   /* GET /api/site/firmware_upgrade… */
void link_handle(struct request *request);                   /* GET /d/{token}, /d/{token}/{version} */
void turnkey_handle(struct request *request);                /* GET /api/site/turnkey_fota */
void turnkey_result_handle(struct request *request);         /* POST /api/site/turnkey_fota_result */
void report_handle(struct request *request);                 /* POST /d/{token}/report */
bool report_vet(struct request *request, struct error *err); /* its link is known: else no body is taken */

#endif
