/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The body of a webhook's requests as an admin writes it: JSON with {placeholders} for the facts of an event. Pure. */
#ifndef DFOTA_SERVER_WEBHOOK_BODY_TEMPLATE_H
#define DFOTA_SERVER_WEBHOOK_BODY_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include "base/error.h"

#define BODY_PLACEHOLDERS_MAX 32

/* ERROR_INVALID: a placeholder that is not known, with its name; more than BODY_PLACEHOLDERS_MAX; or the text is not JSON
   once the placeholders are filled in. */
bool body_template_check(const char *text, struct error *err) __attribute__((warn_unused_result));

/* Fills in the facts of one event; the text was checked. Texts are escaped as JSON; a list is
   its texts with commas between. A fact that the event does not have
   becomes an empty text, or 0 where it is a number. The caller's (free); NULL when memory is gone. */
char *body_template_fill(const char *text, const json_t *facts);

#endif
