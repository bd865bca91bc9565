/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The story as a person reads it: a line for every step. Any thread. */
#ifndef DFOTA_SIM_TRACE_H
#define DFOTA_SIM_TRACE_H

#include <stdbool.h>
#include <stdio.h>

struct trace {
    FILE *out; /* NULL: quiet */
    bool many; /* every line names its module */
};

/* "866597071234567 asks from 1138" */
void trace_does(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "→ 43 please wait"; one module needs no name for what follows from the line above. */
void trace_follows(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As trace_follows without the arrow. */
void trace_then(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
