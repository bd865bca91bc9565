/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An answer before it is written. The http folder adds Content-Length, Date and Connection: close; where the connection
   is kept, Keep-Alive in place of the last. */
#ifndef DFOTA_SERVER_HTTP_REPLY_H
#define DFOTA_SERVER_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#define REPLY_HEADERS_MAX 14

struct reply {
    int status;
    const char *content_type; /* static text; NULL with an empty body */
    struct {
        const char *name; /* static text */
        char *value;      /* owned */
    } header[REPLY_HEADERS_MAX];
    unsigned header_count;

    /* The body. fd >= 0: an open file from file_offset on; owned, closed afterwards. Else bytes in
       memory, freed with release(release_cls); release NULL: static bytes. fd_lent: there are both, the same bytes, and
       the file belongs to release_cls too. */
    const void *bytes;
    uint64_t size;
    void (*release)(void *cls);
    void *release_cls;
    int fd;
    bool fd_lent;
    uint64_t file_offset;

    /* Firmware for a device: the acknowledgements of the peer are watched (transfer.h). attempt 0: not
       watched. `first` is the offset of bytes[0] in the package. */
    int64_t attempt, fetch;
    uint64_t first;

    int64_t
        keep_ms; /* set by the http folder: how long the connection waits for the next request; 0: it is closed */
};

void reply_init(struct reply *reply, int status); /* fd -1, no body */
void reply_free(struct reply *reply); /* frees what was not taken over; fine on an emptied reply */

/* Adds a header with a formatted value. Control characters become '_'; an empty value adds no header.
   Aborts on too many headers: a programming error. */
void reply_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds no-transform to Cache-Control, and the header when there is none. Call it once. */
void reply_forbid_transform(struct reply *reply);

/* The next two call reply_init(): add headers after them. */

/* JSON answer; takes over one reference to `json`. NULL: memory is gone, and the answer is a 500. */
void reply_json(struct reply *reply, int status, json_t *json);
/* Copies the text. */
void reply_text(struct reply *reply, int status, const char *content_type, const char *text, size_t len);

#endif
