/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The description of the admin API, doc/openapi.yaml, which is part of the program. */
#ifndef DFOTA_SERVER_ADMIN_OPENAPI_H
#define DFOTA_SERVER_ADMIN_OPENAPI_H

#include <stddef.h>

extern const char openapi_text[];      /* YAML, ends with NUL; server/admin/openapi_text.c, made by make */
extern const size_t openapi_text_size; /* bytes without the NUL */

#endif
