/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The admin API of a server, for the rehearsal of a campaign. Blocks; one thread. */
#ifndef DFOTA_SIM_API_H
#define DFOTA_SIM_API_H

#include <jansson.h>
#include <stdbool.h>
#include "base/bytes.h"
#include "base/error.h"

struct api;

/* `address` is HOST:PORT. The texts are copied. */
bool api_open(const char *address, const char *token, struct api **ret, struct error *err)
    __attribute__((warn_unused_result));
void api_close(struct api **api); /* for _cleanup_; *api may be NULL */

/* One call; `path` follows /api/v1. The body is JSON (taken over; NULL: none). *ret: the answer, owned by the caller;
   NULL for an answer without a body. `ret` NULL: not wanted. ERROR_INVALID: the server refused the call;
   ERROR_UNAVAILABLE: no answer. Both with the reason in words. */
bool api_call(struct api *api, const char *method, const char *path, json_t *body, json_t **ret,
              struct error *err) __attribute__((warn_unused_result));
/* PUT of bytes of this type. */
bool api_put(struct api *api, const char *path, const char *type, struct bytes body, struct error *err)
    __attribute__((warn_unused_result));

#endif
