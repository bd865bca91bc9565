/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the server refuses with, in the words of the command line: the API's fields become options. */
#ifndef DFOTA_CTL_REFUSAL_H
#define DFOTA_CTL_REFUSAL_H

#include <stddef.h>

/* Cut when it does not fit. A sentence that names no field stays as it is. */
void refusal_translate(const char *detail, char *out, size_t size);

#endif
