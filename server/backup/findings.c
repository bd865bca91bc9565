/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/backup/findings.h"

#include <stdarg.h>
#include <stdio.h>

void findings_add(struct findings *findings, const char *format, ...)
{
    char text[sizeof findings->first.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (findings->faults++ == 0)
        error_set(&findings->first, ERROR_CORRUPT, "%s", text);
    if (findings->prints)
        printf("fault: %s\n", text);
}

void findings_add_database(void *cls, const char *text)
{
    findings_add(cls, "the database is damaged: %.300s", text);
}
