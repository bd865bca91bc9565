/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/refusal.h"

#include <pthread.h>
#include <stdio.h>

#define REFUSAL_MAX 200

struct text {
    char bytes[REFUSAL_MAX + 1];
    size_t size;
};

static struct text texts[ANSWER_COUNT]; /* made once: the same bytes for all devices */
static pthread_once_t texts_made = PTHREAD_ONCE_INIT;

/* A msg that makes the text too long is left out. */
static void render(int code, const char *msg, struct text *ret)
{
    json_t *json = json_pack("{s:i, s:s}", "code", code, "msg", msg);
    ret->size = json ? json_dumpb(json, ret->bytes, REFUSAL_MAX, JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER) : 0;
    json_decref(json);
    if (!ret->size || ret->size > REFUSAL_MAX)
        ret->size = (size_t)snprintf(ret->bytes, sizeof ret->bytes, "{\"code\": %d, \"msg\": \"\"}", code);
}

static void make_texts(void)
{
    for (enum answer answer = 0; answer < ANSWER_COUNT; answer++)
        render(answer_code(answer), answer_msg(answer), &texts[answer]);
}

void refusal_reply(const struct config *config, enum answer answer, struct reply *reply)
{
    int code = answer_code(answer);
    refusal_reply_with_status(code >= 400 ? code : config_answer_status(config, code), answer, reply);
}

void refusal_reply_with_status(int status, enum answer answer, struct reply *reply)
{
    pthread_once(&texts_made, make_texts);
    reply_init(reply, status);
    reply->content_type = "application/json";
    reply->bytes = texts[answer].bytes;
    reply->size = texts[answer].size;
}

void refusal_render_error(void *context, const struct error *err, struct reply *reply)
{
    (void)context;
    int status = error_status(err->code);
    bool is_ours =
        status == 500 ||
        status == 507; /* a fault of the server: the log has the details, the module does not need them */
    int code = is_ours ? 503 : status;
    struct text text;
    render(code, is_ours ? "the server cannot answer now: try again later" : err->text, &text);
    reply_text(reply, code, "application/json", text.bytes, text.size);
}
