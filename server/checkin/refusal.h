/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Refusals to modules: status 300 or above and at most 200 bytes of ASCII JSON, {"code": N, "msg": "…"}, with nothing
   behind the closing brace. Modules find the number by a text search, and some take no byte above 0x7F. */
#ifndef DFOTA_SERVER_CHECKIN_REFUSAL_H
#define DFOTA_SERVER_CHECKIN_REFUSAL_H

#include "server/config/config.h"
#include "server/http/reply.h"
#include "upgrade/answer.h"

/* Under the HTTP status that the configuration has for the code. */
void refusal_reply(const struct config *config, enum answer answer, struct reply *reply);
/* Under another status: the clients of turnkey_fota read a 200 only. */
void refusal_reply_with_status(int status, enum answer answer, struct reply *reply);
/* For the device listener: an error in the same shape, with the HTTP status as code. `context` is not used. */
void refusal_render_error(void *context, const struct error *err, struct reply *reply);

#endif
