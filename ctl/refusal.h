/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Errors of the API in the words of the command line: names of fields become names of options. */
#ifndef DFOTA_CTL_REFUSAL_H
#define DFOTA_CTL_REFUSAL_H

#include <stddef.h>

/* The result is cut if it does not fit. A sentence that names no field is copied unchanged. */
void refusal_translate(const char *detail, char *out, size_t size);

/* What to do about an error with this code: "; dfotactl firmware list shows them", or "". Static storage. */
const char *refusal_hint(const char *code);

#endif
