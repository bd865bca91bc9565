/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The protocols of modules: the routes of the device listener, and the form of refusals and errors. */
#ifndef DFOTA_SERVER_DEVICE_DEVICE_H
#define DFOTA_SERVER_DEVICE_DEVICE_H

#include "server/checkin/facts.h"
#include "server/http/router.h"

extern const struct route device_routes[];
extern const size_t device_route_count;

/* Reads who asks from the query, the same for each dialect: project_key, and imei, mac or uid. False: only
   for malformed text. */
/* Keeps the values of the query as they were sent, for the admin's list of refused requests. */
void luat_take_words(struct slice query, struct said_words *said);
bool luat_read_client(struct slice query, struct client_identity *client, struct error *err);

/* Answers a query that cannot be read with its error, and records its text for the admin. */
void luat_fail(struct request *request, struct slice query, const struct error *err);

/* Handlers, one file each. */
void luat_handle(struct request *request);                   /* GET /api/site/firmware_upgrade… */
void link_handle(struct request *request);                   /* GET /d/{token}, /d/{token}/{version} */
void turnkey_handle(struct request *request);                /* GET /api/site/turnkey_fota */
void turnkey_result_handle(struct request *request);         /* POST /api/site/turnkey_fota_result */
void report_handle(struct request *request);                 /* POST /d/{token}/report */
bool report_vet(struct request *request, struct error *err); /* checks the link before the body is read */

#endif
