/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: finds its end, checks it and parses it.

   A head passes only when libmicrohttpd understands it in the same way and does not answer it itself.
   libmicrohttpd accepts two different Content-Lengths, a length together with chunked, "Name :", a bare
   LF and two Hosts. It exhausts its pool with thousands of tiny headers, query parameters or cookies, and
   it answers twice when a blank follows a length. */
#ifndef DFOTA_SERVER_HTTP_HEAD_H
#define DFOTA_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"

#define HEAD_PARTS_MAX                                                                                       \
    128 /* header lines, query parameters and cookies together: libmicrohttpd has a record for each */

enum head_state { HEAD_PART, HEAD_WHOLE, HEAD_BAD };

struct head {
    struct slice method, target; /* raw; the target begins with '/', without "http://host" */
    struct slice fields;         /* the header lines, each with its CRLF */
    unsigned minor;              /* HTTP/1.minor */
    int64_t body_length;         /* announced; -1 when chunked; 0 without a body */
};

/* Searches for the end of the head, from *scanned on (0 at first). HEAD_WHOLE: the head has *ret_size
   bytes, with the blank line. HEAD_BAD: a line ends in a bare LF. */
enum head_state head_scan(struct slice bytes, size_t *scanned, size_t *ret_size);

/* Parses a whole head; the slices point into it. ERROR_BAD_REQUEST with the reason; ERROR_URI_TOO_LONG
   and ERROR_HEADERS_TOO_LARGE for too many parts. */
bool head_parse(struct slice whole, struct head *ret, struct error *err);

/* For any part of a head, maybe malformed. True: it has a Range header that does not clearly begin at
   byte 0. The sender may append the body of a refusal to the bytes that it has. */
bool head_resumes(struct slice bytes);

/* ERROR_BAD_REQUEST: a header that decides, and of which only one can count, is there twice. head_parse() refuses two of
   Host, Range and Content-Length; this is for a listener whose clients are no modules. */
bool head_check_single(const struct head *head, struct error *err);

/* The first header of that name (case-insensitive), without the blanks around its value. */
bool head_field(const struct head *head, const char *name, struct slice *ret);
/* The header of that name with this index, in the order of the lines. */
bool head_field_at(const struct head *head, const char *name, unsigned index, struct slice *ret);

#endif
