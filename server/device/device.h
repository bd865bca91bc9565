/* What modules speak: the routes of the device listener, and how it words refusals and errors. */
#ifndef DFOTA_SERVER_DEVICE_DEVICE_H
#define DFOTA_SERVER_DEVICE_DEVICE_H

#include "server/daemon.h"
#include "server/http/router.h"
#include "upgrade/answer.h"

extern const struct route device_routes[];
extern const size_t device_route_count;

/* A refusal of the dialect: {"code": N, "msg": "…"} in ASCII, under the status configured for the code. */
void device_refuse(const struct daemon *daemon, enum answer answer, struct reply *reply);
/* For the listener: the same shape for errors, with the HTTP status as code. `context` is not looked at. */
void device_render_error(void *context, const struct error *err, struct reply *reply);

/* Handlers, one file each. */
void luat_handle(struct request *request);   /* GET /api/site/firmware_upgrade… */
void link_handle(struct request *request);   /* GET /d/{token}, /d/{token}/{version} */
void report_handle(struct request *request); /* POST /d/{token}/report */

#endif
