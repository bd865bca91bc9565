/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/format.h"

#include <stddef.h>
#include <string.h>

const struct format *format_find(const char *name)
{
    static const struct format known[] = {
#define X(name, by_dfota, takes_header, has_efforts, max_bytes, whom)                                        \
    {name, by_dfota, takes_header, has_efforts, max_bytes},
        FORMAT_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0)
            return &known[i];
    return NULL;
}

bool format_is_known(const char *name)
{
    return format_find(name);
}

const char *format_names(void)
{
    static const char list[] =
#define X(name, by_dfota, takes_header, has_efforts, max_bytes, whom) ", " name
        FORMAT_TABLE(X);
#undef X
    return list + strlen(", ");
}
