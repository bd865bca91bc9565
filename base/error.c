/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *name;
} table[ERROR_CODES] = {
#define X(code, status, name) [code] = {status, name},
    ERROR_TABLE(X)
#undef X
};

bool error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool error_errno(struct error *err, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->code = number == ENOSPC || number == EDQUOT ? ERROR_NO_SPACE
                : number == EROFS                    ? ERROR_UNAVAILABLE
                                                     : ERROR_INTERNAL;
    int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (number && used < sizeof err->text) {
        char reason[128];
        snprintf(err->text + used, sizeof err->text - used, ": %s",
                 strerror_r(number, reason, sizeof reason));
    }
    return false;
}

int error_status(enum error_code code)
{
    return table[code].status;
}

const char *error_name(enum error_code code)
{
    return table[code].name;
}
