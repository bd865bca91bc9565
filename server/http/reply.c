/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void reply_init(struct reply *reply, int status)
{
    *reply = (struct reply){.status = status, .fd = -1};
}

void reply_free(struct reply *reply)
{
    for (unsigned i = 0; i < reply->header_count; i++)
        free(reply->header[i].value);
    if (reply->release)
        reply->release(reply->release_cls);
    if (reply->fd >= 0 && !reply->fd_lent)
        close(reply->fd);
    reply_init(reply, reply->status);
}

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    if (reply->header_count == REPLY_HEADERS_MAX)
        abort();
    char *value;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&value, format, args);
    va_end(args);
    if (len < 0)
        abort();
    if (len == 0) { /* some modules fail on an empty header */
        free(value);
        return;
    }
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '_';
    reply->header[reply->header_count].name = name;
    reply->header[reply->header_count++].value = value;
}

void reply_forbid_transform(struct reply *reply)
{
    static const char name[] = "Cache-Control", directive[] = "no-transform";
    for (unsigned i = 0; i < reply->header_count; i++) {
        char *joined;
        if (strcasecmp(reply->header[i].name, name) != 0)
            continue;
        if (asprintf(&joined, "%s, %s", reply->header[i].value, directive) < 0)
            abort();
        free(reply->header[i].value);
        reply->header[i].value = joined;
        return;
    }
    reply_header(reply, name, "%s", directive);
}

void reply_json(struct reply *reply, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text) {
        static const char sorry[] =
            "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
            "\"code\":\"internal\",\"detail\":\"out of memory\"}";
        reply_init(reply, 500);
        reply->content_type = "application/problem+json";
        reply->bytes = sorry;
        reply->size = sizeof sorry - 1;
        return;
    }
    reply_init(reply, status);
    reply->content_type = "application/json";
    reply->bytes = text;
    reply->size = strlen(text);
    reply->release = free;
    reply->release_cls = text;
}

void reply_text(struct reply *reply, int status, const char *content_type, const char *text, size_t len)
{
    reply_init(reply, status);
    reply->content_type = content_type;
    if (len == 0)
        return;
    char *copy = malloc(len);
    if (!copy)
        abort();
    memcpy(copy, text, len);
    reply->bytes = copy;
    reply->size = len;
    reply->release = free;
    reply->release_cls = copy;
}
