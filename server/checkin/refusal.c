/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Refusals: status >= 300 and at most 200 bytes of JSON, `code` first, nothing behind the closing brace.
   Modules look for the number with a text search, and some take no byte above 0x7F. */
#include <stdio.h>
#include <string.h>

#include "server/device/device.h"

#define REFUSAL_MAX 200

static json_t *refusal(int code, const char *msg)
{
    return json_pack("{s:i, s:s}", "code", code, "msg", msg);
}

/* ASCII JSON into the reply; a msg that would make it too long is left out. */
static void render(struct reply *reply, int status, int code, const char *msg)
{
    char text[REFUSAL_MAX + 1];
    json_t *json = refusal(code, msg);
    size_t len = json ? json_dumpb(json, text, REFUSAL_MAX, JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER) : 0;
    json_decref(json);
    if (!len || len > REFUSAL_MAX)
        len = (size_t)snprintf(text, sizeof text, "{\"code\": %d, \"msg\": \"\"}", code);
    reply_text(reply, status, "application/json", text, len);
}

void device_refuse(const struct daemon *daemon, enum answer answer, struct reply *reply)
{
    int code = answer_code(answer);
    render(reply, code >= 400 ? code : config_answer_status(&daemon->config, code), code, answer_msg(answer));
}

void device_refuse_with(int status, enum answer answer, struct reply *reply)
{
    render(reply, status, answer_code(answer), answer_msg(answer));
}

void device_render_error(void *context, const struct error *err, struct reply *reply)
{
    (void)context;
    int status = error_status(err->code);
    bool is_ours = status == 500 || status == 507; /* what went wrong here is for the log, not for a module */
    render(reply, is_ours ? 503 : status, is_ours ? 503 : status, is_ours ? "not now" : err->text);
}
