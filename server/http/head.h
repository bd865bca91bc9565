/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The head of a request: found in what has come so far, then vetted and taken apart.

   What passes here is what libmicrohttpd would understand the same way, and nothing it would answer by
   itself: it takes two different Content-Lengths, a length together with chunked, "Name :", a bare LF and two
   Hosts, it runs out of its pool over thousands of tiny headers, query parameters or cookies, and it answers
   twice when a length has a blank behind it. */
#ifndef DFOTA_SERVER_HTTP_HEAD_H
#define DFOTA_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"

#define HEAD_PARTS_MAX                                                                                       \
    128 /* header lines, query parameters and cookies together: each costs libmicrohttpd a record */

enum head_state { HEAD_PART, HEAD_WHOLE, HEAD_BAD };

struct head {
    struct slice method, target; /* raw; the target begins with '/': "http://host" before it is cut off */
    struct slice fields;         /* the header lines, each with its CRLF */
    unsigned minor;              /* HTTP/1.minor */
    int64_t body_length;         /* announced; -1 when chunked; 0 without a body */
};

/* Looks on from *scanned (0 at first) for the end of the head. HEAD_WHOLE: *ret_size bytes, blank line
   included. HEAD_BAD: a line ends in a bare LF. */
enum head_state head_scan(struct slice bytes, size_t *scanned, size_t *ret_size);

/* Takes a whole head apart; the slices point into it. ERROR_BAD_REQUEST with the reason, or
   ERROR_URI_TOO_LONG and ERROR_HEADERS_TOO_LARGE for too many parts. */
bool head_parse(struct slice whole, struct head *ret, struct error *err);

/* Any part of a head, maybe malformed: it has a Range header that does not plainly begin at byte 0. Who sent it
   may append the body of a refusal behind the bytes that it has. */
bool head_resumes(struct slice bytes);

/* The first header of that name (case-insensitive), blanks around its value dropped. */
bool head_field(const struct head *head, const char *name, struct slice *ret);

#endif
