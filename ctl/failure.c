/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/failure.h"

#include <stdarg.h>
#include <stdio.h>

bool failure_set(struct failure *fail, enum exit_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail->status = status;
    fail->code[0] = '\0';
    vsnprintf(fail->text, sizeof fail->text, format, args);
    va_end(args);
    return false;
}
