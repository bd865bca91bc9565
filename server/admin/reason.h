/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reasons (upgrade/reason.h) in answers of the API. */
#ifndef DFOTA_SERVER_ADMIN_REASON_H
#define DFOTA_SERVER_ADMIN_REASON_H

#include <jansson.h>
#include "upgrade/reason.h"

/* Sets three members: `name`, the reason in English; `name`_code; and `name`_params, a list of strings. A
   nested reason in the list is {"code":…,"params":[…]}. Plain text has no code and no parameters: null. ""
   and NULL: all three are null. name: at most 20 bytes. */
void reason_to_json(json_t *object, const char *name, const char *reason);

#endif
