/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Commands of the configuration: words with blanks between them. A word that contains blanks is "quoted" or
   'quoted'. {names} are replaced by values. There is no shell, no other expansion and no escape: a backslash
   means itself. */
#ifndef DFOTA_SERVER_CONFIG_COMMAND_TEMPLATE_H
#define DFOTA_SERVER_CONFIG_COMMAND_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct command_template_value {
    const char *name;  /* the text between the braces, a to z */
    const char *value; /* never split into words */
    bool needed;       /* a command without this name is refused */
};

/* The command as an argv that ends with NULL. The caller frees *ret; one free() frees all words.
   ERROR_INVALID: a quote is not closed, a {name} is not among the values, a needed {name} is missing, or the
   program is not an absolute path. Braces around other text than a to z are kept as they are. */
bool command_template_expand(const char *text, const struct command_template_value *values, size_t count,
                             char ***ret, struct error *err) __attribute__((warn_unused_result));

/* Whether the command contains {name}. */
bool command_template_uses(const char *text, const char *name);

#endif
