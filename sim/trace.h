/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The steps of the modules in words, one line per step. Any thread. */
#ifndef DFOTA_SIM_TRACE_H
#define DFOTA_SIM_TRACE_H

#include <stdbool.h>
#include <stdio.h>

struct trace {
    FILE *out; /* NULL: print nothing */
    bool many; /* several modules: every line begins with the name of its module */
};

/* "866597071234567 asks from 1138" */
void trace_does(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "→ 43 please wait": the answer to the line above. A single module is not named again. */
void trace_follows(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like trace_follows(), without the arrow. */
void trace_then(const struct trace *trace, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
