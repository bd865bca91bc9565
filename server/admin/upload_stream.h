/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A file on its way in: written to disk as it comes, hashed on the way. Until a row speaks of it its bytes
   are nobody's: whatever ends the request early takes them away. The first member of what a route's stream
   keeps in stream_state. */
#ifndef DFOTA_SERVER_ADMIN_UPLOAD_STREAM_H
#define DFOTA_SERVER_ADMIN_UPLOAD_STREAM_H

#include "server/admin/call.h"
#include "server/admin/digest.h"

struct upload_stream { /* the loop's thread until the body is whole, then the worker's, then the loop's for
                   upload_stream_end() */
    struct blob_writer *blob;  /* NULL once it is kept */
    const char *what;          /* "an image", for sentences */
    uint64_t check_space_at;   /* once this much is written */
    struct digest digest;      /* what the sender says the bytes have */
    struct sha256_state *hash; /* of the bytes so far, where it said so; else NULL */
};

/* Is it sent as it is? ERROR_UNSUPPORTED_TYPE for a form, for text, or for a Content-Encoding. */
bool upload_stream_check(const struct request *request, const char *what, struct error *err)
    __attribute__((warn_unused_result));

/* What the admin says of a file beside its bytes: ?format=raw. */
bool upload_stream_read_raw(const struct request *request, bool *ret_raw, struct error *err)
    __attribute__((warn_unused_result));

/* Begins to take the body: `intake` begins an allocation, which belongs to the request once this is true.
   ERROR_TOO_LARGE, ERROR_NO_SPACE; ERROR_BAD_REQUEST for a malformed digest. */
bool upload_stream_begin(struct request *request, struct upload_stream *intake, const char *what,
                         struct error *err) __attribute__((warn_unused_result));

/* For struct route_stream. */
bool upload_stream_data(struct request *request, const void *bytes, size_t len, struct error *err);
void upload_stream_end(struct request *request);

/* Looks for what stands in the way before a byte is taken, over a reading connection of its own; failures of
   the server's are logged. */
bool upload_stream_look_up(struct request *request,
                           bool (*look_up)(const struct request *request, struct db *db, void *cls,
                                           struct error *err),
                           void *cls, struct error *err) __attribute__((warn_unused_result));

/* The body is whole: is it what the sender sent? Once, before anything looks at the bytes. ERROR_INVALID where it is
   empty, ERROR_DIGEST_MISMATCH. */
bool upload_stream_check_whole(struct upload_stream *intake, struct error *err)
    __attribute__((warn_unused_result));

/* The bytes, whole: the caller's from now on. */
struct blob_writer *upload_stream_take(struct upload_stream *intake);

#endif
