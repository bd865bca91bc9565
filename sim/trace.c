/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <stdarg.h>

__attribute__((format(printf, 4, 0))) static void line(const struct trace *trace, const char *who,
                                                       const char *mark, const char *format, va_list args)
{
    if (!trace->out)
        return;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    for (char *c = text; *c; c++) /* may contain text from the server */
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    fprintf(trace->out, "%s%s%s%s\n", who, *who ? " " : "", mark, text);
}

void trace_does(const struct trace *trace, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(trace, who, "", format, args);
    va_end(args);
}

void trace_follows(const struct trace *trace, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(trace, trace->many ? who : "", "→ ", format, args);
    va_end(args);
}

void trace_then(const struct trace *trace, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(trace, trace->many ? who : "", "", format, args);
    va_end(args);
}
