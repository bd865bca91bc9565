/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What dfotactl doctor found. */
#ifndef DFOTA_CTL_DOCTOR_H
#define DFOTA_CTL_DOCTOR_H

#include <jansson.h>

enum doctor_result { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_FAULT };

/* Adds one row. todo: what a person should do; NULL: nothing. */
void doctor_put(json_t *rows, enum doctor_result result, const char *check, const char *todo,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Asks the public URL for a link that does not exist, as a module would, and checks what a proxy did to the answer.
   url: the server's own address for links. Takes at most ten seconds. */
void doctor_probe(json_t *rows, const char *url);

#endif
