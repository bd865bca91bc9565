/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An answer before it is written. Connection: close, Content-Length and Date are added by the http folder; every answer
   closes its connection. */
#ifndef DFOTA_SERVER_HTTP_REPLY_H
#define DFOTA_SERVER_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#define REPLY_HEADERS_MAX 6

struct reply {
    int status;
    const char *content_type; /* static text; NULL with an empty body */
    struct {
        const char *name; /* static text */
        char *value;      /* owned */
    } header[REPLY_HEADERS_MAX];
    unsigned header_count;

    /* The body: either bytes in memory, given back by release(release_cls) when no longer needed (release NULL: static),
       or an open file (owned, closed afterwards) when fd >= 0, from file_offset on. */
    const void *bytes;
    uint64_t size;
    void (*release)(void *cls);
    void *release_cls;
    int fd;
    uint64_t file_offset;

    /* Firmware on its way to a device: what the peer acknowledges of it is watched and told (transfer.h).
       0: not watched. `first` is the offset of bytes[0] within the package. */
    int64_t attempt, fetch;
    uint64_t first;
};

void reply_init(struct reply *reply, int status); /* fd -1, no body */
void reply_free(struct reply *reply);             /* what has not been taken over; fine on an emptied one */

/* Adds a header; the value is made by format, control characters in it become '_', an empty one is left out. Aborts when
   there are too many: a programming error. */
void reply_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The next two begin with reply_init(): headers are added after them. */

/* JSON answer; takes over `json` (one reference). NULL means memory is gone: becomes a 500. */
void reply_json(struct reply *reply, int status, json_t *json);
/* Text copied. */
void reply_text(struct reply *reply, int status, const char *content_type, const char *text, size_t len);

#endif
