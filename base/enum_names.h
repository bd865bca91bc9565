/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The texts of the values of an enum, as the database and the API write them. Each enum has one table. */
#ifndef DFOTA_BASE_ENUM_NAMES_H
#define DFOTA_BASE_ENUM_NAMES_H

#include <stdbool.h>
#include "base/slice.h"

struct enum_names {
    const char *const *name; /* by value; NULL: this value is never stored */
    unsigned count;
};

/* Makes the table from an array of names. */
#define ENUM_NAMES(array)                                                                                    \
    {                                                                                                        \
        (array), sizeof(array) / sizeof *(array)                                                             \
    }

/* `value` must be in the table. */
static inline const char *enum_name(const struct enum_names *names, unsigned value)
{
    return names->name[value];
}

/* Finds the value of a name. False, and *ret untouched, when the table does not have the name. */
bool enum_find(const struct enum_names *names, struct slice name, unsigned *ret);

#endif
