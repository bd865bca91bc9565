/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Adds texts to the times in the JSON of an answer: "created_at":1790000000000 is followed by
   "created_time":"2026-09-21T14:13:20.000Z". Any thread. */
#ifndef DFOTA_SERVER_CORE_JSON_TIMES_H
#define DFOTA_SERVER_CORE_JSON_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

#define JSON_TIMES_NAME_SIZE 80

/* The name of the text beside a time: "at" gives "time", "…_at" gives "…_time", and the other names of
   times (since, until, day, now, …_since, …_until) get "_time" at their end. False: this is not the name
   of a time. */
bool json_times_name(struct slice key, char out[JSON_TIMES_NAME_SIZE]);

/* Returns a copy of `json` (valid, without blanks between the parts) with the texts; null beside null.
   The caller frees it. NULL: out of memory. What is in "detail" and "facts" stays as it is: these are
   hashed, or of another program. A text that is there already is not added twice. Costs one pass over the
   bytes. */
char *json_times_add(const char *json, size_t len, size_t *ret_len);

#endif
