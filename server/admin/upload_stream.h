/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A file during its upload: written to the disk and hashed while it arrives. Its bytes are removed if the
   request ends before a row refers to them. This must be the first member of what a route's stream keeps
   in stream_state. */
#ifndef DFOTA_SERVER_ADMIN_UPLOAD_STREAM_H
#define DFOTA_SERVER_ADMIN_UPLOAD_STREAM_H

#include "server/admin/call.h"
#include "server/admin/digest.h"

/* used by the loop's thread until the body is complete, then by the worker's, then by the loop's for
   upload_stream_end() */
struct upload_stream {
    struct blob_writer *blob;  /* NULL after upload_stream_take() */
    const char *what;          /* "an image", for error texts */
    uint64_t check_space_at;   /* when this much is written */
    struct digest digest;      /* the digest that the sender gave */
    struct sha256_state *hash; /* hash of the bytes so far, if the sender gave a digest; else NULL */
};

/* Checks that the file is sent as it is. ERROR_UNSUPPORTED_TYPE: a form, text, or a Content-Encoding. */
bool upload_stream_check(const struct request *request, const char *what, struct error *err)
    __attribute__((warn_unused_result));

/* Reads ?format=raw: the admin says that the file is what it was uploaded as, whatever it looks like. */
bool upload_stream_read_raw(const struct request *request, bool *ret_raw, struct error *err)
    __attribute__((warn_unused_result));

/* Starts to receive the body. `intake` must be the start of an allocation; it belongs to the request if
   this returns true. ERROR_TOO_LARGE, ERROR_NO_SPACE; ERROR_BAD_REQUEST for a malformed digest. */
bool upload_stream_begin(struct request *request, struct upload_stream *intake, const char *what,
                         struct error *err) __attribute__((warn_unused_result));

/* For struct route_stream. */
bool upload_stream_data(struct request *request, const void *bytes, size_t len, struct error *err);
void upload_stream_end(struct request *request);

/* Checks, before a byte is received, whether something forbids the upload. Uses its own read-only
   connection. Errors of the server are logged. */
bool upload_stream_look_up(struct request *request,
                           bool (*look_up)(const struct request *request, struct db *db, void *cls,
                                           struct error *err),
                           void *cls, struct error *err) __attribute__((warn_unused_result));

/* Call once when the body is complete, before its bytes are used. ERROR_INVALID: it is empty.
   ERROR_DIGEST_MISMATCH: it is not what the sender sent. */
bool upload_stream_check_whole(struct upload_stream *intake, struct error *err)
    __attribute__((warn_unused_result));

/* The complete bytes; they belong to the caller from now on. */
struct blob_writer *upload_stream_take(struct upload_stream *intake);

#endif
