/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/refusal.h"

#include <stdio.h>

#define REFUSAL_MAX 200

/* A msg that makes the text too long is left out. */
static void render(struct reply *reply, int status, int code, const char *msg)
{
    char text[REFUSAL_MAX + 1];
    json_t *json = json_pack("{s:i, s:s}", "code", code, "msg", msg);
    size_t len = json ? json_dumpb(json, text, REFUSAL_MAX, JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER) : 0;
    json_decref(json);
    if (!len || len > REFUSAL_MAX)
        len = (size_t)snprintf(text, sizeof text, "{\"code\": %d, \"msg\": \"\"}", code);
    reply_text(reply, status, "application/json", text, len);
}

void refusal_reply(const struct config *config, enum answer answer, struct reply *reply)
{
    int code = answer_code(answer);
    render(reply, code >= 400 ? code : config_answer_status(config, code), code, answer_msg(answer));
}

void refusal_reply_with_status(int status, enum answer answer, struct reply *reply)
{
    render(reply, status, answer_code(answer), answer_msg(answer));
}

void refusal_render_error(void *context, const struct error *err, struct reply *reply)
{
    (void)context;
    int status = error_status(err->code);
    bool is_ours =
        status == 500 ||
        status == 507; /* a fault of the server: the log has the details, the module does not need them */
    render(reply, is_ours ? 503 : status, is_ours ? 503 : status,
           is_ours ? "the server cannot answer now: try again later" : err->text);
}
