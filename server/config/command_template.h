/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Commands of the configuration: words between blanks, "quoted" or 'quoted' where they hold blanks, with
   {names} in them. No shell, no expansion, no escapes: a backslash is a backslash. */
#ifndef DFOTA_SERVER_CONFIG_COMMAND_TEMPLATE_H
#define DFOTA_SERVER_CONFIG_COMMAND_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct command_template_value {
    const char *name;  /* what stands between the braces, a to z */
    const char *value; /* never split, whatever is in it */
    bool needed;       /* a command without it makes no sense */
};

/* The command as an argv, NULL behind the last; *ret is the caller's, one free() for all. ERROR_INVALID for a
   quote that does not end, a {name} that is not among the values or one that is needed and missing, or a
   program that is no absolute path. Braces around anything else than a to z mean themselves. */
bool command_template_expand(const char *text, const struct command_template_value *values, size_t count,
                             char ***ret, struct error *err) __attribute__((warn_unused_result));

/* Does {name} stand in it? */
bool command_template_uses(const char *text, const char *name);

#endif
