#include "upgrade/format.h"

#include <stddef.h>
#include <string.h>

bool format_is_known(const char *name)
{
    static const char *const known[] = {
#define X(name, whom) name,
        FORMAT_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

const char *format_names(void)
{
    static const char list[] =
#define X(name, whom) ", " name
        FORMAT_TABLE(X);
#undef X
    return list + strlen(", ");
}
