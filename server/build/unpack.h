/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Archives that are uploaded as images: `dfota unpack` takes out what they are about, in a child under limits. */
#ifndef DFOTA_SERVER_BUILD_UNPACK_H
#define DFOTA_SERVER_BUILD_UNPACK_H

#include "server/context.h"
#include "storage/blob.h"

#define UNPACK_TEXT_SIZE 320

struct unpacked {
    bool happened; /* false: the upload is no archive, and nothing else is set */
    struct sha256 archive;
    uint64_t archive_bytes;
    char name[UNPACK_TEXT_SIZE];     /* of the firmware in the archive; "": the archive is a .soc */
    char left_out[UNPACK_TEXT_SIZE]; /* names of the files that are not kept, with commas */
};

/* Replaces *blob, which is complete, by the firmware in it when it is a 7z or a ZIP. *blob stays the caller's, also
   after an error. ERROR_NOT_AN_IMAGE: the archive is refused, and the message says why; ERROR_UNAVAILABLE: the server
   is stopping; ERROR_NO_SPACE, ERROR_INTERNAL. */
bool unpack_upload(const struct daemon *daemon, struct blob_writer **blob, struct unpacked *ret,
                   struct error *err) __attribute__((warn_unused_result));

#endif
