#include "sim/trace.h"

#include <stdarg.h>

__attribute__((format(printf, 4, 0))) static void line(const struct say *say, const char *who,
                                                       const char *mark, const char *format, va_list args)
{
    if (!say->out)
        return;
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    for (char *c = text; *c; c++) /* some of it came from the server */
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    fprintf(say->out, "%s%s%s%s\n", who, *who ? " " : "", mark, text);
}

void say_does(const struct say *say, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(say, who, "", format, args);
    va_end(args);
}

void say_follows(const struct say *say, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(say, say->many ? who : "", "→ ", format, args);
    va_end(args);
}

void say_then(const struct say *say, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(say, say->many ? who : "", "", format, args);
    va_end(args);
}
