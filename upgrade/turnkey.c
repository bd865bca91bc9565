/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/turnkey.h"

#include <stddef.h>

static const char *const names[] = {[TURNKEY_NONE] = "", [TURNKEY_QUERY] = "query", [TURNKEY_JSON] = "json"};
const struct enum_names turnkey_form_names = ENUM_NAMES(names);

/* From the source of the editions. None of them is proof: only the version in the next check-in is. */
static const struct {
    enum turnkey_form form;
    int64_t code;
    const char *meaning;
} table[] = {
    {TURNKEY_QUERY, 0, "the package was written; the restart that applies it follows"},
    {TURNKEY_QUERY, 1, "the SHA-256 of the package does not match"},
    {TURNKEY_QUERY, 2, "the package could not be written"},
    {TURNKEY_QUERY, 3, "another error"},
    {TURNKEY_JSON, 0, "the package was written; the restart that applies it follows"},
    {TURNKEY_JSON, 1, "after the restart the device reports the announced version"},
    {TURNKEY_JSON, 2, "the device compares, and finds that it does not run the announced version"},
    {TURNKEY_JSON, 3, "another error"},
};

const char *turnkey_meaning(enum turnkey_form form, int64_t code)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code && table[i].form == form)
            return table[i].meaning;
    return NULL;
}
