/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Answers with the bytes of a file whose SHA-256 is known. ETag is the SHA-256 in hex, between quotation
   marks. If-None-Match, Range and If-Range count as in RFC 9110. */
#ifndef DFOTA_SERVER_ADMIN_CONTENT_H
#define DFOTA_SERVER_ADMIN_CONTENT_H

#include "server/admin/call.h"

/* call->reply is 200 with the whole content: adds ETag and Accept-Ranges, and turns the answer into what
   the request asks for: 304 when the client has these bytes (If-None-Match), or the range: 206 with
   Content-Range. Several ranges, a malformed one and one with another If-Range give the whole content. A
   range that begins behind the end is answered with 416 and the size. */
void content_cut(struct admin_call *call, const struct sha256 *hash);

/* Answers with the bytes of a blob as a download with that file name. The whole blob is checked before,
   also for a range. ERROR_CORRUPT. */
bool content_answer_blob(struct admin_call *call, const struct sha256 *hash, const char *file_name,
                         struct error *err) __attribute__((warn_unused_result));

#endif
