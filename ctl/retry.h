/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A call that changes something, and gets no answer because the connection broke, is sent again with the same
   Idempotency-Key: the server carries it out once. */
#ifndef DFOTA_CTL_RETRY_H
#define DFOTA_CTL_RETRY_H

#include "ctl/http.h"

#define RETRY_KEY_SIZE 33 /* 32 hex digits and NUL */

/* Whether the server takes a key with this call. */
bool retry_takes_key(const char *method, const char *path);
/* A random key; "" if there is no randomness. */
void retry_make_key(char out[RETRY_KEY_SIZE]);

/* As http_send(). A request with a key is sent up to five times within eight seconds, when the connection broke or while
   the server still works on it. deadline_ms: boot clock, 0: none. */
bool retry_send(int64_t deadline_ms, const struct http_request *request, struct http_answer *ret,
                struct failure *fail);

#endif
