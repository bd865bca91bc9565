/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/package_format.h"

#include <stddef.h>
#include <string.h>

const struct package_format package_format_table[PACKAGE_FORMAT_COUNT] = {
#define X(id, ...) [PACKAGE_FORMAT_##id] = {__VA_ARGS__},
    PACKAGE_FORMAT_TABLE(X)
#undef X
};

const struct package_format *package_format_find(const char *name)
{
    for (unsigned i = 0; i < PACKAGE_FORMAT_COUNT; i++)
        if (package_format_is(name, (enum package_format_id)i))
            return &package_format_table[i];
    return NULL;
}

bool package_format_is(const char *name, enum package_format_id id)
{
    return strcmp(name, package_format_table[id].name) == 0;
}

const char *package_format_names(void)
{
    static const char list[] =
#define X(id, name, ...) ", " name
        PACKAGE_FORMAT_TABLE(X);
#undef X
    return list + strlen(", ");
}

bool package_format_takes(const char *name, const char *package)
{
    return strcmp(name, package) == 0 || (package_format_is(name, PACKAGE_FORMAT_EC7XX_LUATOS) &&
                                          package_format_is(package, PACKAGE_FORMAT_EC7XX_CSDK));
}

static bool has_luatos_head(const char *name)
{
    return package_format_is(name, PACKAGE_FORMAT_EC618_LUATOS) ||
           package_format_is(name, PACKAGE_FORMAT_EC7XX_CSDK) ||
           package_format_is(name, PACKAGE_FORMAT_EC7XX_LUATOS);
}

int64_t package_format_uncounted(const char *name, const uint8_t *start, size_t start_size, int64_t size)
{
    const uint8_t *script = start + PACKAGE_FORMAT_LUATOS_SCRIPT;
    if (!has_luatos_head(name) || start_size < PACKAGE_FORMAT_LUATOS_HEAD)
        return 0;
    int64_t uncounted = PACKAGE_FORMAT_LUATOS_HEAD + ((int64_t)script[0] | (int64_t)script[1] << 8 |
                                                      (int64_t)script[2] << 16 | (int64_t)script[3] << 24);
    return uncounted <= size ? uncounted : 0;
}
